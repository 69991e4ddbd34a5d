/* ring_checkpoint: the state of an all-pairs run. A run can resume from it after any interruption,
 * at any number of ranks, with the same result. The variables of the file: ring_checkpoint_file.h.
 */
#ifndef AKIN_RING_CHECKPOINT_H
#define AKIN_RING_CHECKPOINT_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/ring.h>
#include <akin/row_block.h>
#include <akin/topk.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *options, *result_options;
    const char *embeddings_digest, *previous_digest; /* "" = none */
} akin_ring_checkpoint_origin;

/* The saved state of a table's lists. */
typedef struct {
    size_t k;
    const akin_topk_limits *limits; /* NULL: none */
    bool offsets;                   /* scores are cosines plus an offset */
} akin_ring_checkpoint_table;

typedef struct {
    int layers;      /* of earlier runs: at most AKIN_ROW_BLOCK_LAYERS */
    int first_label; /* their labels begin at this position among an item's labels */
    akin_ring_progress before[AKIN_ROW_BLOCK_LAYERS];
    akin_ring_progress progress;
    const size_t *counts;       /* [size] */
    akin_row_block *own, *held; /* of all tables; held: NULL if the rank holds its own block */
    int held_rank;              /* the owner of the held block */
} akin_ring_checkpoint_state;

/* The part of a block with this many rows to which row `index` belongs. Not collective. */
int akin_ring_checkpoint_part(size_t count, int subs, size_t index);

/* Atomic. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_ring_checkpoint_write(akin_comm *comm, const char *path,
                                                       const akin_ring_checkpoint_origin *origin,
                                                       const akin_ring_checkpoint_state *state);

/* The saved state, for the rows of this rank's shard; owned. */
typedef struct {
    akin_ring_progress progress;
    size_t *counts; /* [progress.size] */
    int layers;     /* of runs before the saved one */
    akin_ring_progress before[AKIN_ROW_BLOCK_LAYERS];
    int64_t *place; /* [count], -1: the row takes no part */
    int32_t *label; /* [count, 1 + layers]; -1 if the row does not take part */
    uint64_t *lists[AKIN_ROW_BLOCK_TABLES]; /* [count, k]: own and held merged, sorted */
    uint64_t *bars[AKIN_ROW_BLOCK_TABLES];  /* [count] */
} akin_ring_checkpoint;

/* AKIN_INPUT, with the differences: the file is damaged or from another run. first, count: this
 * rank's shard of n items. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_ring_checkpoint_read(akin_comm *comm, const char *path,
                                                      const akin_ring_checkpoint_origin *origin,
                                                      size_t n,
                                                      const akin_ring_checkpoint_table *table,
                                                      int tables, akin_ring_checkpoint **out);
void akin_ring_checkpoint_free(akin_ring_checkpoint *waypoint); /* Not collective; NULL is fine */

#endif
