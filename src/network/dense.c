/* dense: a fully connected layer backward. */
#include "dense.h"
#include "conv.h"
#include "layers.h"
#include <akin/linalg.h>

void akin_dense_backward(size_t count, size_t inputs, size_t channels, const float *in,
                         const float *weights, const float *grad_out, float *grad_weight,
                         float *grad_bias, float *grad_in) {
    akin_conv()->dense_outer(count, inputs, channels, in, grad_out, grad_weight);
    akin_layers()->bias_gradient(1, count, channels, 0, channels, grad_out, grad_bias);
    akin_linalg_product(false, true, count, inputs, channels, grad_out, weights, false, grad_in);
}
