/* hubs: items that stand in many lists, for they are near to everything (Conneau et al. 2018, "Word
 * Translation Without Parallel Data", arXiv 1710.04087: CSLS). */
#ifndef AKIN_HUBS_H
#define AKIN_HUBS_H

#include "first_pass.h"
#include "item_rules.h"
#include "products.h"

/* Whose lists, and by which rules. */
typedef struct {
    const akin_vectors *vectors;
    const akin_row_block_rules *rules; /* those of item_rules among them */
    const akin_item_rules *item_rules;
    const akin_products *products; /* as products.h or product_means.h compares them; NULL: items */
    bool mean;                     /* of product_means.h: the vectors are products */
    size_t k;
} akin_hubs_lists;

/* Subtracts from offset [count of the shard] a mean of k scores, that are cosines or of products, 0 of an
 * empty list; limits (at-most), pins and offsets left aside:
 *
 * - of items, and of products: each one's mean score with its own k neighbours under these rules, the
 *   product's for all of its pictures;
 * - of two catalogues: each target's mean score with the k nearest sources in whose lists it may stand
 *   by these rules, r_T of the paper.
 *
 * Adds to the figures. A comparison of all pairs, which goes on from the checkpoint and leaves it there;
 * checkpoint: NULL = none. AKIN_INTERRUPTED after a signal. Collective; agreed; same lists, checkpoint. */
AKIN_MUST_CHECK akin_status akin_hubs_damp(akin_comm *comm, const akin_hubs_lists *lists,
                                           const akin_first_pass_checkpoint *checkpoint,
                                           float *offset, akin_allpairs_figures *figures);

#endif
