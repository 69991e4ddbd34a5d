/* partition: the rows of a catalogue dealt to the ranks in blocks that cost the same, and their
 * lists brought home.
 *
 * Each rank orders its shard's rows by label, category and availability (as far as the rules ask)
 * and deals them to the ranks one by one, so that every rank's block holds its share of every
 * category: all pairs of blocks cost the same, also when one category is half of the catalogue.
 * Rows that can neither have nor be a neighbour stay behind. Within a block rows stand by label,
 * category and availability (categories go round from one on that leaves both halves of the block
 * the same work), and within those near ones together (cluster.h).
 */
#ifndef AKIN_PARTITION_H
#define AKIN_PARTITION_H

#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

/* What was known before: arrays for the rows of this rank's shard, borrowed. */
typedef struct {
    const int32_t
        *label[AKIN_ROW_BLOCK_LAYERS]; /* [count] each; as many as the rules have layers */
    const uint64_t *lists; /* [count, k] sorted keys, 0 where none; NULL: lists begin empty */
    const int64_t
        *place; /* [count]: where in all blocks the row stood, -1 nowhere; NULL: deal anew */
    const size_t *counts; /* [size]: rows of each rank's block; with place only */
    const uint64_t *
        bars; /* [count]: what the lists asked for; NULL: with no lists, or where that is in them */
} akin_partition_prior;

/* *own: this rank's block, ready, with both sides; *counts: rows of each rank's block, [size],
 * owned. k: of the lists. Collective; agreed; same k and rules; prior (may be NULL): the same
 * members on all ranks. */
AKIN_MUST_CHECK akin_status akin_partition_out(akin_comm *comm, const akin_vectors *vectors,
                                               size_t k, const akin_row_block_rules *rules,
                                               const akin_partition_prior *prior,
                                               akin_row_block **own, size_t **counts);

/* The lists of a block, sorted already, to the ranks whose shards hold the rows. *lists: [count of
 * vectors, k], owned; *own is freed on the way and set NULL. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_partition_home(akin_comm *comm, const akin_vectors *vectors,
                                                size_t k, akin_row_block **own, uint64_t **lists);

#endif
