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

/* Adds to offset [count of the shard] the sum of weight times rank: of the items that have a number,
 * the share that has a smaller one, and half of those that have the same, itself left out; in [0, 1];
 * 0 of an item that has none. Collective; agreed; same boosts. */
AKIN_MUST_CHECK akin_status akin_item_boost_add(akin_comm *comm, const akin_vectors *vectors,
                                                const akin_item_boost *boosts, size_t count,
                                                float *offset);

#endif
