/* conv: the two sums of products that every layer consists of. Compiled once per level of x86-64
 * (cpu.h). Written with the compiler's vector types; a * b + c contracts to one FMA if the level
 * has it. Both kernels keep a block of up to BLOCK x 2 vectors of results in registers: 12
 * chains hide the latency of an FMA, and with two vectors of weights and one broadcast they fill
 * the 16 registers of AVX2. */
#include "conv.h"
#include <akin/cpu.h>
#include <string.h>

#include <akin/simd.h>

#define PANEL (2 * WIDTH)
#define BLOCK 6

_Static_assert(AKIN_CONV_LANES % PANEL == 0, "a panel is a part of the padded channels");

/* The i-th of the blocks that n is divided into: as few as possible, and of equal sizes, so that
 * none is short. */
INLINE size_t block_of(size_t n, size_t i) {
    size_t blocks = (n + BLOCK - 1) / BLOCK;
    return n / blocks + (i < n % blocks);
}

/* --- multiply --- */

/* The layout of one panel of weights: row k is at first + k * row. */
typedef struct {
    const float *first;
    size_t row;
    const float *bias; /* of this panel; NULL: start from zero */
    bool more;         /* start from the contents of out */
} panel;

INLINE void multiply_pixels(const size_t pixels, const akin_conv_map *map, const float *in,
                            const panel *weights, const float *alive, bool relu, float *out) {
    vector sum[BLOCK][2];
    UNROLL for (size_t p = 0; p < pixels; p++) {
        UNROLL for (size_t v = 0; v < 2; v++) {
            sum[p][v] = weights->more   ? load(out + p * map->out_column + v * WIDTH)
                        : weights->bias ? load(weights->bias + v * WIDTH)
                                        : (vector){0};
        }
    }
    const float *w = weights->first;
    const size_t stride = map->in_column, run = map->run, row = weights->row;
    for (size_t i = 0; i < map->runs; i++) {
        const float *x = in + map->offset[i];
        for (size_t k = 0; k < run; k++, w += row) {
            vector w0 = load(w), w1 = load(w + WIDTH);
            UNROLL for (size_t p = 0; p < pixels; p++) {
                sum[p][0] += w0 * x[p * stride + k];
                sum[p][1] += w1 * x[p * stride + k];
            }
        }
    }
    UNROLL for (size_t p = 0; p < pixels; p++) {
        UNROLL for (size_t v = 0; v < 2; v++) {
            vector result = sum[p][v];
            if (relu) result = where_alive(result, result);
            if (alive) result = where_alive(load(alive + p * map->out_column + v * WIDTH), result);
            store(out + p * map->out_column + v * WIDTH, result);
        }
    }
}

typedef void multiply_block(const akin_conv_map *map, const float *in, const panel *weights,
                            const float *alive, bool relu, float *out);
#define MULTIPLY_BLOCK(pixels)                                                                     \
    static void multiply_##pixels(const akin_conv_map *map, const float *in, const panel *weights, \
                                  const float *alive, bool relu, float *out) {                     \
        multiply_pixels(pixels, map, in, weights, alive, relu, out);                               \
    }
MULTIPLY_BLOCK(1)
MULTIPLY_BLOCK(2)
MULTIPLY_BLOCK(3)
MULTIPLY_BLOCK(4)
MULTIPLY_BLOCK(5)
MULTIPLY_BLOCK(6)
static multiply_block *const multiply_blocks[BLOCK + 1] = {
    NULL, multiply_1, multiply_2, multiply_3, multiply_4, multiply_5, multiply_6};

/* One row of pixels, one panel of channels. */
static void multiply_row(const akin_conv_map *map, const float *in, const panel *weights,
                         const float *alive, bool relu, float *out) {
    for (size_t c = 0, i = 0; c < map->columns; i++) {
        size_t pixels = block_of(map->columns, i);
        multiply_blocks[pixels](map, in + c * map->in_column, weights,
                                alive ? alive + c * map->out_column : NULL, relu,
                                out + c * map->out_column);
        c += pixels;
    }
}

