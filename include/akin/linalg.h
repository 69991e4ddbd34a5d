/* linalg: products of matrices and eigenvectors, by the machine's BLAS and LAPACK. src/network/linalg.c
 * is the one file that knows them. Not collective.
 *
 * The bits of a result depend on the shapes and on the kind of CPU, and an element's of a product
 * also on its place: multiply where every rank multiplies the same shapes; of eigenvectors one rank
 * computes, the others are told.
 */
#ifndef AKIN_LINALG_H
#define AKIN_LINALG_H

#include <akin/error.h>
#include <stddef.h>

/* One BLAS thread, for there is one rank per core, and the BLAS's kernels of the active level (cpu.h).
 * Before the first product; again is nothing to do. AKIN_FAILED: there is not enough memory for the buffer
 * that OpenBLAS works in, without which a product would never end. */
AKIN_MUST_CHECK akin_status akin_linalg_start(void);

/* A product out = a * b: out is [rows, columns]; a is [rows, inner], but lies as [inner, rows] if it
 * is turned; b is [inner, columns], but lies as [columns, inner] if it is. */
typedef enum { AKIN_TURN_NONE, AKIN_TURN_A, AKIN_TURN_B } akin_linalg_turn;
typedef struct {
    size_t rows, columns, inner;
    akin_linalg_turn turned;
} akin_linalg_shape;

/* All row-major and without gaps. */
void akin_linalg_product(akin_linalg_shape shape, const float *a, const float *b, float *out);

/* The `count` <= n largest eigenvalues of a symmetric matrix, descending, and their eigenvectors of
 * length one, [count, n]. Of the matrix [n, n], which is used up, the elements [i, j] with j >= i
 * are read. The element of largest magnitude of a vector, the first of those alike, is positive. */
AKIN_MUST_CHECK akin_status akin_linalg_eigenvectors(double *matrix, size_t n, size_t count,
                                                     double *values, double *vectors);

/* out [n, n] = V (values + ridge)^(-1/2) V^T of a symmetric matrix [n, n], of which the elements
 * [i, j] with j >= i are read, and which is used up; vectors [n, n] is room. Eigenvalues below zero
 * count as zero. */
AKIN_MUST_CHECK akin_status akin_linalg_whitening(double *matrix, size_t n, double ridge,
                                                  double *vectors, float *out);

/* As akin_linalg_eigenvectors, of the pair: matrix * v = value * other * v, v other v = 1; other [n, n], of which the
 * elements [i, j] with j >= i are read, is positive definite and used up. */
AKIN_MUST_CHECK akin_status akin_linalg_eigenvectors_of_pair(double *matrix, double *other,
                                                             size_t n, size_t count, double *values,
                                                             double *vectors);

#endif
