/* means: the means of some row panels by the rows of some column panels. */
#include "means.h"
#include <akin/linalg.h>

enum { PANEL = AKIN_ROW_BLOCK_PANEL, FEWEST = 4 /* panels of rows with a mean */ };

/* Where a panel's mean is among those from the panel `first` on. */
static size_t mean_of(size_t p, size_t first, size_t sharing) {
    return p / sharing - first / sharing;
}

void akin_means_multiply(akin_means *m, const akin_row_block *a, size_t a_first, size_t a_end,
                         const akin_row_block *b, size_t b_first, size_t b_end) {
    size_t means = 0;
    for (size_t p = a_first; p < a_end; p++) means += akin_row_block_view(a, p).sketch->inverse > 0;
    m->known = means >= FEWEST;
    if (!m->known) return;
    m->row_first = a_first, m->column_first = b_first, m->columns = b_end - b_first;
    const size_t stride = akin_row_block_stride(a);
    const akin_row_block_panel rows = akin_row_block_view(a, a_first),
                               columns = akin_row_block_view(b, b_first);
    m->row_sharing = rows.sharing, m->column_sharing = columns.sharing;
    m->shared = mean_of(b_end - 1, b_first, m->column_sharing) + 1;
    akin_linalg_shape shape = {mean_of(a_end - 1, a_first, m->row_sharing) + 1, m->columns * PANEL,
                               stride, AKIN_TURN_B};
    akin_linalg_product(shape, rows.centre, columns.rows, m->products);
    shape.columns = m->shared;
    akin_linalg_product(shape, rows.centre, columns.centre, m->between);
}

const float *akin_means_products(const akin_means *m, size_t p, size_t q) {
    return m->products +
           (mean_of(p, m->row_first, m->row_sharing) * m->columns + q - m->column_first) * PANEL;
}

float akin_means_between(const akin_means *m, size_t p, size_t q) {
    return m->between[mean_of(p, m->row_first, m->row_sharing) * m->shared +
                      mean_of(q, m->column_first, m->column_sharing)];
}
