/* ring_checkpoint: the state of an all-pairs run, from which it resumes after any interruption,
 * at any number of ranks, with the same lists. Its variables: ring_checkpoint_file.h. */
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

/* What is known of a table's lists. */
typedef struct {
    size_t k;
    const akin_topk_limits *limits; /* NULL: none */
    bool offsets;                   /* scores are cosines and something more */
} akin_ring_checkpoint_table;

typedef struct {
    int layers;      /* of earlier runs: at most AKIN_ROW_BLOCK_LAYERS */
    int first_label; /* their labels start at this one of an item's */
    akin_ring_progress before[AKIN_ROW_BLOCK_LAYERS];
    akin_ring_progress progress;
    const size_t *counts;       /* [size] */
    akin_row_block *own, *held; /* of all tables; held: NULL if it is the own one */
    int held_rank;              /* whose block it is */
} akin_ring_checkpoint_state;

/* The part that row `index` of a block of this many rows is in. Not collective. */
int akin_ring_checkpoint_part(size_t count, int subs, size_t index);

/* Atomic. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_ring_checkpoint_write(akin_comm *comm, const char *path,
                                                       const akin_ring_checkpoint_origin *origin,
                                                       const akin_ring_checkpoint_state *state);

/* What was saved, for the rows of this rank's shard; owned. */
typedef struct {
    akin_ring_progress progress;
    size_t *counts; /* [progress.size] */
    int layers;     /* of runs before the saved one */
    akin_ring_progress before[AKIN_ROW_BLOCK_LAYERS];
    int64_t *place;                         /* [count], -1: the row was not distributed */
    int32_t *label;                         /* [count, 1 + layers]; -1 if not distributed */
    uint64_t *lists[AKIN_ROW_BLOCK_TABLES]; /* [count, k]: own and held merged, sorted */
    uint64_t *bars[AKIN_ROW_BLOCK_TABLES];  /* [count] */
} akin_ring_checkpoint;

/* AKIN_INPUT, with the differences, if the file is damaged or from another run. first, count:
 * this rank's shard of n items. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_ring_checkpoint_read(akin_comm *comm, const char *path,
                                                      const akin_ring_checkpoint_origin *origin,
                                                      size_t n,
                                                      const akin_ring_checkpoint_table *table,
                                                      int tables, akin_ring_checkpoint **out);
void akin_ring_checkpoint_free(akin_ring_checkpoint *waypoint); /* Not collective; NULL is fine */

#endif
