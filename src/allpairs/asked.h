/* asked: the thresholds of a panel's rows for the rows of another panel. Not collective. Pure. */
#ifndef AKIN_ASKED_H
#define AKIN_ASKED_H

#include "tile.h"
#include <akin/row_block.h>

/* Tables of the same rows that are compared together, and the kernels that do it. */
typedef struct {
    const akin_tile_kernels *tile; /* while panels are compared */
    int count;
    const akin_row_block_rules *rules[AKIN_ROW_BLOCK_TABLES];
} akin_asked_tables;

/* The block of a table; one table alone may be any of a block's. */
static inline akin_row_block *akin_asked_block(const akin_asked_tables *tables,
                                               akin_row_block *block, int table) {
    return tables->count == 1 ? block : akin_row_block_table(block, table);
}

/* The lowest thresholds of the rows of panel p for panel q of `other`, in any of the tables in
 * which the two may meet (`met`: a bit each); those of rows that can have nothing from it are
 * infinite. Borrowed from the block, or in `least`. */
const float *akin_asked_of(const akin_asked_tables *tables, uint32_t met, akin_row_block *block,
                           size_t p, akin_row_block *other, size_t q, float *least /* [48] */);

#endif
