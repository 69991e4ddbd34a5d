/* dense: a fully connected layer backward. Not collective. Cannot fail. Pure. */
#ifndef AKIN_DENSE_H
#define AKIN_DENSE_H

#include "conv.h"
#include <stddef.h>

/* Of `count` items: in [count, inputs], grad_out [count, channels] -> grad_weight [inputs,
 * channels], adds to grad_bias [channels], grad_in [count, inputs]. The layer's bias and
 * ReLU are ignored. */
void akin_dense_backward(size_t count, const akin_conv_dense *layer, const float *in,
                         const float *grad_out, float *grad_weight, float *grad_bias,
                         float *grad_in);

#endif
