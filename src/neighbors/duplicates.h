/* duplicates: treats items that look the same as one item.
 *
 * Rows are considered in ascending order (in embeddings.nc the order of ids, bytewise). A row is a
 * duplicate of the first kept row before it with which it has a score of at least `least`;
 * otherwise it is kept. So every item is kept or a duplicate of a kept one, no two kept items are
 * that close, and there are no chains.
 *
 * Pairs that the rules separate (different categories, the same group, a score below the minimum)
 * are not duplicates. With `only_available`, unavailable items are ignored: they cannot be
 * recommended anyway, and their own lists should contain an available copy. The same holds, with
 * rules for single items, for items that cannot be recommended; such rules must let each item of a
 * pair into the other's list (`both` of row_rules.h).
 *
 * Lists contain only kept items, and never the one that their own item is a duplicate of. A list
 * that was full and is left with fewer entries than needed is searched again among the kept items,
 * so its first entries are those that it would have without the duplicates.
 *
 * Most of this follows from the exact lists. A row whose list is full of such close rows may have
 * more of them: these rows are compared with each other, only those that are kept. Memory: 6 bytes
 * per item, 64 for each such row, and the kept ones among them; of products also the rows of all such
 * ones of this rank, twice while they are sent.
 *
 * The same holds for products (product_duplicates.h), which may have several rows: two are as close
 * as the closest of their rows that the rules do not separate. */
#ifndef AKIN_DUPLICATES_H
#define AKIN_DUPLICATES_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is searched for duplicates: rows, or products of rows. */
typedef struct {
    const akin_vectors *vectors;
    const akin_row_block_rules *rules;
    float least;
    size_t n, first, count; /* of all ranks; of this one, behind those of the ranks before it */
    const int32_t *begin; /* [n + 1]: number p has rows begin[p] to begin[p + 1] - 1; NULL: row p */
    size_t ahead;         /* how far behind a row it stands as a neighbour (product_means.h) */
    const uint64_t *lists; /* [count, pool]: exact under these rules, keys of topk.h, of numbers,
                             * best first, 0 after the last */
    size_t pool;
} akin_duplicates_source;

/* Whether an item of this rank's shard can be a duplicate. Not collective. */
bool akin_duplicates_takes(const akin_vectors *vectors, const akin_row_block_rules *rules,
                           size_t item);
/* *duplicate_of: [n], on every rank, owned: the one that is kept instead, -1 = this one is kept.
 * Collective; agreed; same rules, least, n, begin, pool. */
AKIN_MUST_CHECK akin_status akin_duplicates_find(akin_comm *comm,
                                                 const akin_duplicates_source *from,
                                                 int32_t **duplicate_of);

typedef struct {
    uint64_t *keys;    /* [count of vectors, pool], as above */
    size_t pool, need; /* need <= pool: full lists left with fewer are searched again */
} akin_duplicates_lists;

/* Removes duplicates from the lists. *sought: how many lists were searched again, on all ranks.
 * Collective; agreed; same arguments except the keys. */
AKIN_MUST_CHECK akin_status akin_duplicates_collapse(akin_comm *comm, const akin_vectors *vectors,
                                                     const akin_row_block_rules *rules,
                                                     const int32_t *duplicate_of,
                                                     const akin_duplicates_lists *lists,
                                                     size_t *sought);

#endif
