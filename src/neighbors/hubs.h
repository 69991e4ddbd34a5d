/* hubs: items that stand in many lists, for they are near to everything (Conneau et al. 2018, "Word
 * Translation Without Parallel Data", arXiv 1710.04087: CSLS). */
#ifndef AKIN_HUBS_H
#define AKIN_HUBS_H

#include "item_rules.h"
#include "ring_checkpoint.h"
#include <akin/allpairs.h>

/* Where the comparison saves its state, and what this is the state of. */
typedef struct {
    const char *path;
    double every; /* seconds */
    akin_ring_checkpoint_origin origin;
} akin_hubs_checkpoint;

/* Subtracts from offset [count of the shard] each item's mean score with its own k neighbours under
 * these rules, without offsets and limits; 0 where it has none. Adds to the figures. A comparison of all
 * pairs, which goes on from the checkpoint and leaves it there; checkpoint: NULL = none. AKIN_INTERRUPTED
 * after a signal. Collective; agreed; same rules, k, checkpoint. */
AKIN_MUST_CHECK akin_status akin_hubs_damp(akin_comm *comm, const akin_vectors *vectors,
                                           const akin_row_block_rules *rules,
                                           const akin_item_rules *item_rules, size_t k,
                                           const akin_hubs_checkpoint *checkpoint, float *offset,
                                           akin_allpairs_figures *figures);

#endif
