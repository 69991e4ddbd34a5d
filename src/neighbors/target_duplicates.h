/* target_duplicates: finds targets that look the same, so that only the first of them is
 * recommended. This takes a separate comparison; it is for tables whose lists lack the information
 * (neighbors --collapse-duplicates with --against, or with rules for single items).
 *
 * With two catalogues, the duplicates are those that a table of the other catalogue alone would
 * have (duplicates.h): only targets are compared with each other. A source that looks like a target
 * is an item of its own, and its list may well start with that target. Under rules for single
 * items, two items can be duplicates only if each may be in the other's list. */
#ifndef AKIN_TARGET_DUPLICATES_H
#define AKIN_TARGET_DUPLICATES_H

#include "first_pass.h"
#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

/* targets: vectors of the targets alone, and their rules; sources: the number of rows before them
 * in the vectors of both. pool: as in duplicates.h. *duplicate_of: [sources and targets], as there,
 * for rows of both, on every rank, owned. An all-pairs comparison, with a checkpoint as in
 * first_pass.h; adds to the figures. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_target_duplicates_find(
    akin_comm *comm, const akin_vectors *targets, size_t sources, const akin_row_block_rules *rules,
    float least, size_t pool, const akin_first_pass_checkpoint *checkpoint, int32_t **duplicate_of,
    akin_allpairs_figures *figures);

#endif
