/* eigen: eigenvectors of symmetric matrices by LAPACK, as OpenBLAS has it. src/eigen.c is the one
 * file that knows it. Not collective.
 *
 * Of a matrix the bits depend on the kind of CPU: one rank computes, the others are told.
 */
#ifndef AKIN_EIGEN_H
#define AKIN_EIGEN_H

#include <akin/error.h>
#include <stddef.h>

/* The `count` <= n largest eigenvalues, descending, and their eigenvectors of length one, [count,
 * n]. Of the matrix [n, n], which is used up, the elements [i, j] with j >= i are read. The element
 * of largest magnitude of a vector, the first of those alike, is positive. */
AKIN_MUST_CHECK akin_status akin_eigen_largest(double *matrix, size_t n, size_t count,
                                               double *values, double *vectors);

#endif
