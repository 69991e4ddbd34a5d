/* adam: the optimiser's step. Compiled once per level of x86-64 (cpu.h). */
#include "adam.h"
#include <akin/cpu.h>
#include <float.h>
#include <math.h>

/* Plain arithmetic on one element, which the compiler vectorises, in PyTorch's order of
 * operations. The mean of a weight whose gradient has become zero decays until it is denormal,
 * and would stay so forever; on some CPUs that is a hundred times slower than zero. */
static void step(float *restrict weights, const float *restrict gradient, float *restrict mean,
                 float *restrict variance, size_t count, const akin_adam_factors *factors) {
    const akin_adam_factors f = *factors;
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i];
        float m = f.keep1 * mean[i] + f.take1 * g;
        m = fabsf(m) < FLT_MIN ? 0 : m;
        float v = f.keep2 * variance[i] + f.take2 * g * g;
        mean[i] = m;
        variance[i] = v;
        weights[i] -= f.rate * (m / (sqrtf(v) / f.root2 + f.eps));
    }
}

const akin_adam_kernels AKIN_LEVELED(akin_adam_kernels) = {step};

#if AKIN_LEVEL == 1
extern const akin_adam_kernels akin_adam_kernels_v3, akin_adam_kernels_v4;

const akin_adam_kernels *akin_adam(void) {
    static const akin_adam_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_adam_kernels_v1, &akin_adam_kernels_v3, &akin_adam_kernels_v4, &akin_adam_kernels_v4,
        &akin_adam_kernels_v4};
    return levels[akin_cpu_active()];
}

void akin_adam_step(const akin_adam_params *params, uint64_t number, size_t count, float *weights,
                    const float *gradient, float *mean, float *variance) {
    double beta1 = params->beta1, beta2 = params->beta2;
    akin_adam_factors factors = {
        .keep1 = (float)beta1,
        .take1 = (float)(1 - beta1),
        .keep2 = (float)beta2,
        .take2 = (float)(1 - beta2),
        .rate = (float)(params->rate / (1 - pow(beta1, (double)number))),
        .root2 = (float)sqrt(1 - pow(beta2, (double)number)),
        .eps = (float)params->eps,
    };
    akin_adam()->step(weights, gradient, mean, variance, count, &factors);
}
#endif
