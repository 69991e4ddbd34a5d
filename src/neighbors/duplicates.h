/* duplicates: treats items that look the same as one. Rows are considered in ascending order (in
 * embeddings.nc the order of ids, bytewise). A row is a duplicate of the first kept row before
 * it with which it scores `least` or more; otherwise it is kept. So every item is kept or the
 * duplicate of one that is kept, no two kept items are that close, and there are no chains.
 * Pairs that the rules separate (another category, the same group, a score below the minimum)
 * are not duplicates; with `only_available` an unavailable item is left out: it is nobody's
 * neighbour anyway, and an available copy of it is what its list should recommend. So too with rules for
 * each item: those that they let be nobody's neighbour are left out, and the rules must be such that each
 * of a pair may stand in the other's list (`both` of row_rules.h). Lists only
 * contain kept items, and never the one that the item is a duplicate of. A list that was full
 * and is left with fewer than needed is searched again among the kept items: so the first
 * entries are what they would be without the duplicates. Most of this is known from the exact
 * lists. A row whose list is full of rows this close may have more: such rows are compared with
 * each other, only those that are kept. Memory: 5 bytes per item, and the kept ones among such
 * rows. */
#ifndef AKIN_DUPLICATES_H
#define AKIN_DUPLICATES_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

/* lists: exact lists under these rules, [count of vectors, pool] keys of topk.h, best first, 0
 * after the last. *duplicate_of: [items of vectors], on every rank, owned: the row that is kept,
 * -1 = this one is. Collective; agreed; same rules, least, pool. */
AKIN_MUST_CHECK akin_status akin_duplicates_find(akin_comm *comm, const akin_vectors *vectors,
                                                 const akin_row_block_rules *rules, float least,
                                                 size_t pool, const uint64_t *lists,
                                                 int32_t **duplicate_of);

typedef struct {
    uint64_t *keys;    /* [count of vectors, pool], as above */
    size_t pool, need; /* need <= pool: a full list that is left with fewer is searched again */
} akin_duplicates_lists;

/* Removes duplicates from the lists. *sought: how many were searched again, on all ranks.
 * Collective; agreed; same arguments except the keys. */
AKIN_MUST_CHECK akin_status akin_duplicates_collapse(akin_comm *comm, const akin_vectors *vectors,
                                                     const akin_row_block_rules *rules,
                                                     const int32_t *duplicate_of,
                                                     const akin_duplicates_lists *lists,
                                                     size_t *sought);

#endif
