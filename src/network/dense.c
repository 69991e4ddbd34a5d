/* dense: a fully connected layer backward. */
#include "dense.h"
#include "layers.h"
#include <akin/linalg.h>

void akin_dense_backward(size_t count, const akin_conv_dense *layer, const float *in,
                         const float *grad_out, float *grad_weight, float *grad_bias,
                         float *grad_in) {
    const size_t inputs = layer->inputs, channels = layer->channels;
    akin_conv()->dense_outer(count, inputs, channels, in, grad_out, grad_weight);
    akin_layers()->bias_gradient(1, count, channels, 0, channels, grad_out, grad_bias);
    akin_linalg_product((akin_linalg_shape){count, inputs, channels, AKIN_TURN_B}, grad_out,
                        layer->weights, grad_in);
}
