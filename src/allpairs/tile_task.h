/* tile_task: what two panels bring to a tile's task (tile.h). Not collective. Cannot fail. */
#ifndef AKIN_TILE_TASK_H
#define AKIN_TILE_TASK_H

#include "tile.h"
#include <akin/row_block.h>

/* Their sketches, of so many dimensions; the caller adds what is asked. */
static inline akin_tile_task akin_tile_task_of(size_t width, const akin_row_block_panel *rows,
                                               const akin_row_block_panel *columns) {
    return (akin_tile_task){.stride = width,
                            .row_sketch = rows->sketch,
                            .column_sketch = columns->sketch,
                            .rows = rows->as_rows,
                            .columns = columns->as_columns,
                            .wrap = columns->wrap,
                            .sums = columns->sums};
}

#endif
