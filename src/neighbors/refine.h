/* refine: turns exact lists into the lists that a shop wants: without duplicates, diverse, filled,
 * calibrated.
 *
 * The exact lists are longer than k (the pool) if entries can be removed. The result is a function
 * of them and the vectors alone, computed in this order: duplicates are collapsed and k entries are
 * chosen; then, after pins have been added and boosted scores have been replaced by cosines
 * (elsewhere), lists are filled and scores are calibrated. Reuse of a previous table and
 * checkpoints therefore concern only the exact lists. */
#ifndef AKIN_REFINE_H
#define AKIN_REFINE_H

#include "item_rules.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/neighbors.h>
#include <akin/row_block.h>
#include <akin/table.h>
#include <akin/vectors.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the lists or scores differ from the first k of the exact ones. Not collective. */
bool akin_refine_asked(const akin_refine_params *params);
/* The required length of exact lists: at least k. Not collective. */
size_t akin_refine_pool(const akin_refine_params *params, size_t k);

/* The score from which two items count as the same: the smallest float32 that is not below the
 * option. Not collective. */
float akin_refine_least(const akin_refine_params *params);

/* The lists of this rank's rows, in the form of a table; owned. */
typedef struct {
    int32_t *neighbor;      /* [count, k], -1 = none */
    float *score;           /* [count, k], 0 if none; calibrated scores if requested */
    int32_t *counts;        /* [count] */
    int32_t *filled;        /* [count]: entries filled in, which come last; NULL: not requested */
    int32_t *duplicate_of;  /* [count]: row kept instead, -1 = this one is; NULL: not requested */
    int32_t *duplicates_of; /* [items]: the same for the rows of all ranks */
    int32_t *pinned;        /* [count]: number of pins, which come first; NULL: no pins */
    akin_calibration *calibration; /* NULL: scores are cosines */
    size_t duplicates, sought,
        fills; /* on all ranks: duplicate items; lists searched again; entries filled in */
} akin_refined;

/* Exact lists of this rank's rows; borrowed. */
typedef struct {
    const uint64_t *keys; /* [count of vectors, stride], of topk.h */
    size_t stride;
    const int32_t *duplicate_of; /* [items], of duplicates.h; NULL: find them from the lists */
} akin_refine_lists;

/* Collapses duplicates and chooses k entries. Uses the first `pool` entries of the lists, or all if
 * there are fewer. If nothing is requested, the lists are unchanged. Collective; agreed; same
 * params, k, stride. */
AKIN_MUST_CHECK akin_status akin_refine(akin_comm *comm, const akin_vectors *vectors,
                                        const akin_row_block_rules *rules,
                                        const akin_refine_params *params, size_t k,
                                        akin_refine_lists lists, akin_refined *out);
/* Fills the lists, and calibrates the scores, which are cosines. item_rules: the owner of the
 * rules' `more`, or NULL. Collective; agreed; same params, k. */
AKIN_MUST_CHECK akin_status akin_refine_finish(akin_comm *comm, const akin_vectors *vectors,
                                               const akin_row_block_rules *rules,
                                               const akin_item_rules *item_rules,
                                               const akin_refine_params *params, size_t k,
                                               akin_refined *out);
void akin_refined_free(akin_refined *refined); /* Not collective; all zero is fine */

#endif
