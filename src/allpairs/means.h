/* means: the means of some row panels by the rows of some column panels, all of them in one
 * product of matrices, which reads the rows once for all means. Not collective. */
#ifndef AKIN_MEANS_H
#define AKIN_MEANS_H

#include <akin/row_block.h>

enum {
    AKIN_MEANS_COLUMNS = 32,              /* panels in one product, at most, */
    AKIN_MEANS_ROWS = 256,                /* and of rows */
    AKIN_MEANS_MOST = AKIN_MEANS_ROWS + 1 /* shared ones from anywhere on */
};

/* Large: not touched where rows are short. */
typedef struct {
    bool known; /* so few panels have a mean that each is better multiplied by itself: false */
    size_t row_first, column_first, columns; /* panels */
    float products[AKIN_MEANS_MOST * AKIN_MEANS_COLUMNS * AKIN_ROW_BLOCK_PANEL];
    size_t row_sharing, column_sharing, shared; /* panels with one mean; means of the columns */
    float between[AKIN_MEANS_MOST * (AKIN_MEANS_COLUMNS + 1)];
} akin_means;

/* Rows and columns [first, end), in panels. */
void akin_means_multiply(akin_means *means, const akin_row_block *a, size_t a_first, size_t a_end,
                         const akin_row_block *b, size_t b_first, size_t b_end);

/* If they are known: the mean of row panel p by the rows of column panel q, [48]; by its mean. */
const float *akin_means_products(const akin_means *means, size_t p, size_t q);
float akin_means_between(const akin_means *means, size_t p, size_t q);

#endif
