/* checkpoint: the state of a training run, from which it resumes after any interruption with the
 * same bits; and the saver, which writes it in the background.
 *
 *   float  state(vector, weight)        weights, Adam's first and second moment; with --patience,
 *                                       a fourth: the weights of the best epoch
 *   int64  step                         optimiser steps done
 *   double loss(epoch), holdout_loss(epoch),
 *          contrast_loss(epoch),
 *          holdout_contrast_loss(epoch) NaN if the epoch is not complete
 *   double loss_first                   of the very first step
 *   double squared_error, contrast      sums over the steps of the current epoch
 *   attributes: akin_result_options, input_catalog_digest, input_init_digest: all that affects
 *   the result */
#ifndef AKIN_CHECKPOINT_H
#define AKIN_CHECKPOINT_H

#include "worker.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/model.h>
#include <stdbool.h>
#include <stddef.h>

/* The figures of a run so far; the arrays belong to the caller. */
typedef struct {
    size_t epochs;        /* of the whole run, length of the arrays */
    double *loss;         /* [epochs] mean squared error over the steps of each epoch */
    double *holdout_loss; /* [epochs] after each epoch, NaN without a holdout */
    double *contrast_loss,
        *holdout_contrast_loss; /* [epochs] likewise of the contrastive loss, NaN without one */
    double loss_first, squared_error, contrast;
    float *best; /* [AKIN_NETWORK_WEIGHTS] of the best epoch so far; NULL = not kept */
} akin_history;

/* Allocates the arrays of a history whose epochs are set and whose other members are zero; the
 * caller frees them, also on failure. Not collective. */
AKIN_MUST_CHECK akin_status akin_history_allocate(akin_history *history, bool best);
void akin_history_release(akin_history *history);
/* both allocated with the same size */
void akin_history_copy(const akin_history *from, akin_history *to);

/* What affects the result: a checkpoint is valid only for a run with the same. */
typedef struct {
    const char *options;
    const char *result_options;
    const char *catalog_digest;
    const char *init_digest; /* NULL = none */
} akin_checkpoint_origin;

/* Every rank has the same; atomic. Collective. */
AKIN_MUST_CHECK akin_status akin_checkpoint_write(akin_comm *comm, const char *path,
                                                  const akin_checkpoint_origin *origin,
                                                  akin_model *model, const akin_history *history);

/* Weights, moments and step into the model, figures into the history (its epochs and arrays are
 * set); steps: of the whole run. AKIN_INPUT, with what differs, where the file is damaged or another
 * run's, or holds a number that this run cannot have reached; then the contents of
 * model and history are undefined. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_checkpoint_read(akin_comm *comm, const char *path,
                                                 const akin_checkpoint_origin *origin,
                                                 akin_model *model, size_t steps,
                                                 akin_history *history);

/* The saver: saving only copies the state, which takes some milliseconds; the worker writes the
 * copy on rank 0, syncs it and renames it over the previous one, which survives a crash in
 * between. All ranks learn of a failure when the next save starts, or when it is waited for. */
typedef struct akin_saver akin_saver;

/* path, origin and worker are borrowed and must outlive it; history: with the size of those to
 * be saved. Not collective. */
AKIN_MUST_CHECK akin_status akin_saver_create(akin_comm *comm, akin_worker *worker,
                                              const char *path,
                                              const akin_checkpoint_origin *origin,
                                              const akin_history *history, akin_saver **out);
void akin_saver_free(
    akin_saver *saver); /* waits for a save in progress. Not collective; NULL is fine */

/* Waits for the previous checkpoint, then starts this one. Collective; agreed; the same model on
 * all ranks. */
AKIN_MUST_CHECK akin_status akin_saver_start(akin_saver *saver, akin_model *model,
                                             const akin_history *history);
/* Waits until the last one is on disk. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_saver_wait(akin_saver *saver);

#endif
