/* product_rows: see product_rows.h. */
#include "product_rows.h"
#include "product_means.h"
#include "product_order.h"

akin_status akin_product_rows_take(akin_comm *comm, akin_product_rows_how how,
                                   akin_vectors **vectors, akin_vectors **made_from,
                                   akin_products *products, int32_t **order) {
    akin_vectors *items = *vectors;
    *order = NULL;
    akin_status status = akin_products_find(comm, items, products);
    if (status != AKIN_OK) return status;
    if (how.mean) {
        *made_from = items, *vectors = NULL;
        return akin_product_means_create(comm, items, products, how.alone, vectors);
    }
    status = akin_product_order_put(comm, vectors, products, order);
    if (*vectors != items) *made_from = items;
    return status;
}
