/* tile_task: what two panels bring to a tile's task (tile.h). Not collective. Cannot fail. */
#ifndef AKIN_TILE_TASK_H
#define AKIN_TILE_TASK_H

#include "tile.h"
#include <akin/row_block.h>

/* Their sketches, of so many dimensions; the caller adds what is asked. In place: a copy of what has just been written
 * would wait for it (2 % of the time of 200,000 x 32). */
static inline void akin_tile_task_take(akin_tile_task *task, size_t width,
                                       const akin_row_block_panel *rows,
                                       const akin_row_block_panel *columns) {
    task->stride = width;
    task->row_sketch = rows->sketch, task->column_sketch = columns->sketch;
    task->rows = rows->as_rows, task->columns = columns->as_columns;
    task->wrap = columns->wrap, task->sums = columns->sums;
}

/* The same with nothing asked. */
static inline akin_tile_task akin_tile_task_of(size_t width, const akin_row_block_panel *rows,
                                               const akin_row_block_panel *columns) {
    akin_tile_task task = {0};
    akin_tile_task_take(&task, width, rows, columns);
    return task;
}

#endif
