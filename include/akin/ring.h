/* ring: which rank compares which two blocks, and when. Pure arithmetic, tested for 4,096 ranks
 * in one process. Not collective. Cannot fail. Every rank keeps its own block of rows and a copy
 * of a travelling one. At step 0 it compares its own block with itself; before each later step
 * the travelling blocks move one rank to the left, so that at step s rank r holds block (r + s)
 * % size. Scores are symmetric, so half of the ring is enough: size / 2 steps. With an even size
 * the last step would compare every pair of blocks twice, on rank r and on rank r + size / 2:
 * there the lower rank takes the first half of its own block, and the upper rank the rest of it.
 * So each pair of blocks is compared exactly once, and all ranks do the same work to within one
 * unit. A rank sends size / 2 times one block and its lists, and receives as many. */
#ifndef AKIN_RING_H
#define AKIN_RING_H

#include <stdbool.h>
#include <stddef.h>

int akin_ring_steps(int size);                       /* the last step; 0 for one rank */
int akin_ring_held(int size, int rank, int step);    /* whose block this rank holds at the step */
int akin_ring_holder(int size, int block, int step); /* which rank holds the block at the step */

/* The part of a step that is this rank's: rows of its own block against columns of the block that
 * it holds, in units of which there are own_count and held_count (at step 0 both blocks are the
 * same one). */
typedef struct {
    size_t own_first, own_end;
    size_t held_first, held_end;
} akin_ring_part;
akin_ring_part akin_ring_work(int size, int rank, int step, size_t own_count, size_t held_count);

/* A block is cut into `subs` parts (an even number), and a step into as many slices: in slice i
 * every rank compares all of its own part of the step with held parts [first, end). */
/* How many: such that a slice of blocks of `rows` rows takes about a second, and few in all. */
int akin_ring_subs(int size, size_t rows, size_t dim);
void akin_ring_slice(akin_ring_part part, int subs, int slice, size_t *first, size_t *end);

/* The position of all ranks: `slice` slices of `step` are done, and all earlier steps. */
typedef struct {
    int size, subs, step, slice;
} akin_ring_progress;

/* Whether part sub_a of block_a and part sub_b of block_b have been compared. */
bool akin_ring_done(akin_ring_progress at, int block_a, int sub_a, int block_b, int sub_b);

/* The share of all pairs of parts that have been compared: in [0, 1]. */
double akin_ring_share(akin_ring_progress at);

#endif
