/* dictionary: whitening and words of patches. */
#include "dictionary.h"
#include "eigen.h"
#include <akin/gemm.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

#define VALUES ((size_t)AKIN_PATCHES_VALUES)
#define WORDS ((size_t)AKIN_PATCHES_WORDS)
#define BLOCK ((size_t)512) /* squares compared with the words at a time */
#define EVEN 0.1 /* added to each eigenvalue, so that what hardly varies is not blown up */

typedef struct {
    size_t count;
    float *values;   /* [count, VALUES] */
    float *products; /* [BLOCK, WORDS] */
    double *sums;    /* [WORDS, VALUES] */
    double *matrix;  /* [VALUES, VALUES] */
    double *vectors; /* [VALUES, VALUES] */
    size_t members[AKIN_PATCHES_WORDS];
} study;

static akin_status allocate(study *s) {
    s->values = akin_mem_alloc(s->count, VALUES * sizeof *s->values);
    s->products = akin_mem_alloc(BLOCK, WORDS * sizeof *s->products);
    s->sums = akin_mem_alloc(WORDS, VALUES * sizeof *s->sums);
    s->matrix = akin_mem_alloc(VALUES, VALUES * sizeof *s->matrix);
    s->vectors = akin_mem_alloc(VALUES, VALUES * sizeof *s->vectors);
    return s->values && s->products && s->sums && s->matrix && s->vectors ? AKIN_OK : AKIN_FAILED;
}

/* --- whitening --- */

static void centre(study *s, float *mean) {
    for (size_t v = 0; v < VALUES; v++) {
        double sum = 0;
        for (size_t i = 0; i < s->count; i++) sum += (double)s->values[i * VALUES + v];
        mean[v] = (float)(sum / (double)s->count);
    }
    for (size_t i = 0; i < s->count; i++)
        for (size_t v = 0; v < VALUES; v++) s->values[i * VALUES + v] -= mean[v];
}

static void find_covariance(study *s) {
    memset(s->matrix, 0, VALUES * VALUES * sizeof *s->matrix);
    for (size_t first = 0; first < s->count; first += BLOCK) {
        size_t n = s->count - first < BLOCK ? s->count - first : BLOCK;
        const float *block = s->values + first * VALUES;
        akin_gemm(true, false, VALUES, VALUES, n, block, block, false, s->products);
        for (size_t i = 0; i < VALUES * VALUES; i++)
            s->matrix[i] += (double)s->products[i] / (double)s->count;
    }
}

/* V (values + EVEN)^(-1/2) V^T */
static akin_status find_whitening(study *s, float *whitening) {
    double values[AKIN_PATCHES_VALUES];
    find_covariance(s);
    akin_status status = akin_eigen_largest(s->matrix, VALUES, VALUES, values, s->vectors);
    if (status != AKIN_OK) return status;
    memset(s->matrix, 0, VALUES * VALUES * sizeof *s->matrix);
    for (size_t e = 0; e < VALUES; e++) {
        const double *v = s->vectors + e * VALUES;
        double scale = 1 / sqrt(fmax(values[e], 0) + EVEN);
        for (size_t i = 0; i < VALUES * VALUES; i++)
            s->matrix[i] += scale * v[i / VALUES] * v[i % VALUES];
    }
    for (size_t i = 0; i < VALUES * VALUES; i++) whitening[i] = (float)s->matrix[i];
    return AKIN_OK;
}

static void whiten(study *s, const float *whitening) {
    for (size_t first = 0; first < s->count; first += BLOCK) {
        size_t n = s->count - first < BLOCK ? s->count - first : BLOCK;
        akin_gemm(false, false, n, VALUES, VALUES, s->values + first * VALUES, whitening, false,
                  s->products);
        memcpy(s->values + first * VALUES, s->products, n * VALUES * sizeof *s->values);
    }
}

/* --- words --- */

/* The word of the smallest distance, the first of those alike: of the largest product less half its
 * square. */
static size_t nearest(const float *products, const float *half_squares) {
    size_t best = 0;
    for (size_t k = 1; k < WORDS; k++)
        if (products[k] - half_squares[k] > products[best] - half_squares[best]) best = k;
    return best;
}

static void assign(study *s, const float *words) {
    float half_squares[AKIN_PATCHES_WORDS];
    memset(s->sums, 0, WORDS * VALUES * sizeof *s->sums);
    memset(s->members, 0, sizeof s->members);
    for (size_t k = 0; k < WORDS; k++) {
        half_squares[k] = 0;
        for (size_t v = 0; v < VALUES; v++)
            half_squares[k] += words[k * VALUES + v] * words[k * VALUES + v] / 2;
    }
    for (size_t first = 0; first < s->count; first += BLOCK) {
        size_t n = s->count - first < BLOCK ? s->count - first : BLOCK;
        akin_gemm(false, true, n, WORDS, VALUES, s->values + first * VALUES, words, false,
                  s->products);
        for (size_t i = 0; i < n; i++) {
            size_t k = nearest(s->products + i * WORDS, half_squares);
            s->members[k]++;
            for (size_t v = 0; v < VALUES; v++)
                s->sums[k * VALUES + v] += (double)s->values[(first + i) * VALUES + v];
        }
    }
}

/* A word without members becomes another square. */
static void move(const study *s, size_t round, float *words) {
    for (size_t k = 0; k < WORDS; k++) {
        const float *other = s->values + (round * WORDS + k) * 7919 % s->count * VALUES;
        for (size_t v = 0; v < VALUES; v++)
            words[k * VALUES + v] = s->members[k] > 0
                                        ? (float)(s->sums[k * VALUES + v] / (double)s->members[k])
                                        : other[v];
    }
}

akin_status akin_dictionary_learn(const uint8_t *squares, size_t count, akin_patches *patches) {
    akin_status status;
    study s = {.count = count};
    float *words = akin_patches_words(patches);
    AKIN_ASSERT(count > 0);
    AKIN_TRY(allocate(&s));
    akin_patches_normalise(squares, count, s.values);
    centre(&s, akin_patches_mean(patches));
    AKIN_TRY(find_whitening(&s, akin_patches_whitening(patches)));
    whiten(&s, akin_patches_whitening(patches));
    for (size_t k = 0; k < WORDS; k++)
        memcpy(words + k * VALUES, s.values + k * count / WORDS * VALUES, VALUES * sizeof *words);
    for (size_t round = 0; round < AKIN_DICTIONARY_ROUNDS; round++) {
        assign(&s, words);
        move(&s, round, words);
    }
    akin_patches_prepare(patches);
done:
    akin_mem_free(s.values);
    akin_mem_free(s.products);
    akin_mem_free(s.sums);
    akin_mem_free(s.matrix);
    akin_mem_free(s.vectors);
    return status;
}
