/* product: products of matrices whose bits are a function of the operands and the kernels' level
 * (cpu.h) alone: not of shapes, of places, or of the machine's BLAS (linalg.h). Not collective.
 * Cannot fail.
 *
 * Each element is summed over `inner` in ascending order. Operands are packed: panels of so many
 * columns, [panel][inner][width], filled up with zeros.
 */
#ifndef AKIN_PRODUCT_H
#define AKIN_PRODUCT_H

#include <stddef.h>

#define AKIN_PRODUCT_HIGH ((size_t)8)  /* rows of the product in a panel of the left operand */
#define AKIN_PRODUCT_WIDE ((size_t)48) /* columns of the product in a panel of the right one */

/* Floats of a packed operand. */
#define AKIN_PRODUCT_PACKED(inner, columns, width)                                                 \
    (((columns) + (width)-1) / (width) * (width) * (inner))

/* from [inner, columns], whose rows lie `stride` floats apart, into panels of `width`. */
void akin_product_pack(const float *from, size_t stride, size_t inner, size_t columns, size_t width,
                       float *packed);

/* out [rows, columns], its rows `stride` apart, = left^T * right of operands packed as [inner,
 * rows] and [inner, columns]. Rows and columns are rounded up to whole panels: out has room for
 * that. */
void akin_product(const float *left, size_t rows, const float *right, size_t columns, size_t inner,
                  float *out, size_t stride);

typedef struct {
    /* One panel with one: a [inner, HIGH], b [inner, WIDE], out [HIGH, WIDE]. */
    void (*tile)(const float *a, const float *b, size_t inner, float *out, size_t stride);
} akin_product_kernels;

#endif
