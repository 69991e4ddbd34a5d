/* fixed: exact sums as 64-bit fixed point. Floor 1 (kernels); looks down to nothing. */
#include <akin/fixed.h>
#include <math.h>
#include <string.h>

/* Magnitudes of floats are ordered like their bits without the sign; NaN lies above infinity. */
float akin_fixed_peak(const float *values, size_t count) {
    int32_t most = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits &= INT32_MAX;
        most = bits > most ? bits : most;
    }
    float peak;
    memcpy(&peak, &most, sizeof peak);
    return peak;
}

/* Below 2^51 a double rounds to a whole number by adding 1.5 * 2^52, and the low bits of the sum are that number: this
 * loop has vector instructions on every level, a conversion to int64 has not. */
static void add_small(const float *values, size_t count, double scale, int64_t *sums) {
    const double magic = 0x1.8p52;
    int64_t magic_bits;
    memcpy(&magic_bits, &magic, sizeof magic_bits);
    for (size_t i = 0; i < count; i++) {
        double moved = (double)values[i] * scale + magic;
        int64_t bits;
        memcpy(&bits, &moved, sizeof bits);
        sums[i] += bits - magic_bits;
    }
}

float akin_fixed_add(const float *values, size_t count, int bits, float limit, int64_t *sums) {
    double scale = ldexp(1, bits);
    float peak = akin_fixed_peak(values, count);
    if (!(peak < limit)) return peak;
    if ((double)peak * scale < 0x1p51)
        add_small(values, count, scale, sums);
    else
        for (size_t i = 0; i < count; i++) sums[i] += llrint((double)values[i] * scale);
    return peak;
}

void akin_fixed_get(const int64_t *sums, size_t count, int bits, float *values) {
    double scale = ldexp(1, -bits);
    for (size_t i = 0; i < count; i++) values[i] = (float)((double)sums[i] * scale);
}

int64_t akin_fixed_from(double value, int bits) {
    return llrint(ldexp(value, bits));
}

double akin_fixed_to(int64_t sum, int bits) {
    return ldexp((double)sum, -bits);
}
