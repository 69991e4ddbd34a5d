/* product_members: the items of products, as a table lists them (table.h). */
#ifndef AKIN_PRODUCT_MEMBERS_H
#define AKIN_PRODUCT_MEMBERS_H

#include "products.h"
#include <akin/table.h>

/* In `members`, labels are those of the vectors; in both, product points to *numbers, owned. items:
 * the rows of the files; order as of product_order.h, or NULL. Not collective. */
AKIN_MUST_CHECK akin_status akin_product_members_list(const akin_vectors *items,
                                                      const akin_products *products,
                                                      const int32_t *order, int32_t **numbers,
                                                      akin_table_members *members,
                                                      akin_table_members *targets);

#endif
