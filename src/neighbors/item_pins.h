/* item_pins: neighbours that somebody put first, from CSV files with id,neighbor and, where there is a
 * third column, rank: smaller ones first, those without one last, in the order of the file.
 *
 * A pin stands whatever the rules and the score say, but for what cannot be recommended at all: an
 * item that is not there, the item itself, one without a vector, a pair that is blocked, and with
 * --only-available one that is not available. Such pins are counted and named. */
#ifndef AKIN_ITEM_PINS_H
#define AKIN_ITEM_PINS_H

#include "item_blocks.h"
#include "products.h"
#include <akin/comm.h>
#include <akin/neighbors.h>
#include <akin/vectors.h>

typedef struct akin_item_pins akin_item_pins;

/* Whose lists, and what may stand in them. */
typedef struct {
    const akin_vectors *vectors;
    const akin_products
        *products; /* lists between them, whose names the ids are; NULL: between rows */
    const akin_item_blocks *blocks;
    bool only_available;
    bool twins; /* each target is a source once more (product_means.h) */
    size_t k;
} akin_item_pins_lists;

/* At most k of each item. Collective; agreed; same files, k. */
AKIN_MUST_CHECK akin_status akin_item_pins_read(akin_comm *comm, const akin_neighbors_words *files,
                                                const akin_item_pins_lists *lists,
                                                akin_item_pins **out);
void akin_item_pins_free(akin_item_pins *pins); /* NULL is fine */

/* Rows of an item of this rank's shard, in their order; without pins (NULL) none. Not collective. */
const int32_t *akin_item_pins_of(const akin_item_pins *pins, size_t item, size_t *count);

/* Puts them first in the lists of the shard's `count` items; what is behind k drops out. Their scores are
 * missing. Not collective. */
void akin_item_pins_put(const akin_item_pins *pins, size_t count, size_t k,
                        int32_t *neighbor /* [count, k] */, float *score /* [count, k] */,
                        int32_t *counts /* [count] */, int32_t *pinned /* [count] */);

#endif
