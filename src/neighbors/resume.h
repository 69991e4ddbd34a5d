/* resume: the state in which an all-pairs run starts. It combines what can be reused of the
 * previous night's table (delta.h) with an interrupted run (ring_checkpoint.h): the rules' layers,
 * the lists, and where the ring continues. */
#ifndef AKIN_RESUME_H
#define AKIN_RESUME_H

#include "delta.h"
#include "ring_checkpoint.h"
#include <akin/allpairs.h>
#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

typedef struct akin_resume akin_resume;

/* For each table: its rules without layers, its delta or NULL, and the length of the engine's
 * lists. */
typedef struct {
    const akin_row_block_rules *rules;
    const akin_delta *delta;
    size_t list;
} akin_resume_table;

/* vectors, and what the tables point to, are borrowed for the lifetime of the object. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_resume_create(akin_comm *comm, const akin_vectors *vectors,
                                               const akin_resume_table *table, int tables,
                                               akin_resume **out);
void akin_resume_free(akin_resume *known); /* NULL is fine */

/* Resumes from the file if it exists and matches. If it does not match, the result is AKIN_INPUT if
 * the file was `named` by the user; otherwise this is reported and the file is ignored. Collective;
 * agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_resume_resume(akin_resume *known, const char *path, bool named,
                                               const akin_ring_checkpoint_origin *origin);

/* For the engine: sets the layers of a table's rules, and returns its prior (NULL: nothing is
 * known) and where the ring continues; all of these borrow from the object. Not collective. */
const akin_partition_prior *akin_resume_apply(const akin_resume *known, int table,
                                              akin_row_block_rules *rules);
akin_ring_progress akin_resume_progress(const akin_resume *known);

/* Saves the position of the ring and says so; stage: what the line begins with. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_resume_save(const akin_resume *known, const char *stage,
                                             const char *path,
                                             const akin_ring_checkpoint_origin *origin,
                                             const akin_allpairs_state *state);

#endif
