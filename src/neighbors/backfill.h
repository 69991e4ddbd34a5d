/* backfill: an item with too few neighbours gets the most central items of its category behind
 * them.
 *
 * Central is what has the largest product with the sum of the category's rows (the mean's
 * direction); ties go to the lower row. The sum is one of whole numbers (fixed.h), so it is the
 * same for any number of ranks. Who can be somebody's neighbour - usable, kept (duplicates.h),
 * available if the rules ask for that - is added up and may be taken; never the item itself, what
 * it is a duplicate of, who stands in its list already, nor its own group where the rules exclude
 * it. The 4 k + 16 most central of a category are looked at, half of them at most of one group
 * where groups are excluded; more are never needed. The least score is no bar: it is what made the
 * list short. An item without category is not filled; one without a vector is.
 *
 * Memory: 8 bytes for each of those, and some 64 MiB.
 */
#ifndef AKIN_BACKFILL_H
#define AKIN_BACKFILL_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

/* neighbor, score [count of vectors, k] and counts [count], of this rank's rows: filled up and
 * counted; filled [count]: how many of the last are fill; their scores are cosines (0 of an item
 * without a vector). duplicate_of: [items], NULL = none. Collective; agreed; same rules,
 * duplicate_of, k. */
AKIN_MUST_CHECK akin_status akin_backfill(akin_comm *comm, const akin_vectors *vectors,
                                          const akin_row_block_rules *rules,
                                          const int32_t *duplicate_of, size_t k, int32_t *neighbor,
                                          float *score, int32_t *counts, int32_t *filled);

#endif
