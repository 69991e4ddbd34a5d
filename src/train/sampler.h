/* sampler: which item a training run sees when. Arithmetic on (n, seed, epoch) alone, the same on
 * every rank. Not collective. Cannot fail.
 *
 * One permutation of the n items by the seed: its first `holdout` places are never trained on, the
 * others are the training items. In each epoch these come in an order that is a function of seed
 * and epoch.
 */
#ifndef AKIN_SAMPLER_H
#define AKIN_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t seed;
    size_t items;   /* n >= 1 */
    size_t holdout; /* never trained on; < n */
    size_t batch;   /* images in a step; the last of an epoch may be short */
} akin_sampler;

/* holdout = floor(n * fraction), but at least one item trains. */
akin_sampler akin_sampler_make(uint64_t seed, size_t items, double holdout_fraction, size_t batch);

size_t akin_sampler_train_items(const akin_sampler *sampler);
size_t akin_sampler_steps(const akin_sampler *sampler); /* in an epoch */
size_t akin_sampler_batch_items(const akin_sampler *sampler, size_t step_of_epoch);

/* Item at place 0..train_items-1 of an epoch (from 0); place 0..holdout-1 of the holdout. */
size_t akin_sampler_train(const akin_sampler *sampler, size_t epoch, size_t place);
size_t akin_sampler_holdout(const akin_sampler *sampler, size_t place);

#endif
