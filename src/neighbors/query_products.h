/* query_products: the products that one product, or a new picture, is most similar to by the best pairs
 * of pictures. */
#ifndef AKIN_QUERY_PRODUCTS_H
#define AKIN_QUERY_PRODUCTS_H

#include "query_rows.h"
#include "query_rules.h"

/* The number of the product of this name (target: in the other catalogue, or in the only one). path:
 * of its catalogue, for messages. AKIN_INPUT: there is none. Not collective; the same on all ranks. */
AKIN_MUST_CHECK akin_status akin_query_products_find(const char *path, const char *name,
                                                     const akin_products *products, bool target,
                                                     size_t *number);
/* The most similar pictures of two products that these rules allow; -1: none. pictures: the vectors
 * whose rows they are. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_query_products_pair(akin_comm *comm, const akin_vectors *pictures,
                                                     const akin_products *products,
                                                     const akin_row_block_rules *rules,
                                                     const size_t number[2], int32_t pair[2]);
/* Its list of at most k, on every rank: list [k] as of akin_query_rules_list, but of products; with pins
 * the scores in the keys mean nothing. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_query_products_list(akin_comm *comm, const akin_query_rows *rows,
                                                     const akin_query_rules *rules, size_t number,
                                                     size_t k, uint64_t *list, size_t *pinned);
/* Its list as in the table, of at most k; *out on rank 0, owned. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_query_products_answer(akin_comm *comm, const akin_query_rows *rows,
                                                       const akin_query_rules *rules, size_t number,
                                                       size_t k, akin_answer **out);
/* The k products whose pictures are most similar to a picture that is no item: of each its best one.
 * *out on rank 0, owned. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_query_products_near(akin_comm *comm, const akin_query_rows *rows,
                                                     const akin_query_rules *rules,
                                                     const akin_query_asker *who, size_t k,
                                                     akin_answer **out);

#endif
