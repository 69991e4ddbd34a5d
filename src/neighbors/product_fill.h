/* product_fill: fills lists between products that are too short, as backfill.h does those of rows: with
 * the products of the category whose mean vectors are most central. A product has the category of its
 * first picture. Those appended have a pair of pictures that every rule allows but the minimum score,
 * and the score of the best such pair. A product without a vector asks with all its pictures. */
#ifndef AKIN_PRODUCT_FILL_H
#define AKIN_PRODUCT_FILL_H

#include "product_limits.h"
#include "products.h"

/* Appends to the lists. from: as for the lists, without those of pictures. *filled: [count of the lists],
 * owned: how many were appended; *fills: on all ranks. Collective; agreed; same k. */
AKIN_MUST_CHECK akin_status akin_product_fill(akin_comm *comm,
                                              const akin_product_limits_source *from, size_t k,
                                              akin_product_lists *lists, int32_t **filled,
                                              size_t *fills);

#endif
