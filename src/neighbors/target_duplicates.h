/* target_duplicates: which targets look the same, so that only the first of them is recommended, by a
 * comparison of its own: for tables whose lists do not tell it (neighbors --collapse-duplicates with
 * --against, or with rules for each item).
 *
 * Of two catalogues they are those that a table of the other one alone would have (duplicates.h): only targets
 * are compared with each other, for a source that looks like one of them is an item of its own, whose list
 * may well begin with it. Under rules for each item two may be the same only where each could stand in the other's
 * list: what a rule holds apart is no duplicate. */
#ifndef AKIN_TARGET_DUPLICATES_H
#define AKIN_TARGET_DUPLICATES_H

#include "first_pass.h"
#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

/* targets: the vectors of those alone, and their rules; sources: rows that stand before them in those of both.
 * pool: as in duplicates.h. *duplicate_of: [sources and targets], as there, of rows of both, on every
 * rank, owned. A comparison of all pairs, with a checkpoint as in first_pass.h; adds to the figures.
 * Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_target_duplicates_find(
    akin_comm *comm, const akin_vectors *targets, size_t sources, const akin_row_block_rules *rules,
    float least, size_t pool, const akin_first_pass_checkpoint *checkpoint, int32_t **duplicate_of,
    akin_allpairs_figures *figures);

#endif
