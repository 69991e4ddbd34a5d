/* product_duplicates: finds products that look the same, so that only the first of them is
 * recommended (neighbors --by group --collapse-duplicates). Products are as close as their score says:
 * by the best of their pictures that the rules allow in each other's list, or by the mean of all. The
 * rest is as in duplicates.h and target_duplicates.h. */
#ifndef AKIN_PRODUCT_DUPLICATES_H
#define AKIN_PRODUCT_DUPLICATES_H

#include "first_pass.h"
#include "products.h"
#include <akin/row_block.h>

/* The products of one catalogue. */
typedef struct {
    const akin_vectors *vectors; /* their pictures, in product order, or their means */
    const akin_products *products;
    const akin_row_block_rules
        *rules; /* of these rows; with the limit of one picture per product */
    bool mean;
    float least;
    size_t pool;
} akin_product_duplicates_source;

/* *duplicate_of: [products], on every rank, owned: the product that is kept instead, -1 = this one is
 * kept. An all-pairs comparison, with a checkpoint as in first_pass.h; adds to the figures. Collective;
 * agreed; same arguments. */
AKIN_MUST_CHECK akin_status
akin_product_duplicates_find(akin_comm *comm, const akin_product_duplicates_source *from,
                             const akin_first_pass_checkpoint *checkpoint, int32_t **duplicate_of,
                             akin_allpairs_figures *figures);

#endif
