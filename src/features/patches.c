/* patches: encodes squares of a picture with a dictionary, and learns the dictionary. Compiled once
 * per level of x86-64 (cpu.h). */
#include "patches.h"
#include <akin/cpu.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

#include <akin/simd.h>

enum {
    PICTURE = 32,
    SIDE = AKIN_PATCHES_SIDE,
    VALUES = AKIN_PATCHES_VALUES,
    WORDS = AKIN_PATCHES_WORDS,
    PLACES = PICTURE - SIDE + 1, /* squares along a side */
    SQUARES = PLACES * PLACES,
    HALF = 14,             /* squares of the first quarter along a side */
    WIDE = VALUES + WORDS, /* a whitened square, and its products with the words */
};
_Static_assert(WORDS % 16 == 0 && VALUES % 4 == 0, "whole vectors");

static float total_of(vector v) {
    float sum = 0;
    for (int l = 0; l < WIDTH; l++) sum += v[l];
    return sum;
}

static void activate(const float *restrict products, const float *restrict word_squares,
                     float square, float *restrict pooled) {
    float z[AKIN_PATCHES_WORDS];
    vector sum = {0};
    for (size_t k = 0; k < WORDS; k += WIDTH) {
        vector distance = square - 2 * load(products + k) + load(word_squares + k);
        store(z + k, where_alive(distance, distance));
    }
    for (size_t k = 0; k < WORDS; k++) z[k] = sqrtf(z[k]);
    for (size_t k = 0; k < WORDS; k += WIDTH) sum += load(z + k);
    float mean = total_of(sum) / WORDS;
    for (size_t k = 0; k < WORDS; k += WIDTH) {
        vector nearer = mean - load(z + k);
        store(pooled + k, load(pooled + k) + where_alive(nearer, nearer));
    }
}

static float square(const float *values) {
    enum { WHOLE = VALUES / WIDTH * WIDTH };
    vector sum = {0};
    float rest = 0;
    for (size_t i = 0; i < WHOLE; i += WIDTH) sum += load(values + i) * load(values + i);
    for (size_t i = WHOLE; i < VALUES; i++) rest += values[i] * values[i];
    return total_of(sum) + rest;
}

extern const akin_patches_kernels akin_patches_kernels_v1, akin_patches_kernels_v3,
    akin_patches_kernels_v4;
const akin_patches_kernels AKIN_LEVELED(akin_patches_kernels) = {activate, square};

#if AKIN_LEVEL == 1
static const akin_patches_kernels *kernels(void) {
    static const akin_patches_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_patches_kernels_v1, &akin_patches_kernels_v3, &akin_patches_kernels_v4,
        &akin_patches_kernels_v4, &akin_patches_kernels_v4};
    return levels[akin_cpu_active()];
}

struct akin_patches {
    float mean[AKIN_PATCHES_VALUES], whitening[AKIN_PATCHES_VALUES * AKIN_PATCHES_VALUES];
    float words[AKIN_PATCHES_WORDS * AKIN_PATCHES_VALUES], word_squares[AKIN_PATCHES_WORDS];
    float matrix[VALUES * WIDE]; /* whitening, and whitening times the words, side by side */
    uint8_t squares[SQUARES * VALUES];
    float values[SQUARES * VALUES], products[SQUARES * WIDE];
};

akin_status akin_patches_create(akin_patches **out) {
    *out = akin_mem_zalloc(1, sizeof **out);
    return *out ? AKIN_OK : AKIN_FAILED;
}

void akin_patches_free(akin_patches *patches) {
    akin_mem_free(patches);
}

float *akin_patches_mean(akin_patches *patches) {
    return patches->mean;
}

float *akin_patches_whitening(akin_patches *patches) {
    return patches->whitening;
}

float *akin_patches_words(akin_patches *patches) {
    return patches->words;
}

void akin_patches_prepare(akin_patches *p) {
    float *turned = p->products; /* [VALUES, WORDS]; this buffer is not in use yet */
    akin_linalg_product((akin_linalg_shape){VALUES, WORDS, VALUES, AKIN_TURN_B}, p->whitening,
                        p->words, turned);
    for (size_t v = 0; v < VALUES; v++) {
        memcpy(p->matrix + v * WIDE, p->whitening + v * VALUES, VALUES * sizeof(float));
        memcpy(p->matrix + v * WIDE + VALUES, turned + v * WORDS, WORDS * sizeof(float));
    }
    for (size_t k = 0; k < WORDS; k++) {
        p->word_squares[k] = 0;
        for (size_t v = 0; v < VALUES; v++)
            p->word_squares[k] += p->words[k * VALUES + v] * p->words[k * VALUES + v];
    }
}

