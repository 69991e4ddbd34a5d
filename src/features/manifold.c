/* manifold: encodes the squares of a picture with a dictionary and embeds the codes. Compiled once
 * per level of x86-64 (cpu.h). */
#include "manifold.h"
#include "product.h"
#include <akin/cpu.h>
#include <akin/mem.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include <akin/simd.h>

enum {
    PICTURE = 32,
    SIDE = AKIN_MANIFOLD_SIDE,
    VALUES = AKIN_MANIFOLD_VALUES,
    ALONG = AKIN_MANIFOLD_ALONG,
    SQUARES = AKIN_MANIFOLD_SQUARES,
    AXES = AKIN_MANIFOLD_AXES,
    PLACES = 4,    /* places along a side */
    TOGETHER = 40, /* squares at a time, so that their products stay in the cache */
    ROUNDED = (SQUARES + TOGETHER - 1) / TOGETHER * TOGETHER,
};
_Static_assert(TOGETHER % AKIN_PRODUCT_HIGH == 0, "whole panels");
_Static_assert(AXES % 128 == 0 && VALUES % 4 == 0, "whole vectors");

/* One bit per number above the limit. */
INLINE unsigned bits_above(const float *from, float limit) {
#if AKIN_LEVEL == 4
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(from), _mm512_set1_ps(limit), _CMP_GT_OQ);
#elif AKIN_LEVEL == 3
    return (unsigned)_mm256_movemask_ps(
        _mm256_cmp_ps(_mm256_loadu_ps(from), _mm256_set1_ps(limit), _CMP_GT_OQ));
#else
    return (unsigned)_mm_movemask_ps(_mm_cmpgt_ps(_mm_loadu_ps(from), _mm_set1_ps(limit)));
#endif
}

static size_t above(const float *restrict products, size_t count, float limit,
                    uint16_t *restrict list) {
    size_t found = 0;
    for (size_t k = 0; k < count; k += WIDTH)
        for (unsigned bits = bits_above(products + k, limit); bits; bits &= bits - 1)
            list[found++] = (uint16_t)(k + (unsigned)__builtin_ctz(bits));
    return found;
}

static float total_of(vector v) {
    float sum = 0;
    for (int l = 0; l < WIDTH; l++) sum += v[l];
    return sum;
}

static float square(const float *values) {
    enum { WHOLE = VALUES / WIDTH * WIDTH };
    vector sum = {0};
    float rest = 0;
    for (size_t i = 0; i < WHOLE; i += WIDTH) sum += load(values + i) * load(values + i);
    for (size_t i = WHOLE; i < VALUES; i++) rest += values[i] * values[i];
    return total_of(sum) + rest;
}

/* Adds up eight vectors' worth of columns of the rows of a code; they stay in registers. */
INLINE vector add_rows(const float *axes, const float *centre, const uint16_t *list, size_t count,
                       float *out) {
    vector part[8], squares = {0};
    UNROLL for (size_t v = 0; v < 8; v++) part[v] = -load(centre + v * WIDTH);
    for (size_t i = 0; i < count; i++) {
        const float *row = axes + (size_t)list[i] * AXES;
        UNROLL for (size_t v = 0; v < 8; v++) part[v] += load(row + v * WIDTH);
    }
    UNROLL for (size_t v = 0; v < 8; v++) {
        squares += part[v] * part[v];
        store(out + v * WIDTH, part[v]);
    }
    return squares;
}

static void pool(const float *restrict axes, const float *restrict centre,
                 const uint16_t *restrict list, size_t count, float *restrict pooled) {
    float turned[AXES];
    vector squares = {0};
    for (size_t a = 0; a < AXES; a += 8 * (size_t)WIDTH)
        squares += add_rows(axes + a, centre + a, list, count, turned + a);
    float length = sqrtf(total_of(squares));
    if (!(length > 0)) return;
    float scale = 1 / length;
    for (size_t a = 0; a < AXES; a += WIDTH)
        store(pooled + a, load(pooled + a) + load(turned + a) * scale);
}

extern const akin_manifold_kernels akin_manifold_kernels_v1, akin_manifold_kernels_v3,
    akin_manifold_kernels_v4;
