/* linalg: products of matrices and eigenvectors, by the machine's BLAS and LAPACK. src/network/linalg.c
 * is the one file that knows them. Not collective.
 *
 * The bits of a result depend on the shapes and on the kind of CPU; those of an element of a
 * product also depend on its position. So multiply only where every rank multiplies the same
 * shapes; let one rank compute eigenvectors and send them to the others. */
#ifndef AKIN_LINALG_H
#define AKIN_LINALG_H

#include <akin/error.h>
#include <stddef.h>

/* Selects one BLAS thread, as there is one rank per core, and the BLAS kernels of the active level
 * (cpu.h). Call before the first product; further calls do nothing. AKIN_FAILED: not enough memory
 * for OpenBLAS's work buffer, without which a product would never return. */
AKIN_MUST_CHECK akin_status akin_linalg_start(void);

/* A product out = a * b: out is [rows, columns]; a is [rows, inner], stored as [inner, rows] if it
 * is transposed; b is [inner, columns], stored as [columns, inner] if it is transposed. */
typedef enum { AKIN_TURN_NONE, AKIN_TURN_A, AKIN_TURN_B } akin_linalg_turn;
typedef struct {
    size_t rows, columns, inner;
    akin_linalg_turn turned;
} akin_linalg_shape;

/* All row-major and without gaps. */
void akin_linalg_product(akin_linalg_shape shape, const float *a, const float *b, float *out);

/* The `count` <= n largest eigenvalues of a symmetric matrix, descending, and their eigenvectors of
 * length one, [count, n]. Of the matrix [n, n], which is overwritten, the elements [i, j] with j >=
 * i are read. A vector's element of largest magnitude (the first, if several are equal) is
 * positive. */
AKIN_MUST_CHECK akin_status akin_linalg_eigenvectors(double *matrix, size_t n, size_t count,
                                                     double *values, double *vectors);

/* out [n, n] = V (values + ridge)^(-1/2) V^T of a symmetric matrix [n, n], of which the elements
 * [i, j] with j >= i are read, and which is overwritten; vectors [n, n] is scratch. Eigenvalues
 * below zero count as zero. */
AKIN_MUST_CHECK akin_status akin_linalg_whitening(double *matrix, size_t n, double ridge,
                                                  double *vectors, float *out);

/* As akin_linalg_eigenvectors, of the pair: matrix * v = value * other * v, v other v = 1; other [n, n], of which the
 * elements [i, j] with j >= i are read, is positive definite and overwritten. */
AKIN_MUST_CHECK akin_status akin_linalg_eigenvectors_of_pair(double *matrix, double *other,
                                                             size_t n, size_t count, double *values,
                                                             double *vectors);

#endif
