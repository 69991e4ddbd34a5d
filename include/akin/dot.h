/* dot: the score of two rows, defined to the bit. Not collective. Cannot fail. Pure.
 *
 * Rows are float32, padded with +0 to a stride that is a multiple of 16. The score of two rows a
 * and b is 16 chains of fused multiply-adds (IEEE 754-2019, 5.4.1: one rounding each), added in a
 * fixed order:
 *
 *   s[l](0) = +0, s[l](t + 1) = fma(a[16 t + l], b[16 t + l], s[l](t))    for l = 0 .. 15
 *   u[l] = s[l] + s[l + 8]                                                for l < 8
 *   v[l] = u[l] + u[l + 4]                                                for l < 4
 *   w[l] = v[l] + v[l + 2]                                                for l < 2
 *   score = w[0] + w[1]
 *
 * Multiplication commutes and the order is fixed, so a score has the same bits for (a, b) and
 * (b, a), on any rank and at every level of the CPU; the level without FMA instructions computes
 * the same steps in software. */
#ifndef AKIN_DOT_H
#define AKIN_DOT_H

#include <stddef.h>
#include <stdint.h>

enum { AKIN_DOT_LANES = 16 };

static inline size_t akin_dot_stride(size_t dim) {
    return (dim + AKIN_DOT_LANES - 1) / AKIN_DOT_LANES * AKIN_DOT_LANES;
}

typedef struct {
    uint16_t row, column; /* in two panels of rows */
} akin_dot_hit;

typedef struct {
    /* scores[h] = the score of a[hits[h].row] and b[hits[h].column]. */
    void (*pairs)(const float *a /* [., stride] */, const float *b /* [., stride] */, size_t stride,
                  const akin_dot_hit *hits, size_t count, float *scores /* [count] */);
    /* products[i] is within akin_dot_bound of a.rows[i]; its bits may depend on the level. */
    void (*one_many)(const float *a /* [stride] */, const float *rows /* [count, stride] */,
                     size_t stride, size_t count, float *products /* [count] */);
    /* How many of the values are at least `least`. No NaN. */
    size_t (*at_least)(const float *values /* [count] */, size_t count, float least);
} akin_dot_kernels;

/* The kernels of the active level. */
const akin_dot_kernels *akin_dot(void);

/* How far a score may be from the exact dot product of two rows of length up to 1 + 2^-20, in
 * whatever order its terms are added, fused or not: |s - a.b| <= gamma * sum |a[t] b[t]| <= gamma *
 * |a| |b| with gamma = d u / (1 - d u), u = 2^-24 (Higham 2002, "Accuracy and Stability of
 * Numerical Algorithms", section 3.1; a fused step has one rounding of the two that it allows for,
 * and adding the zeros of the padding none), plus d times half the smallest subnormal where a step
 * underflows. The factor 1.01 covers the lengths and the denominator up to d = 65,536. */
static inline double akin_dot_bound(size_t dim) {
    return 1.01 * (double)dim * 0x1p-24;
}

#endif
