/* code_sums: exact sums of integer rows and of their products. */
#include "code_sums.h"
#include "product.h"
#include <akin/fixed.h>
#include <akin/mem.h>
#include <string.h>

#define WIDE AKIN_PRODUCT_WIDE
#define ROWS ((size_t)512) /* rows multiplied at a time */
#define PANEL (5 * WIDE)   /* rows of the product matrix processed together */
#define EXACT 0x1p24F      /* sums of floats below this value are exact */
_Static_assert(512 * AKIN_CODE_SUMS_MOST * AKIN_CODE_SUMS_MOST < 1 << 24, "products are exact");

struct akin_code_sums {
    size_t words, wide;             /* wide: words, rounded up to whole panels of a product */
    size_t filled;                  /* rows of the block */
    float *block;                   /* [ROWS, wide]; zeros after a row's words */
    float *left, *right, *products; /* packed block twice; [PANEL, wide] */
    int64_t *counts; /* sums [words], then panels of the upper triangle: [PANEL, wide],
                                       [PANEL, wide - PANEL], ... */
    size_t count;
};

akin_status akin_code_sums_create(size_t words, akin_code_sums **out) {
    *out = NULL;
    akin_code_sums *s = akin_mem_zalloc(1, sizeof *s);
    if (!s) return AKIN_FAILED;
    s->words = words;
    s->wide = (words + WIDE - 1) / WIDE * WIDE;
    s->count = words;
    for (size_t p = 0; p < s->wide; p += PANEL)
        s->count += (s->wide - p < PANEL ? s->wide - p : PANEL) * (s->wide - p);
    s->block = akin_mem_zalloc(ROWS, s->wide * sizeof *s->block);
    s->left = akin_mem_alloc(ROWS, s->wide * sizeof *s->left);
    s->right = akin_mem_alloc(ROWS, s->wide * sizeof *s->right);
    s->products = akin_mem_alloc(PANEL, s->wide * sizeof *s->products);
    s->counts = akin_mem_zalloc(s->count, sizeof *s->counts);
    if (!s->block || !s->left || !s->right || !s->products || !s->counts) {
        akin_code_sums_free(s);
        return AKIN_FAILED;
    }
    *out = s;
    return AKIN_OK;
}

void akin_code_sums_free(akin_code_sums *s) {
    if (!s) return;
    akin_mem_free(s->block);
    akin_mem_free(s->left);
    akin_mem_free(s->right);
    akin_mem_free(s->products);
    akin_mem_free(s->counts);
    akin_mem_free(s);
}

/* Each rank has different blocks. That does not affect the result, because all sums are exact. */
void akin_code_sums_finish(akin_code_sums *s) {
    size_t inner = s->filled;
    int64_t *sums = s->counts + s->words;
    for (size_t i = 0; i < inner; i++)
        for (size_t w = 0; w < s->words; w++) s->counts[w] += (int64_t)s->block[i * s->wide + w];
    akin_product_pack(s->block, s->wide, inner, s->wide, AKIN_PRODUCT_HIGH, s->left);
    akin_product_pack(s->block, s->wide, inner, s->wide, WIDE, s->right);
    for (size_t p = 0; inner > 0 && p < s->wide; p += PANEL) {
        size_t wide = s->wide - p, high = wide < PANEL ? wide : PANEL;
        akin_product(s->left + p * inner, high, s->right + p * inner, wide, inner, s->products,
                     wide);
        float peak = akin_fixed_add(s->products, high * wide, 0, EXACT, sums);
        AKIN_ASSERT(peak < EXACT);
        sums += high * wide;
    }
    memset(s->block, 0, inner * s->wide * sizeof *s->block);
    s->filled = 0;
}

float *akin_code_sums_row(akin_code_sums *s) {
    if (s->filled == ROWS) akin_code_sums_finish(s);
    return s->block + s->filled++ * s->wide;
}

int64_t *akin_code_sums_counts(akin_code_sums *s, size_t *count) {
    *count = s->count;
    return s->counts;
}

double akin_code_sums_mean(const akin_code_sums *s, size_t rows, double unit, size_t word) {
    return (double)s->counts[word] / (double)rows / unit;
}

void akin_code_sums_covariance(const akin_code_sums *s, size_t rows, double unit, double *matrix) {
    const int64_t *sums = s->counts + s->words;
    for (size_t p = 0; p < s->wide; p += PANEL) {
        size_t wide = s->wide - p, high = wide < PANEL ? wide : PANEL;
        for (size_t i = p; i < p + high && i < s->words; i++) {
            double mean = akin_code_sums_mean(s, rows, unit, i);
            for (size_t j = i; j < s->words; j++)
                matrix[i * s->words + j] =
                    (double)sums[(i - p) * wide + j - p] / (double)rows / (unit * unit) -
                    mean * akin_code_sums_mean(s, rows, unit, j);
        }
        sums += high * wide;
    }
}
