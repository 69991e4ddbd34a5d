/* query_products: the products that one product, or a new picture, is most similar to by the best pairs
 * of pictures. */
#ifndef AKIN_QUERY_PRODUCTS_H
#define AKIN_QUERY_PRODUCTS_H

#include "query_rows.h"
#include "query_rules.h"

/* The number of the product that params->id names. AKIN_INPUT: there is none. Not collective; the same
 * on all ranks. */
AKIN_MUST_CHECK akin_status akin_query_products_find(const akin_query_params *params,
                                                     const akin_products *products, size_t *number);
/* Its list as in the table, of at most k; *out on rank 0, owned. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_query_products_answer(akin_comm *comm, const akin_query_rows *rows,
                                                       const akin_query_rules *rules, size_t number,
                                                       size_t k, akin_answer **out);
/* The k products whose pictures are most similar to a picture that is no item: of each its best one. No
 * limits. *out on rank 0, owned. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_query_products_near(akin_comm *comm, const akin_query_rows *rows,
                                                     const akin_query_rules *rules,
                                                     const akin_query_asker *who, size_t k,
                                                     akin_answer **out);

#endif
