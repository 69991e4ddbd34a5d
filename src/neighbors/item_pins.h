/* item_pins: pinned neighbours, which come first in their lists, from CSV files with id,neighbor
 * and, optionally, rank. Lower ranks come first; pins without a rank come last, in the order of the
 * file.
 *
 * A pin ignores rules and scores, except for what cannot be recommended at all: an unknown item,
 * the item itself, an item without a vector, a blocked pair, and with --only-available an
 * unavailable item. Such pins are counted and reported. */
#ifndef AKIN_ITEM_PINS_H
#define AKIN_ITEM_PINS_H

#include "item_blocks.h"
#include "products.h"
#include <akin/comm.h>
#include <akin/neighbors.h>
#include <akin/vectors.h>

typedef struct akin_item_pins akin_item_pins;

/* The lists to be pinned, and what they may contain. */
typedef struct {
    const akin_vectors *vectors;
    const akin_products *products; /* ids are the names of products; NULL: ids of rows */
    const akin_item_blocks *blocks;
    bool only_available;
    bool twins; /* each target is also a source (product_means.h) */
    size_t k;
} akin_item_pins_lists;

/* At most k pins per item. Collective; agreed; same files, k. */
AKIN_MUST_CHECK akin_status akin_item_pins_read(akin_comm *comm, const akin_neighbors_words *files,
                                                const akin_item_pins_lists *lists,
                                                akin_item_pins **out);
void akin_item_pins_free(akin_item_pins *pins); /* NULL is fine */

/* The pinned rows of an item of this rank's shard, in their order; pins NULL: none. Not collective.
 */
const int32_t *akin_item_pins_of(const akin_item_pins *pins, size_t item, size_t *count);

/* Puts the pins first in the lists of the shard's `count` items; entries beyond k are dropped. The
 * scores of pins are not set. Not collective. */
void akin_item_pins_put(const akin_item_pins *pins, size_t count, size_t k,
                        int32_t *neighbor /* [count, k] */, float *score /* [count, k] */,
                        int32_t *counts /* [count] */, int32_t *pinned /* [count] */);

#endif
