/* backfill: appends the most central items of a category to the lists of its items that have too
 * few neighbours.
 *
 * The most central items are those with the largest dot product with the sum of the category's rows
 * (central.h); ties go to the lower row. Only items that can be recommended (usable, not a
 * duplicate (duplicates.h), available if the rules require it) are summed and appended. An item's
 * list never gets the item itself, the item that it is a duplicate of, an item that it already
 * contains, or, if the rules exclude it, an item of its own group.
 *
 * The 4 k + 16 most central items of a category are considered, at most half of them from one group
 * if groups are excluded; more are never needed. With rules for single items, all items of the
 * category are considered, and those appended obey every rule, including limits and blocks. Only
 * the minimum score is ignored: it is what made the list short. An item without a category is not
 * filled; an item without a vector is. If the vectors were opened against others, the lists of
 * sources are filled with targets.
 *
 * Memory: 8 bytes per candidate (64 with rules for single items), and about 64 MiB. */
#ifndef AKIN_BACKFILL_H
#define AKIN_BACKFILL_H

#include "item_rules.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

/* The lists of this rank's rows; entries are appended and counts are updated. */
typedef struct {
    size_t k;
    int32_t *neighbor; /* [count of vectors, k] */
    float *score;      /* [count, k]; an added entry's cosine, 0 for an item without a vector */
    int32_t *counts, *filled;          /* [count]; filled: how many entries were added at the end */
    const akin_item_rules *item_rules; /* the owner of the rules' `more`; NULL: none */
} akin_backfill_lists;

/* duplicate_of: [items], NULL = none. Collective; agreed; same rules, duplicate_of, k. */
AKIN_MUST_CHECK akin_status akin_backfill(akin_comm *comm, const akin_vectors *vectors,
                                          const akin_row_block_rules *rules,
                                          const int32_t *duplicate_of,
                                          const akin_backfill_lists *lists);

#endif
