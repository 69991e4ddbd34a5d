/* row_sketches: the sketches of a block's rows, panel by panel, as tiles take them (sketch.h), and the means of its
 * panels, which adjacent ones may share (sharing.h). Not collective. */
#ifndef AKIN_ROW_SKETCHES_H
#define AKIN_ROW_SKETCHES_H

#include "row_lead.h"
#include <akin/row_block.h>

/* Members are for the view below and for row_block alone. */
typedef struct {
    size_t panels, dim, stride; /* of the rows */
    akin_row_block_sides sides;
    size_t width;                /* dimensions of the sketches */
    size_t side_size, wrap_size; /* of a panel: bytes of one side, words */
    size_t sharing;              /* adjacent panels that have one mean */
    akin_sketch *sketches;       /* [panels] */
    float *centres;              /* [panels / sharing, rounded up, stride] */
    akin_row_lead *lead;         /* NULL: rows are not divided */
    uint8_t *as_rows;            /* [panels, side_size] */
    int8_t *as_columns;          /* [panels, side_size] */
    int16_t *wrap;               /* [panels, wrap_size] */
    int32_t *sums;               /* [panels, 48] */
    double *taken; /* [48 + 1, width]: of the panel that is being made, and its mean */
} akin_row_sketches;

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

/* Sets what a panel's view tells of its sketches and its mean; here, since there is one for each tile. */
static inline void akin_row_sketches_view(const akin_row_sketches *s, size_t p,
                                          akin_row_block_panel *view) {
    view->centre = s->centres + p / s->sharing * s->stride;
    view->sharing = s->sharing;
    view->sketch = s->sketches + p;
    view->as_rows = s->as_rows != NULL ? s->as_rows + p * s->side_size : NULL;
    view->as_columns = s->as_columns != NULL ? s->as_columns + p * s->side_size : NULL;
    view->wrap = s->wrap != NULL ? s->wrap + p * s->wrap_size : NULL;
    view->sums = s->sums != NULL ? s->sums + p * AKIN_ROW_BLOCK_PANEL : NULL;
}

/* A panel's sketch as columns, borrowed; the next panel's follows it. */
const int8_t *akin_row_sketches_columns(const akin_row_sketches *sketches, size_t p);

#endif
