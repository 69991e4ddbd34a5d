/* product_boost: boosts the scores of products by the numeric attributes of their first picture,
 * ranked among products. All pictures of a product get the same boost (neighbors --by group
 * --boost). */
#ifndef AKIN_PRODUCT_BOOST_H
#define AKIN_PRODUCT_BOOST_H

#include "item_boost.h"
#include "products.h"

/* Sets offset [count of the vectors' shard]. boosts: of the vectors' labels. Collective; agreed;
 * same boosts. */
AKIN_MUST_CHECK akin_status akin_product_boost(akin_comm *comm, const akin_vectors *vectors,
                                               const akin_products *products,
                                               const akin_item_boost *boosts, size_t count,
                                               float *offset);

#endif
