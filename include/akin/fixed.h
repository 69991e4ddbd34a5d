/* fixed: sums of floats that are bit-identical in any order, as 64-bit fixed point with a common
 * power of two. Not collective. Cannot fail. A value v counts as the integer nearest to v *
 * 2^bits (ties to even); integers add up exactly, so it does not matter which rank held which
 * summand. (Demmel & Nguyen, "Fast reproducible floating-point summation", 2013, treat the
 * general case; here the range is known beforehand.) */
#ifndef AKIN_FIXED_H
#define AKIN_FIXED_H

#include <stddef.h>
#include <stdint.h>

/* The largest magnitude of values [count]; NaN if any value is NaN, 0 if count is 0. */
float akin_fixed_peak(const float *values, size_t count);

/* sums[i] += values[i] * 2^bits for all i, if all magnitudes are below `limit`; otherwise
 * changes nothing. Returns the peak, so `!(peak < limit)` detects that. limit * 2^bits <= 2^62. */
float akin_fixed_add(const float *values, size_t count, int bits, float limit, int64_t *sums);

/* values[i] = sums[i] / 2^bits. */
void akin_fixed_get(const int64_t *sums, size_t count, int bits, float *values);

/* One value; |value| * 2^bits <= 2^62. */
int64_t akin_fixed_from(double value, int bits);
double akin_fixed_to(int64_t sum, int bits);

typedef struct {
    int32_t (*peak_bits)(const float *values, size_t count);
    void (*add_small)(const float *values, size_t count, double scale,
                      int64_t *sums); /* all below 2^51 / scale */
    void (*get)(const int64_t *sums, size_t count, double scale, float *values);
} akin_fixed_kernels;

/* The kernels for the level in use (cpu.h). */
const akin_fixed_kernels *akin_fixed(void);

#endif
