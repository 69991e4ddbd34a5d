/* conv: the two sums of products that every layer of the network consists of, forward and
 * backward. Pure: no allocation, no globals. Not collective. Cannot fail. Activations are
 * channels-last, [row, column, channel], with a border of zeros where a neighbourhood extends
 * over the edge. So what a kernel row of a convolution sees of its input is one contiguous run
 * of floats (three pixels with all their channels), and a map of a few runs describes every
 * layer: a 3x3 convolution has 3 runs of 3 * channels; its data gradient the same with rotated
 * weights; a stride-2 transposed convolution is four maps, one per parity of the output row and
 * column; its data gradient is a map whose input pixel stride is two pixels; a dense layer is
 * one run per item. Every element of a result is one chain acc = acc + input * weight in the
 * order of the runs, starting from the bias. So its bits do not depend on its pixel, row, block
 * or item of a batch. */
#ifndef AKIN_CONV_H
#define AKIN_CONV_H

#include <stdbool.h>
#include <stddef.h>

#define AKIN_CONV_RUNS 3 /* at most, in a map */
#define AKIN_CONV_LANES                                                                            \
    32 /* result channels are a multiple of this; weights are padded with zeros */

/* Pixel (r, c) of rows x columns reads in[r * in_row + c * in_column + offset[i] + 0..run-1] for
 * i in 0..runs-1 and writes its result, of `channels` floats, to out[r * out_row + c *
 * out_column]. All in floats. */
typedef struct {
    size_t rows, columns;
    size_t runs, run;
    ptrdiff_t offset[AKIN_CONV_RUNS];
    size_t in_row, in_column;
    size_t channels;
    size_t out_row, out_column;
} akin_conv_map;

/* How a chain starts and ends. */
typedef struct {
    const float *bias;  /* [channels] to start from; NULL: zero */
    const float *alive; /* laid out like out: the result is zero where this is <= 0 (ReLU
                         * backward); NULL: kept */
    bool relu;          /* negative results become zero; a NaN stays */
} akin_conv_finish;

/* A dense layer. */
typedef struct {
    size_t inputs, channels;
    const float *weights; /* [inputs, channels], as they are */
    const float *bias;    /* [channels]; NULL: zero */
    bool relu;
} akin_conv_dense;

typedef struct {
    /* Reorders weights [inputs, channels], row-major, as `multiply` reads them:
     * akin_conv_packed_count floats. */
    void (*pack)(size_t inputs, size_t channels, const float *weights, float *packed);

    /* out = finish(start + sum over runs of in * weights); the weights, [runs * run, channels],
     * packed. */
    void (*multiply)(const akin_conv_map *map, const float *in, const float *packed,
                     const akin_conv_finish *finish, float *out);

    /* The same for a dense layer: in [items, inputs], out [items, channels]. */
    void (*dense)(size_t items, const akin_conv_dense *layer, const float *in, float *out);

    /* sum [runs * run, channels] += over all pixels of in (outer product) result, the weights'
     * gradient; `result` is laid out like the map's out. */
    void (*outer)(const akin_conv_map *map, const float *in, const float *result, float *sum);

    /* The same for a dense layer, overwriting instead of adding: product [inputs, channels] =
     * sum over items of in [items, inputs] (outer product) result [items, channels]. */
    void (*dense_outer)(size_t items, size_t inputs, size_t channels, const float *in,
                        const float *result, float *product);

    /* A map of one result channel (`channels` is ignored): out = sum over runs of in * weights
     * [runs * run]; run is a multiple of 16. Here a chain is one partial sum per lane of a
     * vector, added up at the end. */
    void (*dot)(const akin_conv_map *map, const float *in, const float *weights, float *out);
} akin_conv_kernels;

/* The kernels for the level in use (cpu.h). */
const akin_conv_kernels *akin_conv(void);

size_t akin_conv_packed_count(size_t inputs, size_t channels);

/* Converts weights [3, 3, in, out] of a convolution into those of its data gradient, [3, 3, out,
 * in], rotated by 180 degrees. */
void akin_conv_turn(size_t in, size_t out, const float *weights, float *turned);

/* Transposes weights [rows, columns] to [columns, rows]. */
void akin_conv_transpose(size_t rows, size_t columns, const float *weights, float *transposed);

#endif
