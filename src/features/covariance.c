/* covariance: mean and covariance of distributed rows, bit-identical for any distribution. */
#include "covariance.h"
#include <akin/fixed.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

/* Values are stored in units of 2^-40, sums as two words (the low 32 bits and the rest): exact for
 * any number of rows. */
#define VALUE_BITS 40
#define BLOCK AKIN_COVARIANCE_BLOCK
#define LEAST_EXPONENT (-40) /* smaller differences from the mean count as zero */
#define PANEL ((size_t)256)  /* columns of a product at a time */

struct akin_covariance {
    size_t dim;
    float *mean;        /* [dim] */
    int64_t *mean_sums; /* [2, dim]: low, high */
    double peak;
    int bits;     /* a product is stored in units of 2^-bits */
    float *block; /* [dim, BLOCK]: centred, a column's values consecutive; missing rows are zero */
    float *products; /* [PANEL, dim] */
    int64_t *sums; /* [sums_count] panels of the upper triangle: [PANEL, dim], [PANEL, dim - PANEL],
                      ... */
    size_t sums_count;
};

akin_status akin_covariance_create(size_t dim, akin_covariance **out) {
    *out = NULL;
    akin_covariance *c = akin_mem_zalloc(1, sizeof *c);
    if (!c) return AKIN_FAILED;
    c->dim = dim;
    c->mean = akin_mem_zalloc(dim, sizeof *c->mean);
    c->mean_sums = akin_mem_zalloc(dim, 2 * sizeof *c->mean_sums);
    if (!c->mean || !c->mean_sums) {
        akin_covariance_free(c);
        return AKIN_FAILED;
    }
    *out = c;
    return AKIN_OK;
}

void akin_covariance_free(akin_covariance *c) {
    if (!c) return;
    akin_mem_free(c->mean);
    akin_mem_free(c->mean_sums);
    akin_mem_free(c->block);
    akin_mem_free(c->products);
    akin_mem_free(c->sums);
    akin_mem_free(c);
}

/* --- the mean --- */

akin_status akin_covariance_see(akin_covariance *c, const float *rows, size_t count) {
    if (!(akin_fixed_peak(rows, count * c->dim) < AKIN_COVARIANCE_LIMIT))
        return akin_error_set(AKIN_FAILED, "a value is not finite, or above %g",
                              (double)AKIN_COVARIANCE_LIMIT);
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < c->dim; d++) {
            int64_t fixed = akin_fixed_from((double)rows[i * c->dim + d], VALUE_BITS);
            c->mean_sums[d] += fixed & UINT32_MAX;
            c->mean_sums[c->dim + d] += fixed >> 32;
        }
    return AKIN_OK;
}

int64_t *akin_covariance_mean_sums(akin_covariance *c, size_t *count) {
    *count = 2 * c->dim;
    return c->mean_sums;
}

void akin_covariance_mean(akin_covariance *c, size_t rows, float *mean) {
    for (size_t d = 0; d < c->dim; d++) {
        double total = (double)c->mean_sums[c->dim + d] * 0x1p32 + (double)c->mean_sums[d];
        mean[d] = c->mean[d] = (float)(ldexp(total, -VALUE_BITS) / (double)rows);
    }
}

/* --- the products --- */

double akin_covariance_measure(akin_covariance *c, const float *rows, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < c->dim; d++)
            c->peak = fmax(c->peak, (double)fabsf(rows[i * c->dim + d] - c->mean[d]));
    return c->peak;
}

akin_status akin_covariance_scale(akin_covariance *c, double peak) {
    int exponent;
    frexp(peak, &exponent); /* peak < 2^exponent */
    if (exponent < LEAST_EXPONENT) exponent = LEAST_EXPONENT;
    /* The products of a block are below 2^(2 exponent) * BLOCK. That range is divided into 2^48
     * fixed-point steps, which is as precise as the floats are. The sum over AKIN_COVARIANCE_ROWS /
     * BLOCK blocks needs 2^56. */
    c->bits = 40 - 2 * exponent;
    for (size_t p = 0; p < c->dim; p += PANEL)
        c->sums_count += (c->dim - p < PANEL ? c->dim - p : PANEL) * (c->dim - p);
    c->block = akin_mem_alloc(c->dim, BLOCK * sizeof *c->block);
    c->products = akin_mem_alloc(PANEL, c->dim * sizeof *c->products);
    c->sums = akin_mem_zalloc(c->sums_count, sizeof *c->sums);
    return c->block && c->products && c->sums ? AKIN_OK : AKIN_FAILED;
}

void akin_covariance_add(akin_covariance *c, const float *rows, size_t count) {
    AKIN_ASSERT(count <= BLOCK);
    int64_t *sums = c->sums;
    float limit = (float)ldexp(1, 51 - c->bits);
    memset(c->block, 0, c->dim * BLOCK * sizeof *c->block);
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < c->dim; d++)
            c->block[d * BLOCK + i] = rows[i * c->dim + d] - c->mean[d];
    for (size_t p = 0; p < c->dim; p += PANEL) {
        size_t wide = c->dim - p, high = wide < PANEL ? wide : PANEL;
        const float *from = c->block + p * BLOCK;
        akin_linalg_product((akin_linalg_shape){high, wide, BLOCK, AKIN_TURN_B}, from, from,
                            c->products);
        float peak = akin_fixed_add(c->products, high * wide, c->bits, limit, sums);
        AKIN_ASSERT(peak < limit);
        sums += high * wide;
    }
}

int64_t *akin_covariance_sums(akin_covariance *c, size_t *count) {
    *count = c->sums_count;
    return c->sums;
}

void akin_covariance_get(const akin_covariance *c, size_t rows, double *matrix) {
    const int64_t *sums = c->sums;
    for (size_t p = 0; p < c->dim; p += PANEL) {
        size_t wide = c->dim - p, high = wide < PANEL ? wide : PANEL;
        for (size_t i = 0; i < high; i++)
            for (size_t j = i; j < wide; j++)
                matrix[(p + i) * c->dim + p + j] =
                    akin_fixed_to(sums[i * wide + j], c->bits) / (double)rows;
        sums += high * wide;
    }
}
