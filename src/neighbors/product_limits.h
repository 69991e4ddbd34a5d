/* product_limits: lists between products that exceed no limit (neighbors --by group --at-most). A
 * list is made by going through a product's neighbours, best first, as in item_limits.h. Duplicates are
 * removed before. */
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
    const akin_item_rules *item_rules; /* with limits on products, or without */
    const akin_item_pins *pins;        /* are counted first; NULL: none */
    const int32_t *
        duplicate_of; /* [products]: the one that is kept instead, -1 = this one is; NULL: all are */
    const uint64_t *lists; /* [count, stride], of the pictures */
    const size_t *items;   /* [count] of the shard; NULL: all of it */
    size_t count;          /* of the lists */
    size_t stride, pool;   /* pool: the number of entries of each list that are exact */
} akin_product_limits_source;

/* Makes lists of at most k entries, without the pins. *sought: number of products on all ranks
 * whose pictures were searched again because their lists were too short. Collective; agreed; same
 * k. */
AKIN_MUST_CHECK akin_status akin_product_limits_keep(akin_comm *comm,
                                                     const akin_product_limits_source *source,
                                                     size_t k, akin_product_lists *out,
                                                     size_t *sought);

#endif
