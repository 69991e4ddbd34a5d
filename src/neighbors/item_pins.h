/* item_pins: neighbours that somebody put first, from CSV files with id,neighbor and, where there is a
 * third column, rank: smaller ones first, those without one last, in the order of the file.
 *
 * A pin stands whatever the rules and the score say, but for what cannot be recommended at all: an
 * item that is not there, the item itself, one without a vector, a pair that is blocked, and with
 * --only-available one that is not available. Such pins are counted and named. */
#ifndef AKIN_ITEM_PINS_H
#define AKIN_ITEM_PINS_H

#include "item_blocks.h"
#include "refine.h"
#include <akin/comm.h>
#include <akin/neighbors.h>
#include <akin/vectors.h>

typedef struct akin_item_pins akin_item_pins;

/* At most k of each item. Collective; agreed; same files, k. */
AKIN_MUST_CHECK akin_status akin_item_pins_read(akin_comm *comm, const akin_neighbors_words *files,
                                                const akin_vectors *vectors,
                                                const akin_item_blocks *blocks, bool only_available,
                                                size_t k, akin_item_pins **out);
void akin_item_pins_free(akin_item_pins *pins); /* NULL is fine */

/* Rows of an item of this rank's shard, in their order. Not collective. */
const int32_t *akin_item_pins_of(const akin_item_pins *pins, size_t item, size_t *count);

/* Puts them first in the lists, [count of the shard, k]; what is behind k drops out. Their scores are
 * missing: akin_list_scores sets them. Not collective. */
void akin_item_pins_put(const akin_item_pins *pins, const akin_vectors *vectors, size_t k,
                        akin_refined *lists);

#endif
