/* thresholds: thresholds of a block's rows that are tight from the start.
 *
 * A list that starts empty accepts about k (1 + ln(n / k)) entries until it has seen n rows, and
 * each has to be scored and inserted. So every row first looks at a sample of m rows: the (k +
 * 1)-th best score there, itself among them, minus the possible error of float32, is one that k
 * others reach. That is proven, and then about k (1 + ln(n / m)) are accepted. The scores of the
 * sample are one product of matrices; the (k + 1)-th of them is found by bisection, in twelve
 * steps of counting, which leaves it at most 2^-11 too low.
 *
 * What k others will reach in the end can be predicted more tightly than it can be proven:
 *
 * - if the sample is an eighth of the rows, k / 8 + 2 (k / 8)^(1/2) + 2 of it are hardly ever all
 *   among the k best;
 * - if it is less, by distance: (1 - last) = g (1 - proven) with about the same g for all rows,
 *   since it says how many more rows a correspondingly wider neighbourhood has. g is estimated
 *   from some hundred rows whose lists are computed first; only one in 256 of them has a larger g.
 *   The sample and these rows are of the blocks of all ranks, so thresholds are as tight at any
 *   number of them.
 *
 * Where groups or rules for each source item keep rows apart, rows that a row may not meet are
 * removed from its sample. Rows are ordered by the rules, so a few panels at a time share a sample
 * of only those panels that they can meet. There, and where only rows of one category meet, each
 * rank predicts for its own block: no more of the k best than its share k / blocks, and
 * 2 (k / blocks)^(1/2) + 2 more, will be in it.
 *
 * A list with such a threshold is correct if it is full in the end, since then k others do reach it
 * (topk.h, akin_topk_broken); the few that are not full are recomputed from the proven
 * threshold. */
#ifndef AKIN_THRESHOLDS_H
#define AKIN_THRESHOLDS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>

/* Raises what the rows of a block require (akin_row_block_raise), by what is proven from a
 * sample of `among`, which may be the same block. If only rows of one category meet, they are
 * adjacent in both and have a sample of their own. Does nothing if pairs are done (layers), if lists
 * have limits, or if rows are too few for it to pay. AKIN_FAILED: out of
 * memory. Not collective. */
AKIN_MUST_CHECK akin_status akin_thresholds_prove(akin_row_block *block,
                                                  const akin_row_block *among,
                                                  const akin_row_block_rules *rules);

/* Where a block's rows are in the order of all ranks' blocks. */
typedef struct {
    size_t all, before; /* rows of all blocks, and of those of lower ranks */
    bool several;       /* the block's table shares its pass with others */
} akin_thresholds_place;

/* The same by prediction, of the rows of all ranks' blocks. `block` has both sides. Collective;
 * agreed; same rules. */
AKIN_MUST_CHECK akin_status akin_thresholds_foretell(akin_comm *comm, akin_row_block *block,
                                                     akin_thresholds_place place,
                                                     const akin_row_block_rules *rules);

#endif
