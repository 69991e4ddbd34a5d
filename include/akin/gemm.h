/* gemm: products of matrices by the machine's BLAS. src/gemm.c is the one file that knows it. Not
 * collective. Cannot fail.
 *
 * The bits of a result depend on the shapes and on the kind of CPU, and an element's also on its
 * place: use it where every rank multiplies the same shapes.
 */
#ifndef AKIN_GEMM_H
#define AKIN_GEMM_H

#include <stdbool.h>
#include <stddef.h>

/* One BLAS thread: there is one rank per core. Called once, before the first product. */
void akin_gemm_start(void);

/* out [rows, columns] = a * b, or with `add` out += a * b. a is [rows, inner], or with `turn_a`
 * lies as [inner, rows]; b is [inner, columns], or with `turn_b` lies as [columns, inner]. All
 * row-major and without gaps. */
void akin_gemm(bool turn_a, bool turn_b, size_t rows, size_t columns, size_t inner, const float *a,
               const float *b, bool add, float *out);

#endif
