/* product_diversity: chooses varied lists between products, as diversity.h does for items. The score
 * of two candidates is that of their most similar pictures, whatever the rules say of these. */
#ifndef AKIN_PRODUCT_DIVERSITY_H
#define AKIN_PRODUCT_DIVERSITY_H

#include "products.h"

/* Replaces the lists, of at most `pool` entries, by lists of the k chosen. Collective; agreed; same
 * lambda, k, pool. */
AKIN_MUST_CHECK akin_status akin_product_diversity(akin_comm *comm, const akin_vectors *pictures,
                                                   const akin_products *products, double lambda,
                                                   size_t k, size_t pool,
                                                   akin_product_lists *lists);

#endif