void akin_patches_normalise(const uint8_t *squares, size_t count, float *values) {
    for (size_t s = 0; s < count; s++) {
        const uint8_t *from = squares + s * VALUES;
        float *to = values + s * VALUES;
        int sum = 0, square_sum = 0;
        for (size_t v = 0; v < VALUES; v++) sum += from[v], square_sum += from[v] * from[v];
        float mean = (float)sum / VALUES;
        float variance = (float)(((double)square_sum - (double)sum * sum / VALUES) / VALUES);
        float scale = 1 / sqrtf(variance + 10);
        for (size_t v = 0; v < VALUES; v++) to[v] = ((float)from[v] - mean) * scale;
    }
}

static void cut_squares(const uint8_t *picture, uint8_t *squares) {
    for (size_t s = 0; s < SQUARES; s++)
        for (size_t row = 0; row < SIDE; row++)
            memcpy(squares + s * VALUES + row * SIDE * 3,
                   picture + ((s / PLACES + row) * PICTURE + s % PLACES) * 3, (size_t)SIDE * 3);
}

void akin_patches_describe(akin_patches *p, const uint8_t *picture, float *raw) {
    cut_squares(picture, p->squares);
    akin_patches_normalise(p->squares, SQUARES, p->values);
    for (size_t s = 0; s < SQUARES; s++)
        for (size_t v = 0; v < VALUES; v++) p->values[s * VALUES + v] -= p->mean[v];
    akin_linalg_product((akin_linalg_shape){SQUARES, WIDE, VALUES, AKIN_TURN_NONE}, p->values,
                        p->matrix, p->products);
    memset(raw, 0, AKIN_PATCHES_RAW * sizeof *raw);
    for (size_t s = 0; s < SQUARES; s++) {
        const float *row = p->products + s * WIDE;
        size_t quarter = (size_t)(s / PLACES >= HALF) * 2 + (s % PLACES >= HALF);
        kernels()->activate(row + VALUES, p->word_squares, kernels()->square(row),
                            raw + quarter * WORDS);
    }
    for (size_t q = 0; q < 4; q++) {
        size_t places = (q / 2 ? PLACES - HALF : HALF) * (q % 2 ? PLACES - HALF : HALF);
        for (size_t k = 0; k < WORDS; k++) raw[q * WORDS + k] /= (float)places;
    }
}

/* --- learning the dictionary --- */

#define BLOCK ((size_t)512) /* squares compared with the words at a time */
#define EVEN 0.1 /* added to each eigenvalue, so that directions with little variance stay small */

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
        akin_linalg_product((akin_linalg_shape){VALUES, VALUES, n, AKIN_TURN_A}, block, block,
                            s->products);
        for (size_t i = 0; i < VALUES * VALUES; i++)
            s->matrix[i] += (double)s->products[i] / (double)s->count;
    }
}

static void whiten(study *s, const float *whitening) {
    for (size_t first = 0; first < s->count; first += BLOCK) {
        size_t n = s->count - first < BLOCK ? s->count - first : BLOCK;
        akin_linalg_product((akin_linalg_shape){n, VALUES, VALUES, AKIN_TURN_NONE},
                            s->values + first * VALUES, whitening, s->products);
        memcpy(s->values + first * VALUES, s->products, n * VALUES * sizeof *s->values);
    }
}

/* --- words --- */

/* The nearest word (the first one in case of a tie): the one with the largest product minus half
 * its square. */
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
        akin_linalg_product((akin_linalg_shape){n, WORDS, VALUES, AKIN_TURN_B},
                            s->values + first * VALUES, words, s->products);
        for (size_t i = 0; i < n; i++) {
            size_t k = nearest(s->products + i * WORDS, half_squares);
            s->members[k]++;
            for (size_t v = 0; v < VALUES; v++)
                s->sums[k * VALUES + v] += (double)s->values[(first + i) * VALUES + v];
        }
    }
}

/* Replaces a word without members by another square. */
static void move(const study *s, size_t round, float *words) {
    for (size_t k = 0; k < WORDS; k++) {
        const float *other = s->values + (round * WORDS + k) * 7919 % s->count * VALUES;
        for (size_t v = 0; v < VALUES; v++)
            words[k * VALUES + v] = s->members[k] > 0
                                        ? (float)(s->sums[k * VALUES + v] / (double)s->members[k])
                                        : other[v];
    }
}

akin_status akin_patches_learn(const uint8_t *squares, size_t count, akin_patches *patches) {
    akin_status status;
    study s = {.count = count};
    float *words = akin_patches_words(patches);
    AKIN_ASSERT(count > 0);
    AKIN_TRY(allocate(&s));
    akin_patches_normalise(squares, count, s.values);
    centre(&s, akin_patches_mean(patches));
    find_covariance(&s);
    AKIN_TRY(
        akin_linalg_whitening(s.matrix, VALUES, EVEN, s.vectors, akin_patches_whitening(patches)));
    whiten(&s, akin_patches_whitening(patches));
    for (size_t k = 0; k < WORDS; k++)
        memcpy(words + k * VALUES, s.values + k * count / WORDS * VALUES, VALUES * sizeof *words);
    for (size_t round = 0; round < AKIN_PATCHES_ROUNDS; round++) {
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
#endif
