/* winograd: a 3x3 convolution, ReLU and pooling in one. Compiled once per level of x86-64
 * (cpu.h). */
#include "winograd.h"
#include "conv.h"
#include <akin/cpu.h>
#include <string.h>

#include <akin/simd.h>

enum { POINTS = AKIN_WINOGRAD_POINTS, TILES = AKIN_WINOGRAD_TILES, BLOCK = 6, PANEL = 2 * WIDTH };

typedef uint8_t bytes __attribute__((vector_size(WIDTH)));

_Static_assert(TILES % BLOCK == 0 && AKIN_CONV_LANES % PANEL == 0 && 16 % WIDTH == 0,
               "nothing is left over");

/* --- transforming weights --- */

/* In one dimension, three weights become four. */
INLINE void spread_weights(const vector from[3], vector to[4]) {
    const vector ends = from[0] + from[2], half = (vector){0} + 0.5F;
    to[0] = from[0];
    to[1] = half * (ends + from[1]);
    to[2] = half * (ends - from[1]);
    to[3] = from[2];
}

/* packed [panels of out, POINTS, in, PANEL]. */
static void pack(size_t in, size_t out, const float *weights, float *packed) {
    for (size_t o = 0; o < out; o += WIDTH)
        for (size_t i = 0; i < in; i++) {
            vector taps[3][3], rows[4][3], points[4][4];
            UNROLL for (size_t k = 0; k < 9; k++) taps[k % 3][k / 3] =
                load(weights + (k * in + i) * out + o);
            UNROLL for (size_t column = 0; column < 3; column++) {
                vector four[4];
                spread_weights(taps[column], four);
                UNROLL for (size_t row = 0; row < 4; row++) rows[row][column] = four[row];
            }
            UNROLL for (size_t row = 0; row < 4; row++) spread_weights(rows[row], points[row]);
            float *to = packed + (o / PANEL * POINTS * in + i) * PANEL + o % PANEL;
            UNROLL for (size_t p = 0; p < POINTS; p++)
                store(to + p * in * PANEL, points[p / 4][p % 4]);
        }
}

/* --- transforming inputs --- */

INLINE void spread_inputs(const vector from[4], vector to[4]) {
    to[0] = from[0] - from[2];
    to[1] = from[1] + from[2];
    to[2] = from[2] - from[1];
    to[3] = from[1] - from[3];
}

/* One tile, whose 4x4 inputs start at `input`, into points [POINTS, TILES, in] at its place. */
INLINE void transform_tile(size_t in, size_t input_row, const float *input, float *points) {
    for (size_t i = 0; i < in; i += WIDTH) {
        vector columns[4][4], rows[4][4];
        UNROLL for (size_t c = 0; c < 4; c++) {
            vector four[4], spread[4];
            UNROLL for (size_t r = 0; r < 4; r++) four[r] =
                load(input + r * input_row + c * in + i);
            spread_inputs(four, spread);
            UNROLL for (size_t r = 0; r < 4; r++) columns[r][c] = spread[r];
        }
        UNROLL for (size_t r = 0; r < 4; r++) spread_inputs(columns[r], rows[r]);
        UNROLL for (size_t p = 0; p < POINTS; p++)
            store(points + p * TILES * in + i, rows[p / 4][p % 4]);
    }
}

/* --- products --- */

/* products [BLOCK, PANEL] = inputs [BLOCK, in] times weights [in, PANEL]. */
INLINE void multiply_block(size_t in, const float *inputs, const float *weights, float *products) {
    vector sum[BLOCK][2] = {0};
    for (size_t i = 0; i < in; i++, weights += PANEL) {
        const vector w0 = load(weights), w1 = load(weights + WIDTH);
        UNROLL for (size_t t = 0; t < BLOCK; t++) {
            sum[t][0] += w0 * inputs[t * in + i];
            sum[t][1] += w1 * inputs[t * in + i];
        }
    }
    UNROLL for (size_t t = 0; t < BLOCK; t++) {
        store(products + t * PANEL, sum[t][0]);
        store(products + t * PANEL + WIDTH, sum[t][1]);
    }
}

/* --- transforming back --- */

/* Numbers >= 0 compare as integers, and a NaN is above them all once its sign is removed. */
INLINE integers choose(integers mask, integers yes, integers no) {
    return (yes & mask) | (no & ~mask);
}

