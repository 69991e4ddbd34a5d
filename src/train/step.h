/* step: one optimiser step of training over all ranks, the same to the bit at any number of them.
 *
 * The batch is cut into micro-batches of AKIN_NETWORK_MICRO_BATCH images that follow each other in
 * the epoch's order; micro-batch m is computed by rank m % size, its gradient turned into fixed
 * point and added up there; sums of whole numbers over the ranks, exact in any order, give every
 * rank the gradient of the batch, and Adam does the same on all. The sums are cut where parts of
 * the network are: as soon as a rank has its share of the decoder's, that travels, while the
 * encoder's is computed.
 *
 * A contrastive step begins with the latents of two views of all its pictures (contrast_pairs.h);
 * of each micro-batch it then adds up two gradients, of one view each.
 */
#ifndef AKIN_STEP_H
#define AKIN_STEP_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/model.h>
#include <akin/network.h>
#include <akin/objective.h>
#include <akin/sampler.h>
#include <akin/worker.h>
#include <stdbool.h>

typedef struct akin_step akin_step;

/* What a step works on: borrowed, and outlives it. The worker reads the catalogue. */
typedef struct {
    akin_comm *comm;
    akin_worker *worker;
    const akin_catalog *catalog;
    const akin_sampler *sampler;
    akin_objective objective;
    akin_network *network;
    akin_model *model; /* its step is the first to be taken */
    size_t steps;      /* of the run */
} akin_step_parts;

/* Scratch: a gradient, its sums, and the pictures of some micro-batches, about 10 MB. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_step_create(const akin_step_parts *parts, akin_step **out);
void akin_step_free(akin_step *step); /* NULL is fine */

typedef struct {
    double squared_error; /* sum over the images of the batch, before the update */
    double contrast;      /* sum of the contrastive losses over both views of the images; 0 of other
                             objectives */
    size_t images;        /* of the batch, over all ranks */
    bool signalled;       /* some rank has had a signal */
    bool wish;            /* some rank had a wish */
    double waiting;       /* seconds that this rank waited for the others' share */
    double reading;       /* seconds that it waited for pictures */
} akin_step_outcome;

/* Step number akin_model_step (from 0) of the run: computes, updates the model, counts it. A `wish`
 * of any rank travels with the sum. AKIN_FAILED, with step and tensor, where a gradient or a weight
 * is not finite or a gradient is too large; the model is then as before or rubbish. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_step_take(akin_step *step, double learning_rate, bool wish,
                                           akin_step_outcome *outcome);

/* Sum of squared errors over the holdout images, as they are, with the model as it is. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_step_holdout(akin_step *step, double *squared_error);

/* The mean contrastive loss over two views of each of the first AKIN_STEP_HOLDOUT_PAIRS holdout
 * images at most. There is one at least. Collective; agreed. */
#define AKIN_STEP_HOLDOUT_PAIRS 1024
AKIN_MUST_CHECK akin_status akin_step_holdout_contrast(akin_step *step, double *contrast);

#endif
