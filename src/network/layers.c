/* layers: the operations between the sums of products. Compiled once per level of x86-64
 * (cpu.h). The remainder at the end of an array goes through the same vector code on a
 * zero-padded copy, so an element's bits do not depend on its position. */
#include "layers.h"
#include <akin/cpu.h>
#include <string.h>

#include <akin/simd.h>

typedef double doubles __attribute__((vector_size(WIDTH * sizeof(double))));
typedef uint8_t bytes __attribute__((vector_size(WIDTH)));
typedef float four __attribute__((vector_size(4 * sizeof(float))));

INLINE vector all(float value) {
    return (vector){0} + value;
}

INLINE vector choose(integers mask, vector yes, vector no) {
    return (vector)(((integers)yes & mask) | ((integers)no & ~mask));
}

/* The first n floats, then zeros; n may be WIDTH. */
INLINE vector load_part(const float *from, size_t n) {
    if (n == WIDTH) return load(from);
    vector value = {0};
    memcpy(&value, from, n * sizeof(float));
    return value;
}

INLINE void store_part(float *to, vector value, size_t n) {
    if (n == WIDTH)
        store(to, value);
    else
        memcpy(to, &value, n * sizeof(float));
}

INLINE size_t part_of(size_t n, size_t i) {
    return n - i < WIDTH ? n - i : WIDTH;
}

static void from_bytes(size_t count, const uint8_t *in, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = (float)in[i] / 255.0F;
}

/* --- pooling --- */

/* Numbers >= 0 compare as integers, and a NaN is above them all once its sign is removed. Plain
 * integer arithmetic on each channel, which the compiler vectorises; bits cannot differ between
 * body and remainder. */
INLINE int32_t ordered(const float *from) {
    int32_t bits;
    memcpy(&bits, from, sizeof bits);
    return bits & INT32_MAX;
}

INLINE int32_t greater(int32_t a, int32_t b) {
    return b > a ? b : a;
}

static void pool(size_t columns, size_t channels, const float *in, float *out, uint8_t *where) {
    const size_t row = 2 * columns * channels;
    for (size_t c = 0; c < columns; c++, in += 2 * channels, out += channels) {
        const float *below = in + row;
        for (size_t i = 0; i < channels; i++) {
            int32_t upper = greater(ordered(in + i), ordered(in + channels + i));
            int32_t best =
                greater(upper, greater(ordered(below + i), ordered(below + channels + i)));
            memcpy(out + i, &best, sizeof best);
        }
        if (!where) continue;
        for (size_t i = 0; i < channels; i++) {
            int32_t best = ordered(out + i);
            int32_t place = ordered(below + i) == best ? 2 : 3;
            place = ordered(in + channels + i) == best ? 1 : place;
            place = ordered(in + i) == best ? 0 : place;
            where[c * channels + i] = (uint8_t)place;
        }
    }
}

static void unpool(size_t columns, size_t channels, const float *gradient, const uint8_t *where,
                   size_t out_row, float *out) {
    for (size_t c = 0; c < columns; c++, out += 2 * channels) {
        for (size_t i = 0; i < channels; i += WIDTH) {
            const size_t n = part_of(channels, i);
            vector value = load_part(gradient + c * channels + i, n);
            bytes narrow = {0};
            memcpy(&narrow, where + c * channels + i, n);
            integers place = __builtin_convertvector(narrow, integers);
            for (int k = 0; k < 4; k++)
                store_part(out + (size_t)(k >> 1) * out_row + (size_t)(k & 1) * channels + i,
                           (vector)((integers)value & (place == k)), n);
        }
    }
}

static void relu_gradient(size_t count, const float *out, float *gradient) {
    for (size_t i = 0; i < count; i += WIDTH) {
        const size_t n = part_of(count, i);
        store_part(gradient + i, where_alive(load_part(out + i, n), load_part(gradient + i, n)), n);
    }
}

/* --- sums over pixels --- */

static void bias_gradient(size_t rows, size_t columns, size_t channels, size_t row, size_t column,
                          const float *gradient, float *sum) {
    for (size_t i = 0; i < channels; i += WIDTH) {
        const size_t n = part_of(channels, i);
        vector even = {0}, odd = {0}; /* two chains, since an addition takes a few cycles */
        for (size_t r = 0; r < rows; r++) {
            const float *g = gradient + r * row + i;
            size_t c = 0;
            for (; c + 2 <= columns; c += 2, g += 2 * column) {
                even += load_part(g, n);
                odd += load_part(g + column, n);
            }
            if (c < columns) even += load_part(g, n);
        }
        store_part(sum + i, load_part(sum + i, n) + (even + odd), n);
    }
}

/* What the taps from..to-1 of each kernel row contribute to a pixel. Reads four floats per tap,
 * whatever the channels. */
