/* undo: the embeddings and tables that an addition replaces (addition.h), kept beside them as NAME.before
 * until a gate has passed it, or the next run has made them anew. If a gate refuses all that it would publish, they are
 * put back, so that it does not stand in the way of later ones. */
#ifndef AKIN_UNDO_H
#define AKIN_UNDO_H

#include "run_stage.h"
#include <stdbool.h>

/* Before the stages: keeps what an addition will replace, unless an earlier one that has not ended
 * did; a run of the whole job removes what is kept. A failure only means that nothing can be put back. Collective. */
void akin_undo_begin(const akin_run_state *run);

/* The addition has been published. Collective. */
void akin_undo_forget(const akin_run_state *run);

/* The addition was refused: puts back the files, and what metrics.json says of them. *undone: whether all are as they
 * were; not if a table was published or nothing is kept. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_undo_addition(const akin_run_state *run, bool *undone);

#endif
