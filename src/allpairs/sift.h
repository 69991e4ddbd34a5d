/* sift: which hits of a tile are left by a second, tighter bound. Not collective. Cannot fail. Pure.
 *
 * The tile has multiplied the leading numbers of two rows, and the lengths of what these leave, the tails
 * (leading.h): its bound holds the product of the two lengths where the product of the tails belongs. Here the tails
 * are multiplied, in 8 bits, pair by pair. */
#ifndef AKIN_SIFT_H
#define AKIN_SIFT_H

#include <akin/dot.h>
#include <akin/sketch.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of a panel's tails, each as in akin_sketch_single. */
typedef struct {
    float unit[AKIN_SKETCH_PANEL], error[AKIN_SKETCH_PANEL], length[AKIN_SKETCH_PANEL];
    float reach[AKIN_SKETCH_PANEL];
    int32_t sum[AKIN_SKETCH_PANEL];
} akin_sift_tails;

typedef struct {
    size_t width;                                /* numbers of a tail: a multiple of 64 */
    const int8_t *rows, *columns;                /* [48, width]: the tails, */
    const akin_sift_tails *of_rows, *of_columns; /* and what is known of them */
    const float *row_least, *column_least;       /* [48]: as in tile.h */
    const int32_t *found; /* [count]: as in tile.h, and three more that may be read, */
    float unit;           /* and its unit */
    float margin;         /* the tile's, and how far `found` may be off */
} akin_sift_task;

typedef struct {
    /* Keeps those hits whose bound reaches the threshold of the row or of the column, and tells it; returns how
     * many. */
    size_t (*sift)(const akin_sift_task *task, akin_dot_hit *hits, size_t count,
                   float *bounds /* [count] */);
} akin_sift_kernels;

/* The kernels of the active level. */
const akin_sift_kernels *akin_sift(void);

#endif