INLINE integers greater(integers a, integers b) {
    return choose(a < b, b, a);
}

/* WIDTH channels of one tile: products [POINTS, TILES, PANEL] at its place. */
INLINE void finish_tile(const float *products, vector bias, float *out, uint8_t *where) {
    vector half[4][2];
    UNROLL for (size_t r = 0; r < 4; r++) {
        vector m[4];
        UNROLL for (size_t c = 0; c < 4; c++) m[c] = load(products + (r * 4 + c) * TILES * PANEL);
        half[r][0] = m[0] + m[1] + m[2];
        half[r][1] = m[1] - m[2] - m[3];
    }
    integers y[4];
    UNROLL for (size_t c = 0; c < 2; c++) {
        const vector upper = half[0][c] + half[1][c] + half[2][c] + bias;
        const vector lower = half[1][c] - half[2][c] - half[3][c] + bias;
        y[c] = (integers)where_alive(upper, upper) & INT32_MAX;
        y[2 + c] = (integers)where_alive(lower, lower) & INT32_MAX;
    }
    const integers best = greater(greater(y[0], y[1]), greater(y[2], y[3]));
    store(out, (vector)best);
    if (!where) return;
    const integers zero = {0};
    integers place = choose(y[2] == best, zero + 2, zero + 3);
    place = choose(y[1] == best, zero + 1, place);
    place = choose(y[0] == best, zero, place);
    const bytes narrow = __builtin_convertvector(place, bytes);
    memcpy(where, &narrow, sizeof narrow);
}

/* --- all steps --- */

typedef struct {
    const float *input, *packed, *bias;
    float *scratch;
} operands;

/* Tiles first..first+count-1 of all, row by row; the unused part of the last block of tiles is
 * computed from arbitrary values. */
static void forward_tiles(const akin_pooled_shape *shape, const operands *with, size_t first,
                          size_t count, float *out, uint8_t *where) {
    const size_t in = shape->in, input_row = (2 * shape->columns + 2) * in;
    const float *input = with->input, *packed = with->packed, *bias = with->bias;
    float *points = with->scratch, *products = points + POINTS * TILES * in;
    for (size_t t = 0; t < count; t++) {
        const size_t row = (first + t) / shape->columns, column = (first + t) % shape->columns;
        transform_tile(in, input_row, input + 2 * row * input_row + 2 * column * in,
                       points + t * in);
    }
    for (size_t o = 0; o < shape->out; o += PANEL, packed += POINTS * in * PANEL) {
        for (size_t p = 0; p < POINTS; p++)
            for (size_t t = 0; t < count; t += BLOCK)
                multiply_block(in, points + (p * TILES + t) * in, packed + p * in * PANEL,
                               products + (p * TILES + t) * PANEL);
        for (size_t t = 0; t < count; t++) UNROLL for (size_t v = 0; v < PANEL; v += WIDTH) {
                const size_t at = (first + t) * shape->out + o + v;
                finish_tile(products + t * PANEL + v, load(bias + o + v), out + at,
                            where ? where + at : NULL);
            }
    }
}

static void forward(const akin_pooled_shape *shape, const float *input, const float *packed,
                    const float *bias, float *scratch, float *out, uint8_t *where) {
    const operands with = {input, packed, bias, scratch};
    const size_t tiles = shape->rows * shape->columns;
    const size_t chunks = (tiles + TILES - 1) / TILES;
    for (size_t c = 0, first = 0; c < chunks; c++) {
        const size_t count = tiles / chunks + (c < tiles % chunks);
        forward_tiles(shape, &with, first, count, out, where);
        first += count;
    }
}

const akin_winograd_kernels AKIN_LEVELED(akin_winograd_kernels) = {pack, forward};

#if AKIN_LEVEL == 1
extern const akin_winograd_kernels akin_winograd_kernels_v3, akin_winograd_kernels_v4;

const akin_winograd_kernels *akin_winograd(void) {
    static const akin_winograd_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_winograd_kernels_v1, &akin_winograd_kernels_v3, &akin_winograd_kernels_v4,
        &akin_winograd_kernels_v4, &akin_winograd_kernels_v4};
    return levels[akin_cpu_active()];
}
#endif
