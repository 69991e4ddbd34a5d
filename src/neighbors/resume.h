/* resume: what an all-pairs run knows when it starts, from last night's table (delta.h) and from
 * an interrupted run (ring_checkpoint.h), combined: the rules' layers, the lists, and where the
 * ring continues. */
#ifndef AKIN_RESUME_H
#define AKIN_RESUME_H

#include "delta.h"
#include "ring_checkpoint.h"
#include <akin/allpairs.h>
#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

typedef struct akin_resume akin_resume;

/* vectors, and delta, which may be NULL: borrowed for the lifetime of the object. rules: without
 * layers. list: length of the engine's lists. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_resume_create(akin_comm *comm, const akin_vectors *vectors,
                                               const akin_row_block_rules *rules, size_t list,
                                               const akin_delta *delta, akin_resume **out);
void akin_resume_free(akin_resume *known); /* NULL is fine */

/* Resumes from the file if it exists and matches. One that does not is AKIN_INPUT if it was
 * `named`; otherwise it is reported and ignored. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_resume_resume(akin_resume *known, const char *path, bool named,
                                               const akin_ring_checkpoint_origin *origin);

/* The engine's part: sets rules->layers, and prior and progress of `params`; both borrow from
 * the object. Not collective. */
void akin_resume_apply(const akin_resume *known, akin_row_block_rules *rules,
                       akin_allpairs_params *params);

/* Saves the position of the ring. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_resume_save(const akin_resume *known, const char *path,
                                             const akin_ring_checkpoint_origin *origin,
                                             const akin_allpairs_state *state);

#endif
