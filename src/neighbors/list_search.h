/* list_search: searches for the lists of some items again, longer than the all-pairs comparison
 * made them. */
#ifndef AKIN_LIST_SEARCH_H
#define AKIN_LIST_SEARCH_H

#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

/* The number of lists of this width that a rank searches at a time. Collective; same width. */
size_t akin_list_search_batch(akin_comm *comm, size_t width);

typedef struct {
    const size_t *items; /* [count] of this rank's shard; at most one batch */
    size_t count, width;
    const int32_t *duplicate_of; /* [items of vectors]: only rows with -1 are found; NULL: all */
} akin_list_search_wanted;

/* lists: [count, width], sorted; different on each rank. The rules' layers are ignored. Collective;
 * agreed; same rules, width, duplicate_of. */
AKIN_MUST_CHECK akin_status akin_list_search(akin_comm *comm, const akin_vectors *vectors,
                                             const akin_row_block_rules *rules,
                                             const akin_list_search_wanted *wanted,
                                             uint64_t *lists);

/* Searches for lists that were too short, in rounds, until none is. In each round lists are 4 times
 * as long as in the previous one, or as long as lists can be. */
typedef struct {
    size_t count; /* number of this rank's lists, as numbered by `some`; 0 afterwards */
    size_t width; /* initially the width of the lists so far; then that of the round */
    size_t share; /* batches are divided by this number */
    /* Searches for lists [first, first + count) of the round, with lists of this width. Those that
     * are still too short become numbers *kept, *kept + 1 ... of the next round; these numbers are
     * below first + count. Collective; agreed. */
    akin_status (*some)(void *context, size_t width, size_t first, size_t count, size_t *kept);
    void *context;
    const char *progress; /* name of the progress that is logged; NULL: none */
} akin_list_search_rounds;

/* *sought: number of lists of all ranks in the first round. Collective; agreed; same width, share.
 */
AKIN_MUST_CHECK akin_status akin_list_search_again(akin_comm *comm, const akin_vectors *vectors,
                                                   akin_list_search_rounds *rounds, size_t *sought);

#endif
