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

/* A block is cut into `subs` parts (an even number), and a step into as many slices.
 *
 * After step 0, every rank compares in slice i all of its own part of the step with one part of the
 * held block.
 *
 * At step 0 the parts of a block stand in groups around a circle (2, 4, 8, or 16 of many parts),
 * and groups meet in the order of their distance: each with itself, then with its neighbours, at
 * last with the one opposite. At any time all rows have then seen about the same share of the
 * others, and their lists have risen alike. (If columns met all rows before them in order, a
 * column's list would still be empty then, and rule out nothing.) Slices are about equally long,
 * except where a group of more than 16 parts meets itself: there the later ones are longer, up
 * to twice the average. */

/* How many parts: so many that a slice has about 5e9 multiply-adds, fewer where parts would have
 * less than 768 rows or be more than 4,096 in all; a multiple of the number of groups. A core does
 * 3e10 multiply-adds a second in portable code, 1.5e11 with AVX2, 2.3e11 with VNNI (all on Zen 4),
 * and up to 2.7e12 in a matrix unit. */
int akin_ring_subs(int size, size_t rows, size_t dim);

/* How many slices share a vote of the ranks (allpairs.h): some tenths of a second, and at most an
 * eighth of a step. Ranks are kept in step by votes: one that is held up makes up for it until the
 * next. */
int akin_ring_vote_slices(int subs, size_t rows, size_t dim);

/* What a rank does in a slice, in parts of the blocks; returns how many pieces that is. part:
 * akin_ring_work of the step, also in parts. At step 0 either all rows of a piece are before its
 * columns, or the columns are the last of the rows: then they meet those before them, and each
 * other. */
enum { AKIN_RING_PIECES = 16 };
size_t akin_ring_slice(akin_ring_part part, int step, int subs, int slice,
                       akin_ring_part *pieces /* [AKIN_RING_PIECES] */);

/* The position of all ranks: `slice` slices of `step` are done, and all earlier steps. */
typedef struct {
    int size, subs, step, slice;
    double share;  /* of the pairs that can meet, on all ranks; nothing here depends on it */
    double before; /* akin_ring_share of the run at another number of ranks that was resumed */
} akin_ring_progress;

/* How much of the comparison is done, counting what was resumed. The pairs that an earlier run has
 * compared are spread over all parts of this one, which is quicker by as many: so its share stands
 * for as much of what had remained. Never less than what was resumed, and 1 at the end. */
double akin_ring_share(akin_ring_progress at);

/* Whether part sub_a of block_a and part sub_b of block_b have been compared. */
bool akin_ring_done(akin_ring_progress at, int block_a, int sub_a, int block_b, int sub_b);

#endif
