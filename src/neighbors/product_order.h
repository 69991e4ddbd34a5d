/* product_order: puts the rows of pictures in the order of their products; pictures of one product keep
 * their order.
 *
 * Lists of pictures break ties by row (topk.h), lists of products by product. If rows are in product
 * order, both are the same: among products with equal scores the first ones stay in a list. */
#ifndef AKIN_PRODUCT_ORDER_H
#define AKIN_PRODUCT_ORDER_H

#include "products.h"

/* If the rows are not in product order, replaces *vectors by new ones, owned by the caller, in that
 * order, and *products by theirs; *rows [items], owned, is the old row of each on every rank. Otherwise
 * nothing changes and *rows is NULL. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_product_order_put(akin_comm *comm, akin_vectors **vectors,
                                                   akin_products *products, int32_t **rows);

#endif
