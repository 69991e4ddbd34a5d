/* item_boost: what is added to every score of an item, by its own numbers. */
#ifndef AKIN_ITEM_BOOST_H
#define AKIN_ITEM_BOOST_H

#include "item_attributes.h"
#include <akin/comm.h>
#include <akin/vectors.h>

enum { AKIN_ITEM_BOOST_MOST = 16, AKIN_ITEM_BOOST_LARGEST = 100 };

typedef struct {
    akin_item_attribute attribute; /* a number */
    double weight;
} akin_item_boost;

/* Whose boosts: this rank's items from `first` on are ranked, and the others have none. */
typedef struct {
    size_t first, count;
} akin_item_boost_span;
/* Of vectors: all of them, or of two catalogues the items of the other. */
akin_item_boost_span akin_item_boost_of(const akin_vectors *vectors);

/* Adds to offset [count of the span] the sum of weight times rank: of the items that have a number,
 * the share that has a smaller one, and half of those that have the same, itself left out; in [0, 1];
 * 0 of an item that has none. Collective; agreed; same boosts. */
AKIN_MUST_CHECK akin_status akin_item_boost_add(akin_comm *comm, akin_item_boost_span span,
                                                const akin_item_boost *boosts, size_t count,
                                                float *offset);

#endif
