/* contrast_pairs: the two views of each picture of a step, and their contrastive loss, over all
 * ranks.
 *
 * A batch is cut into groups of consecutive whole micro-batches, of at most AKIN_CONTRAST_GROUP
 * pictures and of equal sizes, whatever the ranks; a picture's negatives are the others of its
 * group. First every rank encodes both views of its own micro-batches; then all ranks get the
 * latents of all (32 floats per view, never pictures); then each rank computes the groups that it
 * has a part in, all from the same numbers, and gets the gradient by the latents of its own views,
 * from which the network's gradient is computed in a second pass (as in Gao et al., "Scaling deep
 * contrastive learning batch size under memory limited setup", 2021). */
#ifndef AKIN_CONTRAST_PAIRS_H
#define AKIN_CONTRAST_PAIRS_H

#include <akin/augment.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/network.h>
#include <akin/train.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_contrast_pairs akin_contrast_pairs;

/* For steps of at most `images`, over all ranks. comm and network are borrowed and must outlive
 * it. Not collective. */
AKIN_MUST_CHECK akin_status akin_contrast_pairs_create(akin_comm *comm, akin_network *network,
                                                       const akin_objective *objective,
                                                       size_t images, akin_contrast_pairs **out);
void akin_contrast_pairs_free(akin_contrast_pairs *pairs); /* NULL is fine */

/* Starts a step of this many images, over all ranks. Not collective. */
void akin_contrast_pairs_begin(akin_contrast_pairs *pairs, size_t images);
/* Adds micro-batch m, one of this rank's: count images u8 [count, 32, 32, 3], keys [count]
 * (their view is ignored). Not collective. */
void akin_contrast_pairs_add(akin_contrast_pairs *pairs, const float *weights, size_t m,
                             size_t count, const uint8_t *images, const akin_augment_key *keys);
/* Exchanges the latents of all. Returns the seconds waited. Collective. */
double akin_contrast_pairs_meet(akin_contrast_pairs *pairs);

/* Groups of the step; whether this rank has a part in one, and whether it reports its loss. Not
 * collective. */
size_t akin_contrast_pairs_groups(const akin_contrast_pairs *pairs);
bool akin_contrast_pairs_concerns(const akin_contrast_pairs *pairs, size_t group);
bool akin_contrast_pairs_answers(const akin_contrast_pairs *pairs, size_t group);
/* The sum of the losses of the group's views; with gradient (not NULL) [AKIN_NETWORK_WEIGHTS],
 * also keeps the gradient of sum * scale by the latents, and writes that by the head's weights.
 * Not collective. */
double akin_contrast_pairs_loss(akin_contrast_pairs *pairs, const float *weights, size_t group,
                                float scale, float *gradient);

/* After the losses: the task whose gradient the network computes for view 0 or 1 of an added
 * micro-batch; the first view is also reconstructed. Arrays are borrowed until the next begin.
 * Not collective. */
akin_network_task akin_contrast_pairs_task(const akin_contrast_pairs *pairs, size_t m, int view,
                                           float scale);

#endif
