/* item_boost: boosts the score of an item in every list, according to its numeric attributes. */
#ifndef AKIN_ITEM_BOOST_H
#define AKIN_ITEM_BOOST_H

#include "item_attributes.h"
#include <akin/comm.h>
#include <akin/vectors.h>

enum { AKIN_ITEM_BOOST_MOST = 16, AKIN_ITEM_BOOST_LARGEST = 100 };

typedef struct {
    akin_item_attribute attribute; /* numeric */
    double weight;
} akin_item_boost;

/* The items to boost: those of this rank from `first` on are ranked among all of them; others get
 * no boost. */
typedef struct {
    size_t first, count;
} akin_item_boost_span;
/* All items of the vectors; with two catalogues, those of the other one. */
akin_item_boost_span akin_item_boost_of(const akin_vectors *vectors);

/* Adds the sum of weight times rank to offset [count of the span]. The rank of an item is the share
 * of other items with a smaller value, plus half the share of those with the same one; it is in [0,
 * 1]. Items without a value are not counted and have rank 0. Collective; agreed; same boosts. */
AKIN_MUST_CHECK akin_status akin_item_boost_add(akin_comm *comm, akin_item_boost_span span,
                                                const akin_item_boost *boosts, size_t count,
                                                float *offset);

#endif
