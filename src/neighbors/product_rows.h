/* product_rows: the rows by which products are compared, in place of those of their items. */
#ifndef AKIN_PRODUCT_ROWS_H
#define AKIN_PRODUCT_ROWS_H

#include "products.h"

typedef struct {
    bool mean;  /* a row per product (product_means.h); else the pictures in product order */
    bool alone; /* of means: each is a group of its own */
} akin_product_rows_how;

/* Finds the products of *vectors and replaces these by the rows that are compared. If they are others,
 * *made_from is what *vectors was: the caller owns both, also on failure. *order as of
 * akin_product_order_put; NULL for means. Errors as of akin_products_find. Collective; agreed; same how. */
AKIN_MUST_CHECK akin_status akin_product_rows_take(akin_comm *comm, akin_product_rows_how how,
                                                   akin_vectors **vectors, akin_vectors **made_from,
                                                   akin_products *products, int32_t **order);

#endif
