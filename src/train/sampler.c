/* sampler: which item a training run uses when. */
#include "sampler.h"
#include <akin/rng.h>

akin_sampler akin_sampler_make(uint64_t seed, size_t items, double holdout_fraction, size_t batch) {
    size_t holdout = (size_t)((double)items * holdout_fraction);
    if (holdout >= items) holdout = items - 1;
    return (akin_sampler){.seed = seed, .items = items, .holdout = holdout, .batch = batch};
}

size_t akin_sampler_train_items(const akin_sampler *sampler) {
    return sampler->items - sampler->holdout;
}

size_t akin_sampler_steps(const akin_sampler *sampler) {
    return (akin_sampler_train_items(sampler) + sampler->batch - 1) / sampler->batch;
}

size_t akin_sampler_batch_items(const akin_sampler *sampler, size_t step_of_epoch) {
    size_t rest = akin_sampler_train_items(sampler) - step_of_epoch * sampler->batch;
    return rest < sampler->batch ? rest : sampler->batch;
}

size_t akin_sampler_holdout(const akin_sampler *sampler, size_t place) {
    return akin_rng_permute(sampler->seed, AKIN_RNG_HOLDOUT, 0, sampler->items, place);
}

size_t akin_sampler_train(const akin_sampler *sampler, size_t epoch, size_t place) {
    size_t moved = akin_rng_permute(sampler->seed, AKIN_RNG_ORDER, (uint32_t)epoch,
                                    akin_sampler_train_items(sampler), place);
    return akin_sampler_holdout(sampler, sampler->holdout + moved);
}
