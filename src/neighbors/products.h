/* products: lists between products, where an item is one picture of a product (neighbors --by
 * group).
 *
 * Items of one group are one product; an item without a group is a product by itself. The score of
 * two products is the best cosine of a picture of one with a picture of the other. The k best of
 * a product are among the k best of each of its pictures, if those hold at most one picture of a
 * product and none of its own: lists with the limit group=1 and without the item's own group. */
#ifndef AKIN_PRODUCTS_H
#define AKIN_PRODUCTS_H

#include <akin/comm.h>
#include <akin/vectors.h>

typedef struct {
    size_t count;             /* of all ranks; ascending by name: the group's, or the item's id */
    size_t first;             /* this rank's shard */
    int32_t *of_item;         /* [items of all ranks] */
    akin_labels *labels;      /* of the shard: category of the first picture; available if one is */
    int32_t *neighbor;        /* [count of the shard, k]: products, -1 = none, best first */
    float *score;             /* [.., k] */
    int32_t *held;            /* [..] */
    int32_t *picture, *other; /* [.., k]: the items whose cosine is the score, -1 = none */
} akin_products;

/* AKIN_INPUT: an item without a group has the name of a group for its id. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_products_find(akin_comm *comm, const akin_vectors *vectors,
                                               akin_products *out);
/* From the items' lists, [count of the vectors' shard, width], keys of topk.h. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_products_join(akin_comm *comm, const akin_vectors *vectors,
                                               const uint64_t *lists, size_t width, size_t k,
                                               akin_products *products);
void akin_products_release(akin_products *products);

#endif
