/* dense: a fully connected layer backward. Not collective. Cannot fail. Pure. */
#ifndef AKIN_DENSE_H
#define AKIN_DENSE_H

#include <stddef.h>

/* Of `count` items: in [count, inputs], weights [inputs, channels], grad_out [count, channels] ->
 * grad_weight [inputs, channels], to grad_bias [channels] is added, grad_in [count, inputs]. */
void akin_dense_backward(size_t count, size_t inputs, size_t channels, const float *in,
                         const float *weights, const float *grad_out, float *grad_weight,
                         float *grad_bias, float *grad_in);

#endif
