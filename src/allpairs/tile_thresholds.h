/* tile_thresholds: a tile's task in the integers of the sketches, for levels that sum in registers. Included by
 * tile.c and tile_avx2.h only. */
#ifndef AKIN_TILE_THRESHOLDS_H
#define AKIN_TILE_THRESHOLDS_H

#include "tile_level.h"

/* A pair is a hit where sum + offset > min(row, column). */
typedef struct {
    int32_t row[PANEL], column[PANEL], offset[PANEL];
} thresholds;

static inline int32_t whole(float scale, float x) {
    float held = x > -3 ? x : -3;
    return (int32_t)rintf(scale * (held < 3 ? held : 3));
}

static void prepare(const akin_tile_task *task, thresholds *out) {
    const float scale = task->row_sketch->row_scale * task->column_sketch->column_scale,
                margin = task->margin;
    for (int i = 0; i < PANEL; i++) {
        out->row[i] = whole(scale, task->row_least[i] - margin) - 2;
        out->column[i] = whole(scale, task->column_least[i] - margin) - 2;
        out->offset[i] = whole(scale, task->products[i]);
#if AKIN_LEVEL == 1 || AKIN_LEVEL >= 5
        out->offset[i] -= OFFSET * task->sums[i];
#endif
    }
}

static inline int32_t lowest_of(const int32_t *least) {
    int32_t low = least[0];
    for (int r = 1; r < ROWS; r++) low = least[r] < low ? least[r] : low;
    return low;
}

#endif
