/* winograd: a 3x3 convolution with ReLU and 2x2 maximum pooling in one, with 16 products instead
 * of 36. Pure: no allocation, no globals. Not collective. Cannot fail. Lavin & Gray, "Fast
 * algorithms for convolutional neural networks" (2016), F(2x2, 3x3): a tile of 2x2 results,
 * which is exactly what is pooled to one, depends on 4x4 inputs. Inputs and weights are
 * transformed to 16 points, where the convolution is a product; the inverse transform gives the
 * four results, then their ReLU and maximum are taken. The bits of a result depend on its inputs
 * and the weights alone. They are not those of conv.h, but equally accurate. */
#ifndef AKIN_WINOGRAD_H
#define AKIN_WINOGRAD_H

#include "conv.h"
#include "pooled.h"
#include <stddef.h>
#include <stdint.h>

#define AKIN_WINOGRAD_POINTS 16
#define AKIN_WINOGRAD_TILES 66 /* processed at once */

/* Scratch for `in` channels, and packed weights: this many floats. */
#define AKIN_WINOGRAD_SCRATCH(in)                                                                  \
    (AKIN_WINOGRAD_POINTS * AKIN_WINOGRAD_TILES * ((in) + AKIN_CONV_LANES))
#define AKIN_WINOGRAD_PACKED(in, out) (AKIN_WINOGRAD_POINTS * (in) * (out))

typedef struct {
    /* Transforms weights [3, 3, in, out] to the points, in the order in which they are read; out
     * is a multiple of AKIN_CONV_LANES. */
    void (*pack)(size_t in, size_t out, const float *weights, float *packed);

    /* out [rows, columns, out] = the maximum over 2x2 of ReLU(convolution of input [framed] +
     * bias); where (NULL: not wanted) as in akin_layers' pool. in is a multiple of 16, out of
     * AKIN_CONV_LANES. */
    void (*forward)(const akin_pooled_shape *shape, const float *input, const float *packed,
                    const float *bias, float *scratch, float *out, uint8_t *where);
} akin_winograd_kernels;

/* The kernels for the level in use (cpu.h). */
const akin_winograd_kernels *akin_winograd(void);

#endif
