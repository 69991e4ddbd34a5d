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

/* Lists that were too short, searched again until none is: each round 4 times as long as those before, or
 * as long as lists can be. */
typedef struct {
    size_t count; /* this rank's, in the order in which `some` finds them; afterwards 0 */
    size_t width; /* of the lists so far; then of those of the round */
    size_t share; /* at a time only one in so many of a batch */
    /* Searches lists [first, first + count) of the round, with lists of this width; those that are again
     * too short become numbers *kept, *kept + 1 ... of the next round, which are no larger than `first`
     * and those searched. Collective; agreed. */
    akin_status (*some)(void *context, size_t width, size_t first, size_t count, size_t *kept);
    void *context;
    const char *progress; /* what is logged meanwhile; NULL: nothing is */
} akin_list_search_rounds;

/* *sought: lists of all ranks in the first round. Collective; agreed; same width, share. */
AKIN_MUST_CHECK akin_status akin_list_search_again(akin_comm *comm, const akin_vectors *vectors,
                                                   akin_list_search_rounds *rounds, size_t *sought);

#endif
