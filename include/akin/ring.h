/* ring: which rank compares which two blocks, and when. Pure arithmetic, tested for 4,096 ranks in one process.
 *
 * Floor 0 (base); looks down to nothing. Not collective. Cannot fail.
 *
 * Every rank keeps its own block of rows and a copy of a travelling one. At step 0 it compares its own block with
 * itself; before each later step the travelling blocks move one rank to the left, so that at step s rank r holds block
 * (r + s) % size. Scores are symmetric, so half of the ring is enough: size / 2 steps. With an even size the last step
 * would bring every pair of blocks together twice, on rank r and on rank r + size / 2: there the lower rank takes the
 * first half of its own block, and the upper rank the rest of it. So each pair of blocks is compared exactly once, and
 * all ranks do the same work to within one unit.
 *
 * A rank sends size / 2 times one block and its lists, and receives as many.
 */
#ifndef AKIN_RING_H
#define AKIN_RING_H

#include <stddef.h>

int akin_ring_steps(int size);                       /* the last step; 0 for one rank */
int akin_ring_held(int size, int rank, int step);    /* whose block this rank holds at the step */
int akin_ring_holder(int size, int block, int step); /* which rank holds the block at the step */

/* The part of a step that is this rank's: rows of its own block against columns of the block that it holds, in units
 * of which there are own_count and held_count (at step 0 both blocks are the same one). */
typedef struct {
    size_t own_first, own_end;
    size_t held_first, held_end;
} akin_ring_part;
akin_ring_part akin_ring_work(int size, int rank, int step, size_t own_count, size_t held_count);

#endif
