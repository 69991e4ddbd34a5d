/* refine: turns exact lists into the lists that a shop wants: without duplicates, diverse,
 * filled, calibrated. The exact lists are longer than k (the pool) if something may be left out,
 * and what follows is a function of them and the vectors alone, in this order: duplicates are
 * collapsed, k are chosen; then, after pins and the cosines of boosted lists, which are not of this
 * module, lists are filled, and scores are calibrated. So delta nights and checkpoints concern only the
 * exact lists. */
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

/* Whether lists are other than the first k of the exact ones, or their scores are. Not
 * collective. */
bool akin_refine_asked(const akin_refine_params *params);
/* The required length of exact lists: at least k. Not collective. */
size_t akin_refine_pool(const akin_refine_params *params, size_t k);

/* From which score on two count as one: the smallest float32 that is not below what was asked. Not
 * collective. */
float akin_refine_least(const akin_refine_params *params);

/* The lists of this rank's rows as a table has them; owned. */
typedef struct {
    int32_t *neighbor; /* [count, k], -1 = none */
    float *score;      /* [count, k], 0 if none; shares if calibrated */
    int32_t *counts;   /* [count] */
    int32_t *filled;   /* [count]: how many of the last were filled in; NULL: not requested */
    int32_t
        *duplicate_of; /* [count]: the row that is kept, -1 = this one is; NULL: not requested */
    int32_t *duplicates_of;        /* [items]: so too of all ranks' rows */
    int32_t *pinned;               /* [count]: how many of the first are pinned; NULL: no pins */
    akin_calibration *calibration; /* NULL: scores are cosines */
    size_t duplicates, sought,
        fills; /* of all ranks: items that are duplicates; lists searched again; entries filled
                * in */
} akin_refined;

/* Exact lists of this rank's rows; borrowed. */
typedef struct {
    const uint64_t *keys; /* [count of vectors, stride], of topk.h */
    size_t stride;
    const int32_t *duplicate_of; /* [items], of duplicates.h; NULL: to be found from the lists */
} akin_refine_lists;

/* Duplicates are collapsed and k are chosen. Of the lists the first pool (or all, if there are fewer) are
 * used. If nothing is requested, the lists as they are. Collective; agreed; same params, k, stride. */
AKIN_MUST_CHECK akin_status akin_refine(akin_comm *comm, const akin_vectors *vectors,
                                        const akin_row_block_rules *rules,
                                        const akin_refine_params *params, size_t k,
                                        akin_refine_lists lists, akin_refined *out);
/* Lists are filled and scores, which are cosines, calibrated. item_rules: those that the rules have as
 * `more`, or NULL. Collective; agreed; same params, k. */
AKIN_MUST_CHECK akin_status akin_refine_finish(akin_comm *comm, const akin_vectors *vectors,
                                               const akin_row_block_rules *rules,
                                               const akin_item_rules *item_rules,
                                               const akin_refine_params *params, size_t k,
                                               akin_refined *out);
void akin_refined_free(akin_refined *refined); /* Not collective; all zero is fine */

#endif
