/* code_sums: sums of rows of small integers and of the products of their columns. The sums are
 * exact, so they do not depend on how rows are distributed over ranks. Not collective. */
#ifndef AKIN_CODE_SUMS_H
#define AKIN_CODE_SUMS_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_CODE_SUMS_MOST 128 /* the numbers of a row are between 0 and this */

typedef struct akin_code_sums akin_code_sums;

/* For rows of `words` numbers. */
AKIN_MUST_CHECK akin_status akin_code_sums_create(size_t words, akin_code_sums **out);
void akin_code_sums_free(akin_code_sums *sums); /* NULL is fine */

/* The next row [words], zeroed; the caller fills it in before the next call. Borrowed. */
float *akin_code_sums_row(akin_code_sums *sums);
/* Call after the last row. */
void akin_code_sums_finish(akin_code_sums *sums);

/* The counts to be summed over the ranks after akin_code_sums_finish; borrowed. */
int64_t *akin_code_sums_counts(akin_code_sums *sums, size_t *count);

/* The covariance of `rows` rows of all ranks, each divided by `unit`. */
double akin_code_sums_mean(const akin_code_sums *sums, size_t rows, double unit, size_t word);
/* Writes elements [i, j] with j >= i of matrix [words, words]. */
void akin_code_sums_covariance(const akin_code_sums *sums, size_t rows, double unit,
                               double *matrix);

#endif
