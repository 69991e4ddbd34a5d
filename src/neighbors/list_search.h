/* list_search: some items' lists anew, longer than the comparison of all pairs made them. */
#ifndef AKIN_LIST_SEARCH_H
#define AKIN_LIST_SEARCH_H

#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

/* How many lists of this width a rank has searched at a time. Collective; same width. */
size_t akin_list_search_batch(akin_comm *comm, size_t width);

/* lists: [count, width] of these items of this rank's shard, sorted; each rank has its own, at most
 * a batch. The rules' layers are ignored. Collective; agreed; same rules, width. */
AKIN_MUST_CHECK akin_status akin_list_search(akin_comm *comm, const akin_vectors *vectors,
                                             const akin_row_block_rules *rules, const size_t *items,
                                             size_t count, size_t width, uint64_t *lists);

#endif
