/* recompute: lists that asked for more than k others reach (thresholds.h), made anew from what is
 * proven. */
#ifndef AKIN_RECOMPUTE_H
#define AKIN_RECOMPUTE_H

#include <akin/comm.h>
#include <akin/row_block.h>

/* Some of the broken lists (topk.h) of all ranks, at most so many of each rank: every rank looks
 * through its own block for all of them. *left: how many there are still, of all ranks. *mended is
 * increased. `own` has columns; what the rules say of layers and `again` is passed over.
 * Collective; agreed; same rules, most. */
AKIN_MUST_CHECK akin_status akin_recompute(akin_comm *comm, const akin_row_block_rules *rules,
                                           akin_row_block *own, size_t most, size_t *left,
                                           double *mended);

#endif
