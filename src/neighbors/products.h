/* products: lists between products, where an item is one picture of a product (neighbors --by
 * group).
 *
 * Items of one group are one product; an item without a group is a product by itself. The score of
 * two products is computed from the cosines between a picture of one and a picture of the other:
 * their maximum (here), or their mean (product_means.h). The k best neighbours of a product are
 * among the k best of each of its pictures, if those lists contain at most one picture of a product
 * and none of the same product: lists with the limit group=1 that exclude the item's own group. */
#ifndef AKIN_PRODUCTS_H
#define AKIN_PRODUCTS_H

#include <akin/comm.h>
#include <akin/vectors.h>

typedef struct {
    const char *name;    /* the name of the group, or the id of the item; borrowed */
    int32_t group, item; /* one of these is -1 */
} akin_product_name;

/* A range of products. */
typedef struct {
    size_t first, count;
} akin_product_span;

/* The products, on every rank; all arrays are owned. With two catalogues those of the sources come
 * first, then those of the targets; a name that both have stands for two products. */
typedef struct {
    size_t items, count;
    akin_product_span sources, targets; /* with one catalogue, both are all products */
    akin_product_span listed;           /* those that have lists: the sources */
    char *ids;                          /* ids of items without a group, one after the other */
    akin_product_name *names;           /* [count], ascending by name on each side */
    int32_t *of_item;                   /* [items] */
    int8_t *usable;                     /* [items] */
    int32_t *first_item;                /* [count] */
    int8_t *available;                  /* [count]: whether any of its items is available */
    int8_t *shown;                      /* [count]: whether any of its items is usable */
} akin_products;

/* Names are borrowed from the vectors. AKIN_INPUT: the id of an item without a group is the name of
 * a group of its catalogue. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_products_find(akin_comm *comm, const akin_vectors *vectors,
                                               akin_products *out);
void akin_products_release(akin_products *products);

/* The items of each product, ascending; those of product p are at first[p] to first[p + 1] - 1:
 * first [count + 1], items [items], owned. Not collective. */
AKIN_MUST_CHECK akin_status akin_products_items(const akin_products *products, int32_t **first,
                                                int32_t **items);
/* The numbers of the products with these names, which are pairs of a source and a target, one pair
 * after the other; -1 = none. Not collective. */
void akin_products_named(const akin_products *products, const char *const *names, size_t count,
                         int64_t *numbers /* [count] */);
/* This rank's shard of these products. Not collective. */
akin_product_span akin_products_shard(const akin_comm *comm, akin_product_span some);

/* The labels of some products, different ones on each rank: category and attributes of their first
 * pictures. alone: each product is a group of its own, with its name; otherwise the groups are
 * those of the items. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_products_label(akin_comm *comm, const akin_vectors *vectors,
                                                const akin_products *products, size_t first,
                                                size_t count, bool alone, akin_labels **out);

/* Lists of some products; all arrays are owned. */
typedef struct {
    size_t first, count; /* of this rank: its shard of `listed` */
    int32_t *neighbor;   /* [count, k]: products, -1 = none, best first */
    float *score;        /* [count, k] */
    float *place;  /* [count, k]: the score that they are ordered by, with its boost; or NULL */
    int32_t *held; /* [count] */
    int32_t *picture, *other; /* [count, k]: their most similar pictures, -1 = none */
} akin_product_lists;

/* Lists of items, keys of topk.h. */
typedef struct {
    const uint64_t *lists; /* [count, width] */
    size_t width;
    const float *cosines; /* of the same shape, if the scores in keys are not cosines; or NULL */
    const size_t *items;  /* [count] items of the vectors' shard; NULL: all of it */
    size_t count;
} akin_product_item_lists;

/* A picture of one product and the most similar picture of another. */
typedef struct {
    uint64_t key; /* the score and the other product, as in topk.h */
    int32_t product, picture, other;
    float cosine;
} akin_product_offer;

/* The best offer for each pair of products, for this rank's products, in their order and best
 * first; *out owned. The first `width` offers of each product are exact if the lists are those of
 * all its pictures. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_products_offers(akin_comm *comm, const akin_vectors *vectors,
                                                 const akin_products *products,
                                                 const akin_product_item_lists *from,
                                                 akin_product_offer **out, size_t *count);

/* Empty lists for this rank's shard of the listed products. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_product_lists_create(akin_comm *comm,
                                                      const akin_products *products, size_t k,
                                                      akin_product_lists *out);
/* Appends an offer to the list of its product; the caller makes sure that it has fewer than k. Not
 * collective. */
void akin_product_lists_append(akin_product_lists *lists, size_t k,
                               const akin_product_offer *offer);

/* Lists of this rank's shard: the first k offers of each listed product. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_products_join(akin_comm *comm, const akin_vectors *vectors,
                                               const akin_products *products,
                                               const akin_product_item_lists *from, size_t k,
                                               akin_product_lists *out);
void akin_product_lists_release(akin_product_lists *lists);

#endif
