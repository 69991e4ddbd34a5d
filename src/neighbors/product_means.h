/* product_means: products as rows, so that the score of two is the mean of the cosines of their
 * pictures (neighbors --by group --pictures mean).
 *
 * The mean of all products u.v of the unit rows u of one product and v of another is the product of
 * their means. A mean m is shorter than 1; so that rows are of unit length all the same, which the
 * comparison builds upon, each product has two, with two more columns: a source (m, s, 0) and a target
 * (m, 0, s), s = (1 - |m|^2)^(1/2). The product of a source and a target is that of the means; lists of
 * sources hold targets, as between two catalogues. Where |m| is 1 but for rounding, s is 0. Pictures
 * without a vector count for nothing; the mean of none is not usable. */
#ifndef AKIN_PRODUCT_MEANS_H
#define AKIN_PRODUCT_MEANS_H

#include "products.h"

/* Products as vectors, [2 products of `products`, dim + 2]: the sources, then the targets; each product
 * is a group of its own. The bits do not depend on the number of ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_product_means_create(akin_comm *comm, const akin_vectors *vectors,
                                                      const akin_products *products,
                                                      akin_vectors **out);

/* Sets picture and other of the lists: the two that are most alike, the first of several. first: of how
 * many of each list, whose cosine becomes their score; NULL: of all, and scores stay. Collective;
 * agreed; same k. */
AKIN_MUST_CHECK akin_status akin_product_means_pictures(akin_comm *comm,
                                                        const akin_vectors *vectors,
                                                        const akin_products *products, size_t k,
                                                        const int32_t *first,
                                                        akin_product_lists *lists);

#endif
