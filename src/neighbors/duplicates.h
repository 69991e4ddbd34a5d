/* duplicates: items that look the same count as one.
 *
 * Rows are looked at in ascending order (in embeddings.nc that is the order of ids, bytewise). A
 * row is a duplicate of the first row before it that is kept and scores `least` or more with it;
 * else it is kept. So every item is kept or the duplicate of one that is kept, no two that are kept
 * are that close, and there are no chains. Pairs that the rules keep apart (another category, the
 * same group, a score below the least) are no duplicates; with `only_available` an item that is not
 * available takes no part: it is nobody's neighbour anyway, and a copy of it that is available is
 * what it should recommend.
 *
 * In a list only those that are kept stay, and what an item is a duplicate of does not stand in its
 * list. A list that was full and is left with fewer than needed is sought anew among those that are
 * kept: so the first entries are what they would be had the duplicates not been there.
 *
 * Most is known from the exact lists. Of a row whose list is full of rows that close there may be
 * more: such rows are compared with each other, those that are kept alone. Memory: 5 bytes an item,
 * and the rows that are kept of those.
 */
#ifndef AKIN_DUPLICATES_H
#define AKIN_DUPLICATES_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

/* lists: exact lists under these rules, [count of vectors, pool] keys of topk.h, best first, 0
 * behind the last. *duplicate_of: [items of vectors], on every rank, owned: the row that is kept,
 * -1 = this one is. Collective; agreed; same rules, least, pool. */
AKIN_MUST_CHECK akin_status akin_duplicates_find(akin_comm *comm, const akin_vectors *vectors,
                                                 const akin_row_block_rules *rules, float least,
                                                 size_t pool, const uint64_t *lists,
                                                 int32_t **duplicate_of);

/* The lists without duplicates; need <= pool: a full list that is left with fewer is sought anew.
 * *sought: how many were, of all ranks. Collective; agreed; same arguments but for the lists. */
AKIN_MUST_CHECK akin_status akin_duplicates_collapse(akin_comm *comm, const akin_vectors *vectors,
                                                     const akin_row_block_rules *rules,
                                                     const int32_t *duplicate_of, size_t pool,
                                                     size_t need, uint64_t *lists, size_t *sought);

#endif
