/* product_search: searches for the lists of some products' pictures again, longer than the comparison
 * made them. */
#ifndef AKIN_PRODUCT_SEARCH_H
#define AKIN_PRODUCT_SEARCH_H

#include "products.h"
#include <akin/row_block.h>

typedef struct {
    const akin_vectors *pictures;
    const akin_products *products;
    const akin_row_block_rules *rules; /* with the limit of one picture per product */
    const int32_t *among;              /* [items]: only pictures with -1 are found; NULL: all */
} akin_product_search_among;

/* asked: [count] of this rank's products, at most a batch. *out: their offers, as of akin_products_offers; a
 * product without a usable picture asks with all it has. Collective; agreed; same among, width. */
AKIN_MUST_CHECK akin_status akin_product_search(akin_comm *comm,
                                                const akin_product_search_among *among,
                                                const int32_t *asked, size_t count, size_t width,
                                                akin_product_offer **out, size_t *offer_count);
/* The number of products that a rank asks for at a time. Collective; same width. */
size_t akin_product_search_batch(akin_comm *comm, size_t width);
enum { AKIN_PRODUCT_SEARCH_PICTURES = 4 /* approximate number per product */ };

#endif
