/* layers: the operations between the sums of products: pooling, sigmoid and loss, ReLU backward,
 * bias gradients. Pure: no allocation, no globals. Not collective. Cannot fail. Arrays are
 * channels-last as in conv.h; `channels` and `count` are any number. A NaN is propagated
 * everywhere, so that a diverging run is noticed. */
#ifndef AKIN_LAYERS_H
#define AKIN_LAYERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    /* bytes [count] 0..255 to [0, 1]: byte / 255. */
    void (*from_bytes)(size_t count, const uint8_t *bytes, float *out);

    /* Maximum over 2x2 of two rows, [2, 2 * columns, channels], of results of ReLU (>= 0 or
     * NaN), into out [columns, channels]; where [columns, channels] (NULL: not wanted) gets
     * which of the four it was (row * 2 + column; the first of equal ones, as in PyTorch). */
    void (*pool)(size_t columns, size_t channels, const float *in, float *out, uint8_t *where);

    /* Backward: adds nothing, writes gradient [columns, channels] to where it came from in two
     * rows at out, out_row floats apart, of [2 * columns, channels]; zero elsewhere. */
    void (*unpool)(size_t columns, size_t channels, const float *gradient, const uint8_t *where,
                   size_t out_row, float *out);

    /* ReLU backward, in place: gradient [count] becomes zero where out [count] <= 0. */
    void (*relu_gradient)(size_t count, const float *out, float *gradient);

    /* sum [channels] += over pixels of gradient, rows x columns of them, with strides in floats. */
    void (*bias_gradient)(size_t rows, size_t columns, size_t channels, size_t row, size_t column,
                          const float *gradient, float *sum);

    /* Adds up a 3x3 "same" convolution with 2 to 4 result channels. products [columns, lanes] of
     * three rows of pixels, above, here and below (NULL: beyond the edge): at tap * channels + c
     * of a pixel, its contribution through that tap to channel c; lanes >= 8 * channels + 4. out
     * [columns, channels] = bias + the nine taps' products. */
    void (*collect)(size_t columns, size_t channels, size_t lanes, const float *const products[3],
                    const float *bias, float *out);

    /* out [count] = 1 / (1 + exp(-in)), with relative error 3e-7; below -87 as at -87. */
    void (*sigmoid)(size_t count, const float *in, float *out);

    /* The sum of (out - target)^2 over count values. gradient [count] (NULL: not wanted) = scale *
     * d sum / d in, where out = sigmoid(in): 2 * scale * (out - target) * out * (1 - out). */
    double (*loss)(size_t count, const float *out, const float *target, float scale,
                   float *gradient);

    /* out [count] = exp(factor * in - shift), with relative error 3e-7, exponents below -87 as
     * at -87; returns their sum. In place is fine. */
    double (*exponentials)(size_t count, float factor, float shift, const float *in, float *out);
} akin_layers_kernels;

/* The kernels for the level in use (cpu.h). */
const akin_layers_kernels *akin_layers(void);

#endif