INLINE four collect_taps(four sum, size_t channels, size_t lanes, const float *const *products,
                         size_t column, size_t from, size_t to) {
    for (size_t r = 0; r < 3; r++) {
        if (!products[r]) continue;
        for (size_t k = from; k < to; k++) {
            four value;
            memcpy(&value, products[r] + (column + k - 1) * lanes + (r * 3 + k) * channels,
                   sizeof value);
            sum += value;
        }
    }
    return sum;
}

/* Also writes four floats per pixel, from left to right; the last one only its own. */
static void collect(size_t columns, size_t channels, size_t lanes, const float *const products[3],
                    const float *bias, float *out) {
    four start = {0};
    memcpy(&start, bias, channels * sizeof *bias);
    const size_t last = columns - 1;
    for (size_t c = 0; c < last; c++, out += channels) {
        four sum = c == 0 ? collect_taps(start, channels, lanes, products, c, 1, 3)
                          : collect_taps(start, channels, lanes, products, c, 0, 3);
        memcpy(out, &sum, sizeof sum);
    }
    four sum = collect_taps(start, channels, lanes, products, last, last == 0, 2);
    memcpy(out, &sum, channels * sizeof *out);
}

/* --- sigmoid and loss --- */

/* e^x for x in [-87, 87] (clamped; a NaN stays): 2^n * e^r with |r| <= ln 2 / 2, ln 2 in two parts
 * (Cody & Waite 1980), and the polynomial of Cephes' expf (Moshier). */
INLINE vector exponential(vector x) {
    x = choose(x < all(-87.0F), all(-87.0F), x);
    x = choose(x > all(87.0F), all(87.0F), x);
    const vector shift =
        all(12582912.0F); /* 1.5 * 2^23: adding it rounds to a whole number, which is then in the
                           * low bits */
    vector shifted = x * all(1.44269504F) + shift, n = shifted - shift;
    vector r = x - n * all(0.693359375F) - n * all(-2.12194440e-4F);
    vector p = all(1.9875691500e-4F);
    p = p * r + all(1.3981999507e-3F);
    p = p * r + all(8.3334519073e-3F);
    p = p * r + all(4.1665795894e-2F);
    p = p * r + all(1.6666665459e-1F);
    p = p * r + all(5.0000001201e-1F);
    p = p * (r * r) + r + all(1.0F);
    integers exponent = ((integers)shifted - (integers)shift + 127) << 23;
    return p * (vector)exponent;
}

static void sigmoid(size_t count, const float *in, float *out) {
    for (size_t i = 0; i < count; i += WIDTH) {
        const size_t n = part_of(count, i);
        store_part(out + i, all(1.0F) / (all(1.0F) + exponential(-load_part(in + i, n))), n);
    }
}

static double loss(size_t count, const float *out, const float *target, float scale,
                   float *gradient) {
    doubles squares = {0};
    for (size_t i = 0; i < count; i += WIDTH) {
        const size_t n = part_of(count, i);
        vector y = load_part(out + i, n), error = y - load_part(target + i, n);
        doubles wide = __builtin_convertvector(error, doubles);
        squares += wide * wide;
        if (gradient) store_part(gradient + i, all(2 * scale) * error * (y * (all(1.0F) - y)), n);
    }
    double sum = 0;
    for (size_t lane = 0; lane < WIDTH; lane++) sum += squares[lane];
    return sum;
}

static double exponentials(size_t count, float factor, float shift, const float *in, float *out) {
    doubles sums = {0};
    for (size_t i = 0; i < count; i += WIDTH) {
        const size_t n = part_of(count, i);
        vector value = exponential(load_part(in + i, n) * all(factor) - all(shift));
        if (n < WIDTH) { /* the padding of the vector does not count */
            vector kept = {0};
            memcpy(&kept, &value, n * sizeof(float));
            value = kept;
        }
        sums += __builtin_convertvector(value, doubles);
        store_part(out + i, value, n);
    }
    double sum = 0;
    for (size_t lane = 0; lane < WIDTH; lane++) sum += sums[lane];
    return sum;
}

const akin_layers_kernels AKIN_LEVELED(akin_layers_kernels) = {
    from_bytes, pool, unpool, relu_gradient, bias_gradient, collect, sigmoid, loss, exponentials};

#if AKIN_LEVEL == 1
extern const akin_layers_kernels akin_layers_kernels_v3, akin_layers_kernels_v4;

const akin_layers_kernels *akin_layers(void) {
    static const akin_layers_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_layers_kernels_v1, &akin_layers_kernels_v3, &akin_layers_kernels_v4,
        &akin_layers_kernels_v4, &akin_layers_kernels_v4};
    return levels[akin_cpu_active()];
}
#endif
