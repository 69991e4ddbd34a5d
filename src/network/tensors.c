/* tensors: the network's weights as a table, and their first values. */
#include "tensors.h"
#include <akin/rng.h>
#include <math.h>
#include <string.h>

_Static_assert(WEIGHTS == AKIN_NETWORK_WEIGHTS, "the tensors fill the vector");
_Static_assert(AT_head1_weight == AKIN_NETWORK_HEAD, "the head follows all others");

const akin_network_tensor *akin_network_tensors(size_t *count) {
#define ROW(name, dims, count, fan_in, fan_out) {#name, dims, AT_##name, count, fan_in, fan_out},
    static const akin_network_tensor tensors[] = {TENSORS(ROW)};
    *count = sizeof tensors / sizeof *tensors;
    return tensors;
}

/* Tensors [first, end) of the table. */
static void initialise(uint64_t seed, size_t first, size_t end, float *weights) {
    size_t count;
    const akin_network_tensor *tensors = akin_network_tensors(&count);
    for (size_t t = first; t < end; t++) {
        size_t fans = tensors[t].fan_in + tensors[t].fan_out;
        double limit = fans ? sqrt(6.0 / (double)fans) : 0;
        for (size_t i = 0; i < tensors[t].count; i++) {
            double uniform = fans ? akin_rng_uniform(seed, AKIN_RNG_WEIGHTS, (uint32_t)t, i) : 0.5;
            weights[tensors[t].offset + i] = (float)((2 * uniform - 1) * limit);
        }
    }
}

void akin_network_initialise(uint64_t seed, float *weights) {
    size_t count;
    akin_network_tensors(&count);
    initialise(seed, 0, count - AKIN_NETWORK_HEAD_TENSORS, weights);
    memset(weights + CORE, 0, (WEIGHTS - CORE) * sizeof *weights);
}

void akin_network_initialise_head(uint64_t seed, float *weights) {
    size_t count;
    akin_network_tensors(&count);
    initialise(seed, count - AKIN_NETWORK_HEAD_TENSORS, count, weights);
}
