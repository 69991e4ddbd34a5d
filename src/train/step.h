/* step: one optimiser step of training over all ranks, bit-identical at any number of them. The
 * batch is cut into consecutive micro-batches of AKIN_NETWORK_MICRO_BATCH images in the epoch's
 * order; micro-batch m is computed by rank m % size, which converts its gradient to fixed point
 * and adds it up; integer sums over the ranks, exact in any order, give every rank the gradient
 * of the batch, and Adam does the same on all. The sums are split at the parts of the network:
 * as soon as a rank has its share of the decoder's, that is sent while the encoder's is
 * computed. A contrastive step begins with the latents of two views of all its pictures
 * (contrast_pairs.h); for each micro-batch it then adds up two gradients, one per view. */
#ifndef AKIN_STEP_H
#define AKIN_STEP_H

#include "sampler.h"
#include "worker.h"
#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/model.h>
#include <akin/network.h>
#include <akin/train.h>
#include <stdbool.h>

typedef struct akin_step akin_step;

/* What a step works on: borrowed, must outlive it. The worker reads the catalogue. */
typedef struct {
    akin_comm *comm;
    akin_worker *worker;
    const akin_catalog *catalog;
    const akin_sampler *sampler;
    akin_objective objective;
    akin_network *network;
    akin_model *model; /* its step counter gives the first step to take */
    size_t steps;      /* of the run */
} akin_step_parts;

/* Scratch: a gradient, its sums, and the pictures of some micro-batches, about 10 MB. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_step_create(const akin_step_parts *parts, akin_step **out);
void akin_step_free(akin_step *step); /* NULL is fine */

typedef struct {
    double squared_error; /* sum over the images of the batch, before the update */
    double contrast;      /* sum of the contrastive losses over both views of the images; 0 for
                           * other objectives */
    size_t images;        /* of the batch, over all ranks */
    bool signalled;       /* some rank received a signal */
    bool wish;            /* some rank set `wish` */
    double waiting;       /* seconds that this rank waited for the others' share */
    double reading;       /* seconds that it waited for pictures */
} akin_step_outcome;

/* Step number akin_model_step (from 0) of the run: computes, updates the model, increments the
 * counter. A `wish` of any rank is passed to all along with the sum. AKIN_FAILED, with step and
 * tensor, if a gradient or a weight is not finite or a gradient is too large; the model is then
 * unchanged or undefined. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_step_take(akin_step *step, double learning_rate, bool wish,
                                           akin_step_outcome *outcome);

/* Sum of squared errors over the holdout images, unmodified, with the current model. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_step_holdout(akin_step *step, double *squared_error);

/* The mean contrastive loss over two views of each of the first AKIN_STEP_HOLDOUT_PAIRS holdout
 * images at most; there must be at least one. Collective; agreed. */
#define AKIN_STEP_HOLDOUT_PAIRS 1024
AKIN_MUST_CHECK akin_status akin_step_holdout_contrast(akin_step *step, double *contrast);

#endif
