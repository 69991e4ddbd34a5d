/* product_calibrate: calibrated scores in lists between products: the share of random pairs of products that
 * are less alike. */
#ifndef AKIN_PRODUCT_CALIBRATE_H
#define AKIN_PRODUCT_CALIBRATE_H

#include "products.h"
#include <akin/table.h>

/* The rows that make the scores. */
typedef struct {
    const akin_vectors *pictures;
    const akin_vectors *means; /* of product_means.h; NULL: scores are those of the best pairs */
    const akin_products *products;
} akin_product_scores;

/* Replaces the scores of the lists by shares; the sample is that of calibrate.h, of products. *out: the same on
 * all ranks, owned. Collective; agreed; same k. */
AKIN_MUST_CHECK akin_status akin_product_calibrate(akin_comm *comm,
                                                   const akin_product_scores *scores, size_t k,
                                                   akin_product_lists *lists,
                                                   akin_calibration **out);

#endif
