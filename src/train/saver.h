/* saver: checkpoints of a training run, written by rank 0 beside the computation.
 *
 * To save is to copy the state, some milliseconds; the worker writes the copy, syncs it and puts it
 * in the place of the one before, which a crash meanwhile leaves as it was. All ranks hear of a
 * failure when the next one is begun, or when it is waited for.
 */
#ifndef AKIN_SAVER_H
#define AKIN_SAVER_H

#include "checkpoint.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/model.h>
#include <akin/worker.h>

typedef struct akin_saver akin_saver;

/* path, origin and worker are borrowed and outlive it; history: of the size of those to come. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_saver_create(akin_comm *comm, akin_worker *worker,
                                              const char *path,
                                              const akin_checkpoint_origin *origin,
                                              const akin_history *history, akin_saver **out);
void akin_saver_free(
    akin_saver *saver); /* waits for what is under way. Not collective; NULL is fine */

/* Waits for the checkpoint before, then begins this one. Collective; agreed; the same model on all
 * ranks. */
AKIN_MUST_CHECK akin_status akin_saver_start(akin_saver *saver, akin_model *model,
                                             const akin_history *history);
/* Until the last one lies on the disk. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_saver_wait(akin_saver *saver);

#endif
