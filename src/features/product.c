/* product: matrix products whose bits do not depend on the shapes. Compiled once per level of
 * x86-64 (cpu.h). */
#include "product.h"
#include <akin/cpu.h>
#include <string.h>

#include <akin/simd.h>

enum {
    HIGH = AKIN_PRODUCT_HIGH,
    WIDE = AKIN_PRODUCT_WIDE,
    ROWS = AKIN_LEVEL == 4 ? 8 : 4, /* columns whose sums stay in registers: 24 or 12 vectors */
    VECTORS = 3,
};
_Static_assert(WIDE % (VECTORS * WIDTH) == 0 && HIGH % ROWS == 0, "whole tiles");

INLINE void part_of_tile(const float *a, const float *b, size_t inner, float *out, size_t stride) {
    vector sum[ROWS][VECTORS] = {{{0}}};
    for (size_t k = 0; k < inner; k++) {
        vector right[VECTORS];
        UNROLL for (size_t v = 0; v < VECTORS; v++) right[v] = load(b + k * WIDE + v * WIDTH);
        UNROLL for (size_t r = 0; r < ROWS; r++) {
            float left = a[k * HIGH + r];
            UNROLL for (size_t v = 0; v < VECTORS; v++) sum[r][v] += left * right[v];
        }
    }
    UNROLL for (size_t r = 0; r < ROWS; r++) {
        UNROLL for (size_t v = 0; v < VECTORS; v++) store(out + r * stride + v * WIDTH, sum[r][v]);
    }
}

static void tile(const float *restrict a, const float *restrict b, size_t inner,
                 float *restrict out, size_t stride) {
    for (size_t c = 0; c < WIDE; c += (size_t)VECTORS * WIDTH)
        for (size_t r = 0; r < HIGH; r += ROWS)
            part_of_tile(a + r, b + c, inner, out + r * stride + c, stride);
}

extern const akin_product_kernels akin_product_kernels_v1, akin_product_kernels_v3,
    akin_product_kernels_v4;
const akin_product_kernels AKIN_LEVELED(akin_product_kernels) = {tile};

#if AKIN_LEVEL == 1
static const akin_product_kernels *kernels(void) {
    static const akin_product_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_product_kernels_v1, &akin_product_kernels_v3, &akin_product_kernels_v4,
        &akin_product_kernels_v4, &akin_product_kernels_v4};
    return levels[akin_cpu_active()];
}

void akin_product_pack(const float *from, size_t stride, size_t inner, size_t columns, size_t width,
                       float *packed) {
    for (size_t p = 0; p < columns; p += width) {
        size_t some = columns - p < width ? columns - p : width;
        for (size_t k = 0; k < inner; k++, packed += width) {
            memcpy(packed, from + k * stride + p, some * sizeof *packed);
            memset(packed + some, 0, (width - some) * sizeof *packed);
        }
    }
}

void akin_product(const float *left, size_t rows, const float *right, size_t columns, size_t inner,
                  float *out, size_t stride) {
    const akin_product_kernels *k = kernels();
    for (size_t c = 0; c < columns; c += WIDE)
        for (size_t r = 0; r < rows; r += HIGH)
            k->tile(left + r * inner, right + c * inner, inner, out + r * stride + c, stride);
}
#endif
