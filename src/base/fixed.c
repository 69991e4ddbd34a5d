/* fixed: exact sums as 64-bit fixed point. Compiled once per level of x86-64
 * (cpu.h): a power of two times a float is exact in double, so an FMA changes no bit. */
#include <akin/cpu.h>
#include <akin/fixed.h>
#include <math.h>
#include <string.h>

/* Magnitudes of floats are ordered like their bits without the sign; NaN is above infinity. */
static int32_t peak_bits(const float *values, size_t count) {
    int32_t most = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits &= INT32_MAX;
        most = bits > most ? bits : most;
    }
    return most;
}

/* Below 2^51, adding 1.5 * 2^52 rounds a double to a whole number, which the low bits of the sum
 * then hold: this loop has vector instructions on every level, a conversion to int64 does not. */
static void add_small(const float *restrict values, size_t count, double scale,
                      int64_t *restrict sums) {
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

static void get(const int64_t *restrict sums, size_t count, double scale, float *restrict values) {
    for (size_t i = 0; i < count; i++) values[i] = (float)((double)sums[i] * scale);
}

const akin_fixed_kernels AKIN_LEVELED(akin_fixed_kernels) = {peak_bits, add_small, get};

#if AKIN_LEVEL == 1
extern const akin_fixed_kernels akin_fixed_kernels_v3, akin_fixed_kernels_v4;

const akin_fixed_kernels *akin_fixed(void) {
    static const akin_fixed_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_fixed_kernels_v1, &akin_fixed_kernels_v3, &akin_fixed_kernels_v4,
        &akin_fixed_kernels_v4, &akin_fixed_kernels_v4};
    return levels[akin_cpu_active()];
}

float akin_fixed_peak(const float *values, size_t count) {
    int32_t bits = akin_fixed()->peak_bits(values, count);
    float peak;
    memcpy(&peak, &bits, sizeof peak);
    return peak;
}

enum { PIECE = 2048 };

static void add_piece(const float *values, size_t count, float peak, double scale, int64_t *sums) {
    if ((double)peak * fabs(scale) < 0x1p51)
        akin_fixed()->add_small(values, count, scale, sums);
    else
        for (size_t i = 0; i < count; i++) sums[i] += llrint((double)values[i] * scale);
}

/* Each piece is checked and added while it is in the cache. If a piece is out of range, the
 * earlier ones are subtracted again, which is exact: ties go to even on both sides of 0. */
float akin_fixed_add(const float *values, size_t count, int bits, float limit, int64_t *sums) {
    double scale = ldexp(1, bits);
    float most = 0;
    for (size_t at = 0; at < count; at += PIECE) {
        size_t piece = count - at < PIECE ? count - at : PIECE;
        float peak = akin_fixed_peak(values + at, piece);
        if (!(peak < limit)) {
            for (size_t back = 0; back < at; back += PIECE)
                add_piece(values + back, PIECE, most, -scale, sums + back);
            return akin_fixed_peak(values, count);
        }
        add_piece(values + at, piece, peak, scale, sums + at);
        most = peak > most ? peak : most;
    }
    return most;
}

void akin_fixed_get(const int64_t *sums, size_t count, int bits, float *values) {
    akin_fixed()->get(sums, count, ldexp(1, -bits), values);
}

int64_t akin_fixed_from(double value, int bits) {
    return llrint(ldexp(value, bits));
}

double akin_fixed_to(int64_t sum, int bits) {
    return ldexp((double)sum, -bits);
}
#endif
