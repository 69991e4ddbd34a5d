/* target_duplicates: which targets of another catalogue look the same, so that only the first of them is
 * recommended (neighbors --against --collapse-duplicates).
 *
 * They are those that a table of that catalogue alone would have (duplicates.h): only targets are
 * compared with each other, for a source that looks like one of them is an item of its own, whose list
 * may well begin with it. */
#ifndef AKIN_TARGET_DUPLICATES_H
#define AKIN_TARGET_DUPLICATES_H

#include "first_pass.h"
#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

/* targets: the vectors of that catalogue alone; sources: rows that stand before them in those of both.
 * pool: as in duplicates.h. *duplicate_of: [sources and targets], as there, of rows of both, on every
 * rank, owned. A comparison of all pairs, with a checkpoint as in first_pass.h; adds to the figures.
 * Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_target_duplicates_find(
    akin_comm *comm, const akin_vectors *targets, size_t sources, const akin_row_block_rules *rules,
    float least, size_t pool, const akin_first_pass_checkpoint *checkpoint, int32_t **duplicate_of,
    akin_allpairs_figures *figures);

#endif
