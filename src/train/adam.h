/* adam: the optimiser's step, one pass over weights, gradient and both moments. Pure. Not
 * collective. Cannot fail.
 *
 * Kingma & Ba, "Adam: a method for stochastic optimization" (2015), with bias correction; eps is
 * added outside the square root, as PyTorch does.
 */
#ifndef AKIN_ADAM_H
#define AKIN_ADAM_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    double rate, beta1, beta2, eps;
} akin_adam_params;

/* Step `step` (the first is 1) of weights, mean and variance, all [count], by gradient [count]. */
void akin_adam_step(const akin_adam_params *params, uint64_t step, size_t count, float *weights,
                    const float *gradient, float *mean, float *variance);

/* What a step's number and options amount to, in float; the same for every element. */
typedef struct {
    float keep1, take1; /* beta1, 1 - beta1 */
    float keep2, take2; /* beta2, 1 - beta2 */
    float rate;         /* rate / (1 - beta1^step) */
    float root2;        /* sqrt(1 - beta2^step) */
    float eps;
} akin_adam_factors;

typedef struct {
    void (*step)(float *weights, const float *gradient, float *mean, float *variance, size_t count,
                 const akin_adam_factors *factors);
} akin_adam_kernels;

/* The kernels for the level in use (cpu.h). */
const akin_adam_kernels *akin_adam(void);

#endif
