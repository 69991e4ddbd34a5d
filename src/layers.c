/* layers: what lies between the sums of products. Floor 1 (kernels); looks down to cpu.
 *
 * Compiled once per level of x86-64 (cpu.h). What is left over at the end of an array goes through the same vector
 * code on a copy filled up with zeros, so an element's bits do not depend on its place.
 */
#include <akin/cpu.h>
#include <akin/layers.h>
#include <string.h>

#define WIDTH (AKIN_LEVEL == 4 ? 16 : AKIN_LEVEL == 3 ? 8 : 4) /* floats in a vector */
#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(WIDTH * sizeof(float))));
typedef int integers __attribute__((vector_size(WIDTH * sizeof(float))));
typedef double doubles __attribute__((vector_size(WIDTH * sizeof(double))));
typedef uint8_t bytes __attribute__((vector_size(WIDTH)));
typedef float four __attribute__((vector_size(4 * sizeof(float))));

INLINE vector load(const float *from) {
    vector value;
    memcpy(&value, from, sizeof value);
    return value;
}

INLINE void store(float *to, vector value) {
    memcpy(to, &value, sizeof value);
}

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

/* --- pooling ------------------------------------------------------------------------------------------------------*/

/* Takes b, and its place, where it is greater or not a number. A NaN in a stays: nothing is greater. */
INLINE void take_greater(vector *a, integers *where, vector b, int place) {
    integers mask = (b > *a) | (b != b);
    *a = choose(mask, b, *a);
    *where = (*where & ~mask) | (mask & place);
}

static void pool(size_t columns, size_t channels, const float *in, float *out, uint8_t *where) {
    const size_t row = 2 * columns * channels;
    for (size_t c = 0; c < columns; c++, in += 2 * channels) {
        for (size_t i = 0; i < channels; i += WIDTH) {
            const size_t n = part_of(channels, i);
            vector best = load_part(in + i, n);
            integers place = {0};
            take_greater(&best, &place, load_part(in + channels + i, n), 1);
            take_greater(&best, &place, load_part(in + row + i, n), 2);
            take_greater(&best, &place, load_part(in + row + channels + i, n), 3);
            store_part(out + c * channels + i, (vector)((integers)best & ~(best <= all(0))), n);
            bytes narrow = __builtin_convertvector(place, bytes);
            memcpy(where + c * channels + i, &narrow, n);
        }
    }
}

static void unpool(size_t columns, size_t channels, const float *gradient, const uint8_t *where, size_t out_row,
                   float *out) {
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
        integers dead = load_part(out + i, n) <= all(0);
        store_part(gradient + i, (vector)((integers)load_part(gradient + i, n) & ~dead), n);
    }
}

/* --- sums over pixels ---------------------------------------------------------------------------------------------*/

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

static void collect(size_t columns, size_t channels, size_t lanes, const float *const products[3], const float *bias,
                    float *out) {
    four start = {0};
    memcpy(&start, bias, channels * sizeof *bias);
    for (size_t c = 0; c < columns; c++) {
        four sum = start;
        for (size_t r = 0; r < 3; r++) {
            if (!products[r]) continue;
            for (size_t k = c == 0; k < 3 && c + k <= columns; k++) {
                four value = {0};
                memcpy(&value, products[r] + (c + k - 1) * lanes + (r * 3 + k) * channels, channels * sizeof(float));
                sum += value;
            }
        }
        memcpy(out + c * channels, &sum, channels * sizeof *out);
    }
}

/* --- sigmoid and loss ---------------------------------------------------------------------------------------------*/

/* e^x for x in [-87, 87] (clamped; a NaN stays): 2^n * e^r with |r| <= ln 2 / 2, ln 2 in two parts (Cody & Waite 1980),
 * and the polynomial of Cephes' expf (Moshier). */
INLINE vector exponential(vector x) {
    x = choose(x < all(-87.0F), all(-87.0F), x);
    x = choose(x > all(87.0F), all(87.0F), x);
    const vector shift = all(12582912.0F); /* 1.5 * 2^23: adding it rounds to a whole number, left in the low bits */
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

static double loss(size_t count, const float *out, const float *target, float scale, float *gradient) {
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

const akin_layers_kernels AKIN_LEVELED(akin_layers_kernels) = {from_bytes,    pool,    unpool,  relu_gradient,
                                                               bias_gradient, collect, sigmoid, loss};

#if AKIN_LEVEL == 1
extern const akin_layers_kernels akin_layers_kernels_v3, akin_layers_kernels_v4;

const akin_layers_kernels *akin_layers(void) {
    static const akin_layers_kernels *const levels[AKIN_CPU_LEVELS] = {&akin_layers_kernels_v1, &akin_layers_kernels_v3,
                                                                       &akin_layers_kernels_v4};
    return levels[akin_cpu_active()];
}
#endif