const akin_manifold_kernels AKIN_LEVELED(akin_manifold_kernels) = {above, square, pool};

#if AKIN_LEVEL == 1
static const float NEAR = 0.3F; /* least cosine between a square and a word that represents it */

static const akin_manifold_kernels *kernels(void) {
    static const akin_manifold_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_manifold_kernels_v1, &akin_manifold_kernels_v3, &akin_manifold_kernels_v4,
        &akin_manifold_kernels_v4, &akin_manifold_kernels_v4};
    return levels[akin_cpu_active()];
}

struct akin_manifold {
    size_t atoms, words;
    float mean[VALUES], whitening[VALUES * VALUES], centre[AXES];
    float *dictionary; /* [atoms, VALUES] */
    float *share;      /* [words] */
    float *axes;       /* [words, AXES] */
    size_t wide;       /* VALUES + atoms, rounded up to whole panels of a product */
    float *matrix;     /* packed [VALUES, VALUES + atoms]: whitening, whitening times the words */
    float packed[ROUNDED * VALUES]; /* centred squares; the last ones stay zero */
    float *products;                /* [TOGETHER, wide] */
    uint16_t *codes;                /* [SQUARES, words] */
};

akin_status akin_manifold_create(size_t atoms, akin_manifold **out) {
    *out = NULL;
    AKIN_ASSERT(atoms % 64 == 0 && atoms >= AXES && atoms <= AKIN_MANIFOLD_ATOMS);
    akin_manifold *m = akin_mem_zalloc(1, sizeof *m);
    if (!m) return AKIN_FAILED;
    m->atoms = atoms;
    m->words = atoms + 1;
    m->dictionary = akin_mem_zalloc(atoms, VALUES * sizeof *m->dictionary);
    m->share = akin_mem_zalloc(m->words, sizeof *m->share);
    m->axes = akin_mem_zalloc(m->words, AXES * sizeof *m->axes);
    m->wide = (VALUES + atoms + AKIN_PRODUCT_WIDE - 1) / AKIN_PRODUCT_WIDE * AKIN_PRODUCT_WIDE;
    m->matrix = akin_mem_zalloc(VALUES, m->wide * sizeof *m->matrix);
    m->products = akin_mem_zalloc(TOGETHER > VALUES ? TOGETHER : VALUES, m->wide * sizeof(float));
    m->codes = akin_mem_zalloc(SQUARES, m->words * sizeof *m->codes);
    if (!m->dictionary || !m->share || !m->axes || !m->matrix || !m->products || !m->codes) {
        akin_manifold_free(m);
        return AKIN_FAILED;
    }
    *out = m;
    return AKIN_OK;
}

void akin_manifold_free(akin_manifold *m) {
    if (!m) return;
    akin_mem_free(m->dictionary);
    akin_mem_free(m->share);
    akin_mem_free(m->axes);
    akin_mem_free(m->matrix);
    akin_mem_free(m->products);
    akin_mem_free(m->codes);
    akin_mem_free(m);
}

size_t akin_manifold_atoms(const akin_manifold *m) {
    return m->atoms;
}

size_t akin_manifold_words(const akin_manifold *m) {
    return m->words;
}

float *akin_manifold_mean(akin_manifold *m) {
    return m->mean;
}

float *akin_manifold_whitening(akin_manifold *m) {
    return m->whitening;
}

float *akin_manifold_dictionary(akin_manifold *m) {
    return m->dictionary;
}

float *akin_manifold_share(akin_manifold *m) {
    return m->share;
}

float *akin_manifold_axes(akin_manifold *m) {
    return m->axes;
}

/* Whitens the words once more, so that their product with a centred square equals the product of
 * whitened vectors. In double precision: the result is the same on every level. */
void akin_manifold_prepare(akin_manifold *m) {
    size_t wide = VALUES + m->atoms;
    float *both = m->products; /* [VALUES, wide]; this buffer is not in use yet */
    for (size_t v = 0; v < VALUES; v++) {
        float *row = both + v * wide;
        memcpy(row, m->whitening + v * VALUES, VALUES * sizeof *row);
        for (size_t k = 0; k < m->atoms; k++) {
            double sum = 0;
            for (size_t w = 0; w < VALUES; w++)
                sum += (double)m->whitening[v * VALUES + w] * (double)m->dictionary[k * VALUES + w];
            row[VALUES + k] = (float)sum;
        }
    }
    akin_product_pack(both, wide, VALUES, wide, AKIN_PRODUCT_WIDE, m->matrix);
    for (size_t a = 0; a < AXES; a++) {
        double sum = 0;
        for (size_t w = 0; w < m->words; w++)
            sum += (double)m->share[w] * (double)m->axes[w * AXES + a];
        m->centre[a] = (float)sum;
    }
}

