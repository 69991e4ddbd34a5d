/* product_limits: lists between products of which none exceeds a limit (neighbors --by group --at-most). A
 * list is what one gets who goes through a product's neighbours, best first, as in item_limits.h. */
#ifndef AKIN_PRODUCT_LIMITS_H
#define AKIN_PRODUCT_LIMITS_H

#include "item_pins.h"
#include "item_rules.h"
#include "products.h"
#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

typedef struct {
    const akin_vectors *vectors; /* of the pictures */
    const akin_products *products;
    const akin_row_block_rules *rules;
    const akin_item_rules *item_rules; /* with limits of products */
    const akin_item_pins *pins;        /* they count first; NULL: none */
    const uint64_t *lists;             /* [count of the shard, stride], of the pictures */
    size_t stride, pool;               /* pool: how many of each are right */
} akin_product_limits_source;

/* Lists of at most k without the pins. *sought: products of all ranks whose pictures are searched again,
 * since their lists were too short. Collective; agreed; same k. */
AKIN_MUST_CHECK akin_status akin_product_limits_keep(akin_comm *comm,
                                                     const akin_product_limits_source *source,
                                                     size_t k, akin_product_lists *out,
                                                     size_t *sought);

#endif