static void multiply(const akin_conv_map *map, const float *in, const float *packed,
                     const akin_conv_finish *finish, float *out) {
    size_t inputs = map->runs * map->run;
    for (size_t first = 0; first < map->channels; first += PANEL) {
        panel weights = {packed + first * inputs, PANEL, finish->bias ? finish->bias + first : NULL,
                         false};
        for (size_t r = 0; r < map->rows; r++) {
            size_t at = r * map->out_row + first;
            multiply_row(map, in + r * map->in_row, &weights,
                         finish->alive ? finish->alive + at : NULL, finish->relu, out + at);
        }
    }
}

static void pack(size_t inputs, size_t channels, const float *weights, float *packed) {
    for (size_t first = 0; first < channels; first += PANEL) {
        size_t count = channels - first < PANEL ? channels - first : PANEL;
        for (size_t k = 0; k < inputs; k++, packed += PANEL) {
            memcpy(packed, weights + k * channels + first, count * sizeof *packed);
            memset(packed + count, 0, (PANEL - count) * sizeof *packed);
        }
    }
    size_t rest = (AKIN_CONV_LANES - (channels + PANEL - 1) / PANEL * PANEL % AKIN_CONV_LANES) %
                  AKIN_CONV_LANES;
    memset(packed, 0, rest * inputs * sizeof *packed); /* panels that are entirely padding */
}

/* The weights of a dense layer are read once, in their order: a slab of rows, which fits into
 * the first-level cache, serves all items and panels; meanwhile partial results are in out. */
static void dense(size_t items, const akin_conv_dense *layer, const float *in, float *out) {
    enum { SLAB = 32 };
    const size_t inputs = layer->inputs, channels = layer->channels;
    akin_conv_map map = {
        .rows = 1, .columns = items, .runs = 1, .in_column = inputs, .out_column = channels};
    for (size_t k = 0; k < inputs; k += map.run) {
        map.run = inputs - k < SLAB ? inputs - k : SLAB;
        bool last = k + map.run == inputs;
        for (size_t first = 0; first < channels; first += PANEL) {
            panel part = {layer->weights + k * channels + first, channels,
                          layer->bias ? layer->bias + first : NULL, k > 0};
            multiply_row(&map, in + k, &part, NULL, layer->relu && last, out + first);
        }
    }
}

/* --- outer --- */

INLINE void outer_inputs(const size_t inputs, const akin_conv_map *map, size_t rows,
                         const float *in, const float *result, bool more, float *sum) {
    vector part[BLOCK][2] = {0};
    for (size_t r = 0; r < rows; r++) {
        const float *x = in + r * map->in_row, *y = result + r * map->out_row;
        for (size_t c = 0; c < map->columns; c++, x += map->in_column, y += map->out_column) {
            vector y0 = load(y), y1 = load(y + WIDTH);
            UNROLL for (size_t k = 0; k < inputs; k++) {
                part[k][0] += y0 * x[k];
                part[k][1] += y1 * x[k];
            }
        }
    }
    UNROLL for (size_t k = 0; k < inputs; k++) {
        UNROLL for (size_t v = 0; v < 2; v++) {
            float *to = sum + k * map->channels + v * WIDTH;
            store(to, more ? load(to) + part[k][v] : part[k][v]);
        }
    }
}

typedef void outer_block(const akin_conv_map *map, size_t rows, const float *in,
                         const float *result, bool more, float *sum);
#define OUTER_BLOCK(inputs)                                                                        \
    static void outer_##inputs(const akin_conv_map *map, size_t rows, const float *in,             \
                               const float *result, bool more, float *sum) {                       \
        outer_inputs(inputs, map, rows, in, result, more, sum);                                    \
    }
OUTER_BLOCK(1)
OUTER_BLOCK(2)
OUTER_BLOCK(3)
OUTER_BLOCK(4)
OUTER_BLOCK(5)
OUTER_BLOCK(6)
static outer_block *const outer_blocks[BLOCK + 1] = {NULL,    outer_1, outer_2, outer_3,
                                                     outer_4, outer_5, outer_6};

