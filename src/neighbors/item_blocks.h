/* item_blocks: pairs of items that must not be neighbours, from CSV files with id,neighbor, where *
 * stands for every item. */
#ifndef AKIN_ITEM_BLOCKS_H
#define AKIN_ITEM_BLOCKS_H

#include "pair_file.h"
#include "products.h"
#include <akin/comm.h>
#include <akin/neighbors.h>
#include <akin/vectors.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t *pairs; /* [count] ascending: row of the item << 32 | row of the neighbour */
    size_t count;
    int64_t *for_all; /* [for_all_count]: never recommended */
    size_t for_all_count;
    int64_t *alone; /* [alone_count]: get no neighbours */
    size_t alone_count;
} akin_item_blocks;

/* products: the ids are those of products, and a pair of products blocks all pairs of their
 * pictures; NULL: ids are those of rows. Unknown ids are counted and reported. Collective; agreed;
 * same files. */
AKIN_MUST_CHECK akin_status akin_item_blocks_read(akin_comm *comm,
                                                  const akin_neighbors_words *files,
                                                  const akin_vectors *vectors,
                                                  const akin_products *products,
                                                  akin_item_blocks *out);
void akin_item_blocks_release(akin_item_blocks *blocks);

/* Whether the pair is blocked. Not collective. */
bool akin_item_blocks_has(const akin_item_blocks *blocks, int64_t row, int64_t neighbor);

/* Whether the item gets no neighbours. Not collective. */
bool akin_item_blocks_alone(const akin_item_blocks *blocks, int64_t row);

/* Clears those of this rank's shard that must not be recommended in targets [count of the shard];
 * before: how many rows of the blocks precede the first one of the vectors.
 * Not collective. */
void akin_item_blocks_strike(const akin_item_blocks *blocks, const akin_vectors *vectors,
                             int64_t before, uint8_t *target);

#endif
