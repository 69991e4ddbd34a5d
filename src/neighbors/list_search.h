/* list_search: some items' lists anew, longer than the comparison of all pairs made them. */
#ifndef AKIN_LIST_SEARCH_H
#define AKIN_LIST_SEARCH_H

#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

/* How many lists of this width a rank has searched at a time. Collective; same width. */
size_t akin_list_search_batch(akin_comm *comm, size_t width);

typedef struct {
    const size_t *items; /* [count] of this rank's shard; at most a batch */
    size_t count, width;
    const int32_t *duplicate_of; /* [items of vectors]: only among those with -1; NULL: among all */
} akin_list_search_wanted;

/* lists: [count, width], sorted; each rank has its own. The rules' layers are ignored. Collective;
 * agreed; same rules, width, duplicate_of. */
AKIN_MUST_CHECK akin_status akin_list_search(akin_comm *comm, const akin_vectors *vectors,
                                             const akin_row_block_rules *rules,
                                             const akin_list_search_wanted *wanted,
                                             uint64_t *lists);

#endif
