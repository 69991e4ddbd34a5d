/* product: matrix products whose bits depend on the operands and the kernels' level (cpu.h) alone,
 * and not on shapes, on positions or on the machine's BLAS (linalg.h). Not collective. Cannot fail.
 *
 * Each element is summed over `inner` in ascending order. Operands are packed into panels of
 * `width` columns, [panel][inner][width], padded with zeros. */
#ifndef AKIN_PRODUCT_H
#define AKIN_PRODUCT_H

#include <stddef.h>

#define AKIN_PRODUCT_HIGH ((size_t)8)  /* rows of the product in a panel of the left operand */
#define AKIN_PRODUCT_WIDE ((size_t)48) /* columns of the product in a panel of the right one */

/* Number of floats of a packed operand. */
#define AKIN_PRODUCT_PACKED(inner, columns, width)                                                 \
    (((columns) + (width)-1) / (width) * (width) * (inner))

/* Packs from [inner, columns], whose rows are `stride` floats apart, into panels of `width`. */
void akin_product_pack(const float *from, size_t stride, size_t inner, size_t columns, size_t width,
                       float *packed);

/* out [rows, columns] = left^T * right, where the operands were packed from [inner, rows] and
 * [inner, columns]. The rows of out are `stride` apart. Whole panels are written, so out must have
 * room for rows and columns rounded up. */
void akin_product(const float *left, size_t rows, const float *right, size_t columns, size_t inner,
                  float *out, size_t stride);

typedef struct {
    /* Multiplies two panels: a [inner, HIGH], b [inner, WIDE], out [HIGH, WIDE]. */
    void (*tile)(const float *a, const float *b, size_t inner, float *out, size_t stride);
} akin_product_kernels;

#endif