/* One run of inputs, all panels of channels. */
static void outer_run(const akin_conv_map *map, size_t rows, const float *in, const float *result,
                      bool more, float *sum) {
    for (size_t k = 0, b = 0; k < map->run; b++) {
        size_t inputs = block_of(map->run, b);
        for (size_t first = 0; first < map->channels; first += PANEL)
            outer_blocks[inputs](map, rows, in + k, result + first, more,
                                 sum + k * map->channels + first);
        k += inputs;
    }
}

/* A few rows at a time, so that what they read stays in the first-level cache while all inputs
 * and panels pass over it. */
static void outer(const akin_conv_map *map, const float *in, const float *result, float *sum) {
    enum { PIXELS = 64 };
    size_t step = map->columns < PIXELS ? PIXELS / map->columns : 1;
    for (size_t r = 0; r < map->rows; r += step) {
        size_t rows = map->rows - r < step ? map->rows - r : step;
        for (size_t i = 0; i < map->runs; i++)
            outer_run(map, rows, in + r * map->in_row + map->offset[i], result + r * map->out_row,
                      true, sum + i * map->run * map->channels);
    }
}

static void dense_outer(size_t items, size_t inputs, size_t channels, const float *in,
                        const float *result, float *product) {
    const akin_conv_map map = {.rows = 1,
                               .columns = items,
                               .runs = 1,
                               .run = inputs,
                               .in_column = inputs,
                               .channels = channels,
                               .out_column = channels};
    outer_run(&map, 1, in, result, false, product);
}

/* --- dot --- */

INLINE void dot_pixels(const size_t pixels, const akin_conv_map *map, const float *in,
                       const float *weights, float *out) {
    vector sum[BLOCK] = {0};
    for (size_t i = 0; i < map->runs; i++) {
        const float *x = in + map->offset[i];
        for (size_t k = 0; k < map->run; k += WIDTH, weights += WIDTH) {
            vector w = load(weights);
            UNROLL for (size_t p = 0; p < pixels; p++) sum[p] +=
                w * load(x + p * map->in_column + k);
        }
    }
    UNROLL for (size_t p = 0; p < pixels; p++) {
        float total = 0;
        UNROLL for (size_t lane = 0; lane < WIDTH; lane++) total += sum[p][lane];
        out[p * map->out_column] = total;
    }
}

static void dot(const akin_conv_map *map, const float *in, const float *weights, float *out) {
    for (size_t r = 0; r < map->rows; r++) {
        const float *x = in + r * map->in_row;
        float *y = out + r * map->out_row;
        size_t c = 0;
        for (; c + 4 <= map->columns; c += 4)
            dot_pixels(4, map, x + c * map->in_column, weights, y + c * map->out_column);
        for (; c < map->columns; c++)
            dot_pixels(1, map, x + c * map->in_column, weights, y + c * map->out_column);
    }
}

const akin_conv_kernels AKIN_LEVELED(akin_conv_kernels) = {pack,  multiply,    dense,
                                                           outer, dense_outer, dot};

/* --- code without levels --- */
#if AKIN_LEVEL == 1
extern const akin_conv_kernels akin_conv_kernels_v3, akin_conv_kernels_v4;

const akin_conv_kernels *akin_conv(void) {
    static const akin_conv_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_conv_kernels_v1, &akin_conv_kernels_v3, &akin_conv_kernels_v4, &akin_conv_kernels_v4,
        &akin_conv_kernels_v4};
    return levels[akin_cpu_active()];
}

size_t akin_conv_packed_count(size_t inputs, size_t channels) {
    return inputs * ((channels + AKIN_CONV_LANES - 1) / AKIN_CONV_LANES * AKIN_CONV_LANES);
}

void akin_conv_transpose(size_t rows, size_t columns, const float *weights, float *transposed) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) transposed[c * rows + r] = weights[r * columns + c];
}

void akin_conv_turn(size_t in, size_t out, const float *weights, float *turned) {
    for (size_t tap = 0; tap < 9; tap++)
        akin_conv_transpose(in, out, weights + tap * in * out, turned + (8 - tap) * in * out);
}
#endif
