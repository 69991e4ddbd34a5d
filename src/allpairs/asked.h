/* asked: the thresholds of a panel's rows for the rows of another panel, in one table. Not collective.
 * Pure. */
#ifndef AKIN_ASKED_H
#define AKIN_ASKED_H

#include "tile.h"
#include <akin/row_block.h>

/* Lowers thresholds to those of the rows of panel p for panel q of `other`; those of rows that can have
 * nothing from it are infinite. Both blocks are of the table that has these rules. */
void akin_asked_lower(const akin_tile_kernels *tile, const akin_row_block_rules *rules,
                      const akin_row_block *block, size_t p, const akin_row_block *other, size_t q,
                      float *least /* [48] */);

#endif
