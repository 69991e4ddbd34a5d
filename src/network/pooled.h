/* pooled: backward through a convolution whose result was pooled. Pure: no allocation, no
 * globals. Not collective. Cannot fail. A maximum over 2x2 passes its gradient to one of four,
 * and ReLU makes some of them zero: at least three quarters of the convolution's gradient are
 * zeros. These kernels list the others and multiply only those, where the dense ones of conv.h
 * would multiply all. The order of an element's sum depends only on which gradients are zero. */
#ifndef AKIN_POOLED_H
#define AKIN_POOLED_H

#include <stddef.h>
#include <stdint.h>

#define AKIN_POOLED_COLUMNS 16   /* at most, pooled */
#define AKIN_POOLED_CHANNELS 128 /* at most, of the result */

/* A 3x3 "same" convolution from [2 * rows, 2 * columns, in] channels to `out` channels, pooled
 * to [rows, columns, out]. Its input has a border of one pixel on all sides, [2 * rows + 2, 2 *
 * columns + 2, in]; in is a multiple of 32. */
typedef struct {
    size_t rows, columns, in, out;
} akin_pooled_shape;

typedef struct {
    float value;
    uint32_t at;
} akin_pooled_entry;

/* Scratch: this many entries. */
#define AKIN_POOLED_SCRATCH(rows, columns, out) ((out) * (columns) * (2 * (rows) + 4))

typedef struct {
    /* sum [out, 3, 3, in] += the weights' gradient, from input [framed], gradient and where
     * [rows, columns, out] (as akin_layers' pool wrote it). Note the order of sum:
     * akin_conv_transpose converts it. */
    void (*weights)(const akin_pooled_shape *shape, const float *input, const float *gradient,
                    const uint8_t *where, akin_pooled_entry *scratch, float *sum);

    /* The input's gradient, into the inner pixels of out [framed]; zero where input, the result of
     * a ReLU, is <= 0. turned [3, 3, out, in]: the weights as akin_conv_turn leaves them. */
    void (*data)(const akin_pooled_shape *shape, const float *input, const float *gradient,
                 const uint8_t *where, const float *turned, akin_pooled_entry *scratch, float *out);
} akin_pooled_kernels;

/* The kernels for the level in use (cpu.h). */
const akin_pooled_kernels *akin_pooled(void);

#endif
