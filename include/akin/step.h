/* step: one optimiser step of training over all ranks, the same to the bit at any number of them.
 *
 * Floor 3 (stages); looks down to error, mem, comm, fixed, adam, network, sampler, catalog, model.
 *
 * The batch is cut into micro-batches of AKIN_NETWORK_MICRO_BATCH images that follow each other in the epoch's order;
 * micro-batch m is computed by rank m % size, its gradient turned into fixed point and added up there; one sum of whole
 * numbers over the ranks, exact in any order, gives every rank the gradient of the batch, and Adam does the same on
 * all.
 */
#ifndef AKIN_STEP_H
#define AKIN_STEP_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/model.h>
#include <akin/network.h>
#include <akin/sampler.h>
#include <stdbool.h>

typedef struct akin_step akin_step;

/* Scratch: a gradient and its sums, about 8 MB. All are borrowed and outlive the step. Not collective. */
AKIN_MUST_CHECK akin_status akin_step_create(akin_comm *comm, const akin_catalog *catalog, const akin_sampler *sampler,
                                             akin_network *network, akin_model *model, akin_step **out);
void akin_step_free(akin_step *step); /* NULL is fine */

typedef struct {
    double squared_error; /* sum over the images of the batch, before the update */
    size_t images;        /* of the batch, over all ranks */
    bool signalled;       /* some rank has had a signal */
    bool wish;            /* some rank had a wish */
} akin_step_outcome;

/* Step number akin_model_step (from 0) of the run: computes, updates the model, counts it. A `wish` of any rank travels
 * with the sum. AKIN_FAILED, with step and tensor, where a gradient or a weight is not finite or a gradient is too
 * large; the model is then as before or rubbish. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_step_take(akin_step *step, double learning_rate, bool wish,
                                           akin_step_outcome *outcome);

/* Sum of squared errors over the holdout images with the model as it is. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_step_holdout(akin_step *step, double *squared_error);

#endif
