/* product_means: compares products as rows, such that the score of two products is the mean of the
 * cosines of their pictures (neighbors --by group --pictures mean).
 *
 * The mean of all dot products u.v, where u is a unit row of one product and v one of the other, is
 * the dot product of the two mean rows. A mean row m is shorter than 1, but the comparison requires
 * rows of unit length. Each product is therefore stored as two rows with two more columns: a source
 * (m, s, 0) and a target (m, 0, s), where s = (1 - |m|^2)^(1/2). The dot product of a source and a
 * target is that of the means. The lists of sources contain targets, as between two catalogues. If
 * |m| is 1 up to rounding, s is 0. Pictures without a vector are ignored; a product without any
 * usable picture is not usable. */
#ifndef AKIN_PRODUCT_MEANS_H
#define AKIN_PRODUCT_MEANS_H

#include "products.h"

/* Products as vectors, [.., dim + 2]: the sources, then the targets. With one catalogue each product
 * has a row of either kind; with two catalogues it has one row. alone: each is a group of its own;
 * otherwise its group is that of its items. The bits do not depend on the number of ranks. Collective;
 * agreed; same alone. */
AKIN_MUST_CHECK akin_status akin_product_means_create(akin_comm *comm, const akin_vectors *vectors,
                                                      const akin_products *products, bool alone,
                                                      akin_vectors **out);

/* Sets picture and other of the lists: the most similar pair of pictures, the first one of several.
 * first: how many entries of each list are processed; their score is set to the cosine of that
 * pair; NULL: all entries, and scores are left as they are. Collective; agreed; same k. */
AKIN_MUST_CHECK akin_status akin_product_means_pictures(akin_comm *comm,
                                                        const akin_vectors *vectors,
                                                        const akin_products *products, size_t k,
                                                        const int32_t *first,
                                                        akin_product_lists *lists);

#endif
