/* backfill: appends the most central items of a category to the lists of its items that have too
 * few neighbours. The most central items have the largest product with the sum of the category's
 * rows (the direction of their mean); ties go to the lower row. The sum is one of integers
 * (fixed.h), so it is the same for any number of ranks. Only items that can be recommended -
 * usable, kept (duplicates.h), available if the rules ask for that - are summed and appended;
 * never the item itself, what it is a duplicate of, what is already in its list, nor its own
 * group if the rules exclude it. The 4 k + 16 most central items of a category are considered,
 * at most half of them from one group if groups are excluded; more are never needed. With rules for each
 * item all of a category are considered, and those taken obey every rule, limits and blocks among
 * them. The minimum score alone does not apply: it is what made the list short. An item without category is not filled;
 * one without a vector is. Of vectors that were opened against others the lists of sources are filled,
 * with targets. Memory: 8 bytes for each candidate, with such rules 64, and some 64 MiB. */
#ifndef AKIN_BACKFILL_H
#define AKIN_BACKFILL_H

#include "item_rules.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

/* The lists of this rank's rows, which are lengthened and counted. */
typedef struct {
    size_t k;
    int32_t *neighbor; /* [count of vectors, k] */
    float *score;      /* [count, k]; of those filled in a cosine, 0 for an item without a vector */
    int32_t *counts, *filled;          /* [count]; filled: how many at the end were filled in */
    const akin_item_rules *item_rules; /* which the rules have as `more`; NULL: none */
} akin_backfill_lists;

/* duplicate_of: [items], NULL = none. Collective; agreed; same rules, duplicate_of, k. */
AKIN_MUST_CHECK akin_status akin_backfill(akin_comm *comm, const akin_vectors *vectors,
                                          const akin_row_block_rules *rules,
                                          const int32_t *duplicate_of,
                                          const akin_backfill_lists *lists);

#endif