void akin_manifold_cut(const uint8_t *picture, size_t place, uint8_t *to) {
    const uint8_t *corner =
        picture + AKIN_MANIFOLD_STEP * (place / ALONG * PICTURE + place % ALONG) * 3;
    for (size_t row = 0; row < SIDE; row++)
        memcpy(to + row * SIDE * 3, corner + row * PICTURE * 3, (size_t)SIDE * 3);
}

bool akin_manifold_centre_square(const uint8_t *from, const float *mean, float *to) {
    int sum = 0, square_sum = 0;
    for (size_t v = 0; v < VALUES; v++) sum += from[v], square_sum += from[v] * from[v];
    float own = (float)sum / VALUES;
    double variance = ((double)square_sum - (double)sum * sum / VALUES) / VALUES;
    for (size_t v = 0; v < VALUES; v++) to[v] = ((float)from[v] - own) / 255 - mean[v];
    return variance < AKIN_MANIFOLD_PLAIN * AKIN_MANIFOLD_PLAIN;
}

/* Writes the centred squares to m->packed; plain [SQUARES]. */
static void cut_squares(akin_manifold *m, const uint8_t *picture, bool plain[SQUARES]) {
    enum { HIGH = AKIN_PRODUCT_HIGH };
    for (size_t s = 0; s < SQUARES; s++) {
        uint8_t cut[VALUES];
        float values[VALUES], *to = m->packed + s / HIGH * HIGH * VALUES + s % HIGH;
        akin_manifold_cut(picture, s, cut);
        plain[s] = akin_manifold_centre_square(cut, m->mean, values);
        for (size_t v = 0; v < VALUES; v++) to[v * HIGH] = values[v];
    }
}

void akin_manifold_encode(akin_manifold *m, const uint8_t *picture, uint16_t *codes,
                          uint16_t *counts) {
    bool plain[SQUARES];
    cut_squares(m, picture, plain);
    for (size_t first = 0; first < SQUARES; first += TOGETHER) {
        size_t end = first + TOGETHER < SQUARES ? first + TOGETHER : SQUARES;
        akin_product(m->packed + first * VALUES, TOGETHER, m->matrix, VALUES + m->atoms, VALUES,
                     m->products, m->wide);
        for (size_t s = first; s < end; s++) {
            const float *row = m->products + (s - first) * m->wide;
            uint16_t *code = codes + s * m->words;
            float limit = NEAR * sqrtf(kernels()->square(row));
            if (plain[s])
                code[0] = (uint16_t)m->atoms, counts[s] = 1;
            else
                counts[s] = (uint16_t)kernels()->above(row + VALUES, m->atoms, limit, code);
        }
    }
}

void akin_manifold_describe(akin_manifold *m, const uint8_t *picture, float *raw) {
    static const size_t from[PLACES + 1] = {0, 4, 7, 10, ALONG};
    uint16_t counts[SQUARES];
    akin_manifold_encode(m, picture, m->codes, counts);
    memset(raw, 0, AKIN_MANIFOLD_RAW * sizeof *raw);
    for (size_t p = 0; p < (size_t)PLACES * PLACES; p++) {
        const size_t *row = from + p / PLACES, *column = from + p % PLACES;
        float *pooled = raw + p * AXES;
        for (size_t r = row[0]; r < row[1]; r++)
            for (size_t c = column[0]; c < column[1]; c++) {
                size_t s = r * ALONG + c;
                kernels()->pool(m->axes, m->centre, m->codes + s * m->words, counts[s], pooled);
            }
        float squares = (float)((row[1] - row[0]) * (column[1] - column[0]));
        for (size_t a = 0; a < AXES; a++) pooled[a] /= squares;
    }
}
#endif
