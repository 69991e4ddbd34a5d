/* first_pass: an all-pairs comparison that precedes that of the tables, with a checkpoint of its
 * own. */
#ifndef AKIN_FIRST_PASS_H
#define AKIN_FIRST_PASS_H

#include "ring_checkpoint.h"
#include <akin/allpairs.h>
#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

/* Where the comparison saves its state, at the end too, and what identifies it. */
typedef struct {
    const char *path, *stage; /* stage: what is logged begins with it */
    double every;             /* seconds */
    akin_ring_checkpoint_origin origin;
} akin_first_pass_checkpoint;

/* lists: [count of the shard, akin_allpairs_list(n, k)], as of akin_allpairs; owned. Resumes from
 * the checkpoint and does not remove it; NULL = none. Adds to the figures. AKIN_INTERRUPTED after a
 * signal. Collective; agreed; same rules, k, checkpoint. */
AKIN_MUST_CHECK akin_status akin_first_pass(akin_comm *comm, const akin_vectors *vectors,
                                            akin_row_block_rules *rules, size_t k,
                                            const akin_first_pass_checkpoint *checkpoint,
                                            uint64_t **lists, akin_allpairs_figures *figures);

#endif
