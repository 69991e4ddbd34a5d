/* row_lead: a block's rows as their leading numbers, for the tile, and the tails by themselves
 * (leading.h, sift.h). Not collective. */
#ifndef AKIN_ROW_LEAD_H
#define AKIN_ROW_LEAD_H

#include "leading.h"
#include "tile.h"
#include <akin/row_block.h>

typedef struct akin_row_lead akin_row_lead;

/* leading: borrowed. */
AKIN_MUST_CHECK akin_status akin_row_lead_create(size_t panels, const akin_leading *leading,
                                                 akin_row_lead **out);
void akin_row_lead_free(akin_row_lead *lead);                         /* NULL is fine */
const akin_leading *akin_row_lead_leading(const akin_row_lead *lead); /* NULL of NULL */

/* Parts the rows of panel p: keeps their tails, and returns their leading numbers, borrowed until the
 * next call. */
const float /* [count, leading's count] */ *
akin_row_lead_part(akin_row_lead *lead, size_t p, const float *rows /* [count, stride] */,
                   size_t count);

/* Those of a mean, which has no tail; likewise. */
const float *akin_row_lead_mean(akin_row_lead *lead, const float *centre /* [stride] */);

/* Keeps the hits that the second bound leaves, and writes their bounds; task: as the tile had it.
 * Returns how many. */
size_t akin_row_lead_sift(const akin_row_lead *rows, size_t p, const akin_row_lead *columns,
                          size_t q, const akin_tile_task *task, akin_dot_hit *hits, size_t count,
                          float *bounds);

/* A block's; NULL: its rows are not divided. */
const akin_row_lead *akin_row_block_parted(const akin_row_block *block);

#endif
