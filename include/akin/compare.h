/* compare: every row of one block with every row of another. Not collective.
 *
 * Each row is offered once to each list that may take it. The lists do not depend on the order
 * of comparisons, nor on how rows are distributed to blocks and panels: a score is a function of
 * the two rows alone (dot.h), a list keeps the best under a total order (topk.h), and pairs are
 * ruled out without a score only by proven bounds (sketch.h, leading.h, sift.h). The time does
 * depend on it: the tighter the lists' thresholds, the more pairs are ruled out. So every panel,
 * which holds similar rows, is first compared with itself. */
#ifndef AKIN_COMPARE_H
#define AKIN_COMPARE_H

#include <akin/row_block.h>
#include <stdint.h>

typedef struct {
    double computed; /* pairs, (i, j) and (j, i), whose sketches were multiplied */
    double scored;   /* of these, pairs that were not ruled out: (i, j) once */
} akin_compare_figures;

typedef struct akin_compare akin_compare;

AKIN_MUST_CHECK akin_status akin_compare_create(const akin_row_block_rules *rules,
                                                akin_compare **out); /* rules: kept */
/* Compares for all tables of the blocks (row_block.h), each with its own rules; an object created
 * for one table accepts the block of any table. Two panels are multiplied once for all tables, with
 * the lowest threshold of any table, and are skipped if no table lets them meet. */
AKIN_MUST_CHECK akin_status akin_compare_create_tables(const akin_row_block_rules *const *rules,
                                                       int tables, akin_compare **out);
void akin_compare_free(akin_compare *compare); /* NULL is fine */

/* Whether only rows of one category meet, in all tables. */
bool akin_compare_same_category(const akin_compare *compare);

/* Compares every panel of a block that is ready with itself. */
void akin_compare_itself(akin_compare *compare, akin_row_block *a);

/* Compares panels [a_first, a_end) of a (as rows) with [b_first, b_end) of b (as columns); within
 * one block, each pair of panels (p, q) with p < q. */
void akin_compare_panels(akin_compare *compare, akin_row_block *a, size_t a_first, size_t a_end,
                         akin_row_block *b, size_t b_first, size_t b_end);

akin_compare_figures
akin_compare_figures_of(const akin_compare *compare); /* since it was created */

#endif
