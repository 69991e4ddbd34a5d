/* code_sums: what rows of small whole numbers have in common: their sums and the sums of their
 * products, exact, so that they are the same however ranks hold the rows. Not collective. */
#ifndef AKIN_CODE_SUMS_H
#define AKIN_CODE_SUMS_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_CODE_SUMS_MOST 128 /* a number of a row is from 0 to this */

typedef struct akin_code_sums akin_code_sums;

/* Rows of `words` numbers. */
AKIN_MUST_CHECK akin_status akin_code_sums_create(size_t words, akin_code_sums **out);
void akin_code_sums_free(akin_code_sums *sums); /* NULL is fine */

/* The next row [words], all zero, to be filled before the next call; borrowed. */
float *akin_code_sums_row(akin_code_sums *sums);
/* After the last row. */
void akin_code_sums_finish(akin_code_sums *sums);

/* What is to be summed over the ranks, then; borrowed. */
int64_t *akin_code_sums_counts(akin_code_sums *sums, size_t *count);

/* Of `rows` rows, over all ranks, each divided by `unit`. */
double akin_code_sums_mean(const akin_code_sums *sums, size_t rows, double unit, size_t word);
/* Elements [i, j] with j >= i of matrix [words, words]. */
void akin_code_sums_covariance(const akin_code_sums *sums, size_t rows, double unit,
                               double *matrix);

#endif
