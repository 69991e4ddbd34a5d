/* query_item: the steps of a query: find the item, search for its neighbours, merge the results of
 * the ranks. */
#ifndef AKIN_QUERY_ITEM_H
#define AKIN_QUERY_ITEM_H

#include <akin/query.h>
#include <akin/row_block.h>

/* The item or picture to search for. */
typedef struct {
    akin_row_block_item item; /* row -1: not in the catalogue */
    int32_t usable;
    float *row; /* [dim], unit length */
} akin_query_asker;

/* A row's vector and values; the same on all ranks. Collective. */
void akin_query_take_row(akin_comm *comm, const akin_vectors *vectors, size_t row,
                         const akin_row_rules *more, akin_query_asker *out);
/* Finds the item with that id: its vector, the values that rules use (NULL: none), and whether it
 * can be a neighbour. The result is the same on all ranks. AKIN_INPUT: no such item. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_query_find_item(akin_comm *comm, const char *path, const char *id,
                                                 const akin_vectors *vectors,
                                                 const akin_row_rules *more, akin_query_asker *out);
/* The same for an item of the other catalogue, or of the only one. */
AKIN_MUST_CHECK akin_status akin_query_find_target(akin_comm *comm, const char *path,
                                                   const char *id, const akin_vectors *vectors,
                                                   const akin_row_rules *more,
                                                   akin_query_asker *out);
/* The k best of this rank's shard, sorted, into list [k]. Not collective. */
AKIN_MUST_CHECK akin_status akin_query_search(const akin_query_asker *who,
                                              const akin_vectors *vectors,
                                              const akin_row_block_rules *rules, size_t k,
                                              uint64_t *list);
/* The answer of a list [k], of which it takes ownership: rows of the vectors. *out on rank 0, owned.
 * Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_query_answer_with(akin_comm *comm, const akin_vectors *vectors,
                                                   uint64_t *list, size_t k, akin_answer **out);
/* An answer of these names and scores [count], which are copied; items: that were searched. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_query_answer_create(size_t items, const char *const *names,
                                                     const float *scores, size_t count,
                                                     akin_answer **out);
/* Merges the lists of all ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_query_merge(akin_comm *comm, size_t k, uint64_t *list);

#endif
