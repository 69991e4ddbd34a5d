/* hubs: items that appear in many lists because they are near to very many others. Their scores are
 * reduced as in CSLS (Conneau et al. 2018, "Word Translation Without Parallel Data", arXiv
 * 1710.04087). */
#ifndef AKIN_HUBS_H
#define AKIN_HUBS_H

#include "first_pass.h"
#include "item_rules.h"
#include "products.h"

/* The lists to consider, and their rules. */
typedef struct {
    const akin_vectors *vectors;
    const akin_row_block_rules *rules; /* those of item_rules among them */
    const akin_item_rules *item_rules;
    const akin_products *products; /* as in products.h or product_means.h; NULL: items */
    bool
        mean; /* product_means.h is used: the vectors are those of products, two rows for each. With
                * two catalogues each product has one row, and `products` is NULL */
    size_t k;
} akin_hubs_lists;

/* Subtracts a mean of k scores from offset [count of the shard]. The scores are cosines or scores
 * of products; nothing is subtracted for an empty list. Limits (at-most), pins and existing offsets
 * are ignored.
 *
 * - For items and products: each one's mean score with its own k neighbours under these rules; a
 *   product's mean is used for all of its pictures.
 * - For two catalogues: each target's mean score with the k nearest sources whose lists may contain
 *   it under these rules; r_T in the paper. A target product's mean is used for all of its pictures.
 *
 * This is an all-pairs comparison. It resumes from the checkpoint, which stays; checkpoint: NULL =
 * none. Adds to the figures. AKIN_INTERRUPTED after a signal. Collective; agreed; same lists,
 * checkpoint. */
AKIN_MUST_CHECK akin_status akin_hubs_damp(akin_comm *comm, const akin_hubs_lists *lists,
                                           const akin_first_pass_checkpoint *checkpoint,
                                           float *offset, akin_allpairs_figures *figures);

#endif
