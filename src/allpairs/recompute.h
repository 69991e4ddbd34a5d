/* recompute: recomputes lists whose threshold fewer than k others reached (thresholds.h), from
 * the proven threshold. */
#ifndef AKIN_RECOMPUTE_H
#define AKIN_RECOMPUTE_H

#include <akin/comm.h>
#include <akin/row_block.h>

/* Some of the broken lists (topk.h) of all ranks, at most this many of each rank: every rank
 * searches its own block for all of them. *left: how many remain, on all ranks. *mended is
 * increased by the number of recomputed lists. `own` has columns; the rules' layers and `again` are
 * ignored. Collective; agreed; same rules, most. */
AKIN_MUST_CHECK akin_status akin_recompute(akin_comm *comm, const akin_row_block_rules *rules,
                                           akin_row_block *own, size_t most, size_t *left,
                                           double *mended);

#endif
