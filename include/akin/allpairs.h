/* allpairs: compares every row of a catalogue with every other, on all ranks: the k best of each.
 * Not collective unless stated.
 *
 * 1. Partition (partition.h): every rank gets a block of rows of equal cost; a sample predicts the
 *    thresholds of its lists (thresholds.h).
 * 2. Ring (ring.h). A block travels as its body and its lists; the next body arrives while this one
 *    is compared. A travelling list starts as a copy of the owner's, so its threshold is tight from
 *    the beginning; entries that both have are one entry when they are merged (topk.h).
 * 3. Recompute (recompute.h): the few lists whose threshold was too high for k entries.
 * 4. Return: lists go to the rank whose shard holds the row.
 *
 * A rank holds three blocks of n / size rows with their lists, of which two have one side only:
 * n / size (12 stride + 4 stride + 24 k + 160) bytes, and a little more, where stride = dim
 * rounded up to a multiple of 16 (30 k in place of 24 k for long lists).
 *
 * Several tables share the rows and every product of two panels (compare.h). Each adds its own
 * lists, and its own offers of the pairs that at least one table does not rule out.
 *
 * A step of the ring is done in slices. After some of them, at most an eighth of a step, the ranks
 * exchange whether a signal arrived or a checkpoint is due, and act on it at the next such moment, so
 * that none waits for another's slices.
 * A checkpoint holds the position in the ring and the lists at that time. With the same number of
 * ranks a run continues there; with another number it starts over with these lists, skips the
 * pairs that they cover (the rules' layers), and ends with the same lists. */
#ifndef AKIN_ALLPAIRS_H
#define AKIN_ALLPAIRS_H

#include <akin/comm.h>
#include <akin/ring.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

/* How many entries a list can have: min(k, n - 1), at least 1. */
size_t akin_allpairs_list(size_t n, size_t k);

/* The results of an earlier run: arrays for the rows of this rank's shard, borrowed. */
typedef struct {
    const int32_t
        *label[AKIN_ROW_BLOCK_LAYERS]; /* [count] each; as many as the rules have layers */
    const uint64_t *lists; /* [count, k] sorted keys, 0 = none; NULL: lists start empty */
    const int64_t
        *place; /* [count]: the row's position in all blocks, -1 = none; NULL: distribute again.
                 * The first table's holds for all */
    const size_t *counts; /* [size]: rows of each rank's block; with place only */
    const uint64_t
        *bars; /* [count]: the lists' thresholds; NULL: without lists, or if the lists hold them */
} akin_partition_prior;

/* Between two slices: this rank's own block with its lists, and the block whose lists travel with
 * it (NULL at step 0, when it is its own), borrowed. */
typedef struct {
    akin_ring_progress progress;
    const size_t *counts;       /* [size]: rows of each rank's block */
    akin_row_block *own, *held; /* of all tables */
    int held_rank;              /* whose block it is */
} akin_allpairs_state;

/* Lists with their own rules. Tables computed together are bit-identical to tables computed
 * separately. */
typedef struct {
    size_t k;
    const akin_row_block_rules *rules;
    const akin_partition_prior *prior; /* NULL: nothing was known before */
} akin_allpairs_table;

typedef struct {
    const akin_allpairs_table *table; /* [tables] */
    int tables;                       /* 1 to AKIN_ROW_BLOCK_TABLES */
    akin_ring_progress progress;      /* where to continue; with prior->place only, else
                                         only `before` can be other than 0 */
    double save_every;                /* seconds */
    bool save_end;                    /* also when all pairs are compared */
    const char *stage;                /* of the progress; NULL: "neighbors" */
    /* Called by all ranks after a signal and at regular intervals; NULL: never. Collective;
     * agreed. */
    akin_status (*save)(void *context, const akin_allpairs_state *state);
    void *context;
} akin_allpairs_params;

typedef struct {
    double seconds; /* from unit rows in memory to lists in memory, of the slowest rank */
    double
        seconds_waiting; /* of these, spent waiting for others, on the rank that waited longest */
    double pairs;        /* (i, j) and (j, i); of two catalogues those of a source and a target */
    double computed;     /* of these, pairs whose products were computed in 8 bits, on all
                            ranks */
    double scored;       /* pairs that were scored in float32, on all ranks */
    double mended;       /* lists that were recomputed; the two counts above exclude that work */
    const char *kernel;  /* of the tile */
    size_t leading;      /* dimensions that it multiplied, the largest; 0: all */
} akin_allpairs_figures;

/* lists [tables]: for each [count of vectors, akin_allpairs_list(n, k)], keys of topk.h, best
 * first, 0 where there is no entry; owned; NULL unless AKIN_OK. AKIN_INTERRUPTED after a signal.
 * Collective; agreed; same params, except for arrays of this rank's shard. */
AKIN_MUST_CHECK akin_status akin_allpairs(akin_comm *comm, const akin_vectors *vectors,
                                          const akin_allpairs_params *params, uint64_t **lists,
                                          akin_allpairs_figures *figures);

#endif
