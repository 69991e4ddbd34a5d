/* covariance: mean and covariance of rows that are distributed over ranks, bit-identical for any
 * distribution. Not collective. Rows come in blocks of AKIN_COVARIANCE_BLOCK, the same blocks
 * whichever rank has them (the last may be short): a block's products are summed in float in one
 * order, blocks in fixed point (fixed.h), which is exact in any order. Three passes: the mean of
 * all rows, the peak of the centred rows, and the products:
 *
 *   see every block; sum akin_covariance_mean_sums over the ranks; akin_covariance_mean
 *   measure every block; take the largest peak over the ranks; akin_covariance_scale
 *   add every block; sum akin_covariance_sums over the ranks; akin_covariance_get */
#ifndef AKIN_COVARIANCE_H
#define AKIN_COVARIANCE_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_COVARIANCE_BLOCK ((size_t)256)  /* rows per block */
#define AKIN_COVARIANCE_ROWS ((size_t)65536) /* most rows, over all ranks */
#define AKIN_COVARIANCE_LIMIT 0x1p20F        /* values must be smaller in magnitude */

typedef struct akin_covariance akin_covariance;

AKIN_MUST_CHECK akin_status akin_covariance_create(size_t dim, akin_covariance **out);
void akin_covariance_free(akin_covariance *covariance); /* NULL is fine */

/* AKIN_FAILED: a value is not finite or too large. rows [count, dim], any count. */
AKIN_MUST_CHECK akin_status akin_covariance_see(akin_covariance *covariance, const float *rows,
                                                size_t count);
int64_t *akin_covariance_mean_sums(akin_covariance *covariance, size_t *count); /* borrowed */
void akin_covariance_mean(akin_covariance *covariance, size_t rows, float *mean /* [dim] */);

/* The largest |row - mean| so far, over all calls; finite. */
double akin_covariance_measure(akin_covariance *covariance, const float *rows, size_t count);
/* AKIN_FAILED: not enough memory for the products. */
AKIN_MUST_CHECK akin_status akin_covariance_scale(akin_covariance *covariance, double peak);

void akin_covariance_add(akin_covariance *covariance, const float *rows,
                         size_t count);                                    /* one block */
int64_t *akin_covariance_sums(akin_covariance *covariance, size_t *count); /* borrowed */
/* Elements [i, j] with j >= i of matrix [dim, dim]; the mean product over `rows` rows. */
void akin_covariance_get(const akin_covariance *covariance, size_t rows, double *matrix);

#endif
