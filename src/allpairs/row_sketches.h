/* row_sketches: the sketches of a block's rows, panel by panel, as tiles take them (sketch.h), and the means of its
 * panels, which adjacent ones may share (sharing.h). Not collective. */
#ifndef AKIN_ROW_SKETCHES_H
#define AKIN_ROW_SKETCHES_H

#include "row_lead.h"
#include <akin/row_block.h>

typedef struct akin_row_sketches akin_row_sketches;

AKIN_MUST_CHECK akin_status akin_row_sketches_create(size_t panels, size_t dim,
                                                     akin_row_block_sides sides,
                                                     akin_row_sketches **out);
void akin_row_sketches_free(akin_row_sketches *sketches); /* NULL is fine */

/* Of rows that are divided from now on. Once, before they are made. leading: borrowed. AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_row_sketches_divide(akin_row_sketches *sketches,
                                                     const akin_leading *leading);
const akin_row_lead *
akin_row_sketches_lead(const akin_row_sketches *sketches); /* NULL: not divided */

/* rows: followed by zeros up to a whole panel. */
void akin_row_sketches_make(akin_row_sketches *sketches, const float *rows /* [count, stride] */,
                            size_t count);

/* Sets what a panel's view tells of its sketches and its mean. */
void akin_row_sketches_view(const akin_row_sketches *sketches, size_t p,
                            akin_row_block_panel *view);

/* A panel's sketch as columns, borrowed; the next panel's follows it. */
const int8_t *akin_row_sketches_columns(const akin_row_sketches *sketches, size_t p);

#endif
