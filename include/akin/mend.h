/* mend: lists that asked for more than k others reach (sample.h), made anew from what is proven.
 *
 * Floor 3 (stages); looks down to error, mem, topk, block, sample, compare, comm.
 */
#ifndef AKIN_MEND_H
#define AKIN_MEND_H

#include <akin/block.h>
#include <akin/comm.h>

/* Some of the broken lists (topk.h) of all ranks, at most so many of each rank: every rank looks through its own block
 * for all of them. *left: how many there are still, of all ranks. *mended is increased. `own` has columns; what the
 * rules say of layers and `again` is passed over. Collective; agreed; same rules, most. */
AKIN_MUST_CHECK akin_status akin_mend(akin_comm *comm, const akin_block_rules *rules, akin_block *own, size_t most,
                                      size_t *left, double *mended);

#endif
