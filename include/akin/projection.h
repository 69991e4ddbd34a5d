/* projection: projects raw numbers onto the axes of their largest variance. Not collective. A
 * row x becomes A^T (x - mean), where column d of A is the d-th eigenvector of the rows'
 * covariance divided by eigenvalue^whiten: with 0 only rotated, with 0.5 each column has unit
 * variance ("whitened"), in between partly so. Columns beyond the covariance's rank are zero. Or
 * there are no axes and only the mean is subtracted. Axes may be made steady, that is,
 * insensitive to irrelevant changes: rows are first multiplied by W = (N / m + 2 I)^-1/2, where
 * N is the covariance of these changes, and m the mean of N's diagonal; then A = W A', with A'
 * the eigenvectors of W C W. This is whitening of the within-class covariance (Hatch, Kajarekar
 * & Stolcke, "Within-class covariance normalization for SVM-based speaker recognition", 2006),
 * regularised by 2 I. */
#ifndef AKIN_PROJECTION_H
#define AKIN_PROJECTION_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

/* An axis with an eigenvalue below this share of the largest is zero: it would be rounding
 * noise. */
#define AKIN_PROJECTION_LEAST 1e-5

typedef struct akin_projection akin_projection;

/* All zero. Without axes dim = raw. */
AKIN_MUST_CHECK akin_status akin_projection_create(size_t raw, size_t dim, bool axes,
                                                   akin_projection **out);
void akin_projection_free(akin_projection *projection); /* NULL is fine */

size_t akin_projection_raw(const akin_projection *projection);
size_t akin_projection_dim(const akin_projection *projection);
float *akin_projection_mean(akin_projection *projection); /* [raw], borrowed, may be written */
float *akin_projection_axes(akin_projection *projection); /* [raw, dim]; NULL = none */
double *akin_projection_eigenvalues(
    akin_projection *projection); /* [dim], of the covariance; NULL = none */

/* Axes and eigenvalues of a covariance [raw, raw], which is overwritten; elements [i, j] with j
 * >= i are read. */
AKIN_MUST_CHECK akin_status akin_projection_fit(akin_projection *projection, double *covariance,
                                                double whiten);

/* The same of rows that are turned first: times `turn` [raw, raw]. The axes are those of the rows as
 * they are; the eigenvalues those of the covariance of the turned ones. */
AKIN_MUST_CHECK akin_status akin_projection_fit_turned(akin_projection *projection,
                                                       double *covariance, const double *turn,
                                                       double whiten);

/* The turn [raw, raw] that makes axes steady against `nuisance` [raw, raw], which is overwritten
 * (elements [i, j] with j >= i are read); all zero: that changes nothing but the length. */
AKIN_MUST_CHECK akin_status akin_projection_steady(double *nuisance, size_t raw, double *turn);

/* The same for few rows [count, raw], using the products of rows with each other instead of
 * those of columns: the axes are combinations of the rows (Turk & Pentland, "Eigenfaces for
 * recognition", 1991). Faster if count is below raw. The mean is given; rows are overwritten. */
AKIN_MUST_CHECK akin_status akin_projection_fit_rows(akin_projection *projection, float *rows,
                                                     size_t count, double whiten);

/* The same for rows [count, raw] in memory, count > 0: also computes and subtracts their mean.
 * *variance: of all columns together, of which eigenvalue d is the share of column d. */
AKIN_MUST_CHECK akin_status akin_projection_fit_whole(akin_projection *projection, float *rows,
                                                      size_t count, double *variance);

/* row [raw] -> out [dim]; a function of row and projection alone, computed in double. */
void akin_projection_apply(const akin_projection *projection, const float *row, double *out);

typedef struct {
    /* out [dim] += sum over r of (row[r] - mean[r]) * axes[r, .], r ascending */
    void (*apply)(const float *row, const float *mean, const float *axes, size_t raw, size_t dim,
                  double *out);
} akin_projection_kernels;

#endif
