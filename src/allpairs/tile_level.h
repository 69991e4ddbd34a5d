/* tile_level: what the tiles of all levels share: vectors of the level, thresholds in the integers of
 * the sketches, and which columns the cone of the row panel leaves. Included by tile sources only. */
#ifndef AKIN_TILE_LEVEL_H
#define AKIN_TILE_LEVEL_H

#include "tile.h"
#include <immintrin.h>
#include <math.h>
#include <string.h>

enum { PANEL = AKIN_SKETCH_PANEL, COLUMNS = 16 /* ruled out together */ };

#if AKIN_LEVEL >= 4
#define NAME (AKIN_LEVEL == 5 ? "avx512-vnni int8" : "avx512 int8")
enum { LANES = 16, ROWS = 8, VECTORS = 3 };
typedef __m512i lanes;
#define LOAD(p) _mm512_load_si512((const void *)(p))
#define SPREAD(x) _mm512_set1_epi32(x)
#define ADD(a, b) _mm512_add_epi32(a, b)
#define LARGER(a, b) _mm512_max_epi32(a, b)
#define SMALLER(a, b) _mm512_min_epi32(a, b)
#define ABOVE(a, b) ((uint64_t)_mm512_cmpgt_epi32_mask(a, b))
#define ADD16(a, b) _mm512_add_epi16(a, b)
#define PAIRS(a, b) _mm512_maddubs_epi16(a, b)
#define FOLD(a) _mm512_madd_epi16(a, _mm512_set1_epi16(1))
#elif AKIN_LEVEL == 3
#define NAME "avx2 int8"
enum { LANES = 16, ROWS = 4, VECTORS = PANEL / LANES };
typedef __m256i lanes;
#define LOAD(p) _mm256_load_si256((const void *)(p))
#define SPREAD(x) _mm256_set1_epi32(x)
#else
#define NAME "sse2 int16"
enum { LANES = 4, ROWS = 2, VECTORS = 2 };
typedef __m128i lanes;
#define LOAD(p) _mm_load_si128((const void *)(p))
#define SPREAD(x) _mm_set1_epi32(x)
#define ADD(a, b) _mm_add_epi32(a, b)
#define CHOOSE(mask, a, b) _mm_or_si128(_mm_and_si128(mask, a), _mm_andnot_si128(mask, b))
static inline __m128i larger(__m128i a, __m128i b) {
    return CHOOSE(_mm_cmpgt_epi32(a, b), a, b);
}
static inline __m128i smaller(__m128i a, __m128i b) {
    return CHOOSE(_mm_cmpgt_epi32(a, b), b, a);
}
#define LARGER(a, b) larger(a, b)
#define SMALLER(a, b) smaller(a, b)
#define ABOVE(a, b) ((uint64_t)(unsigned)_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpgt_epi32(a, b))))
#endif

enum { WIDTH = LANES * VECTORS };
#if AKIN_LEVEL == 1 || AKIN_LEVEL >= 5
enum { LIMIT = 127, OFFSET = 128 }; /* sums of 32 bits all the way */
#else
enum { LIMIT = 63, OFFSET = 64 };
#endif
enum { TOGETHER = AKIN_LEVEL == 3 ? 2 : 4, GROUP = 32 * TOGETHER };
_Static_assert(PANEL % ROWS == 0 && PANEL % WIDTH == 0, "pieces cover a panel");
_Static_assert(WIDTH % COLUMNS == 0 || COLUMNS % WIDTH == 0, "what is ruled out is whole pieces");

static float lowest(const float *least) {
#if AKIN_LEVEL >= 4
    __m512 low = _mm512_min_ps(_mm512_loadu_ps(least), _mm512_loadu_ps(least + 16));
    return _mm512_reduce_min_ps(_mm512_min_ps(low, _mm512_loadu_ps(least + 32)));
#else
    __m128 low = _mm_loadu_ps(least);
    for (int i = 4; i < PANEL; i += 4) low = _mm_min_ps(low, _mm_loadu_ps(least + i));
    low = _mm_min_ps(low, _mm_movehl_ps(low, low));
    return _mm_cvtss_f32(_mm_min_ss(low, _mm_shuffle_ps(low, low, 1)));
#endif
}

static void lower(const float *more, float *least) {
    for (int i = 0; i < PANEL; i++) least[i] = more[i] < least[i] ? more[i] : least[i];
}

/* The least scores that are enough with the largest offset; a product a little below -1 ends as -1. */
static void lower_to_sums(const float *more, akin_tile_sums of, float *least) {
    const float add = 2 + fabsf(of.largest);
    for (int i = 0; i < PANEL; i++) {
        float sum = more[i], score = sum - of.largest - 0x1p-21f * (add + fabsf(sum));
        score = sum == -INFINITY ? -1 : score;
        score = score > of.minimum ? score : of.minimum;
        score = score < of.sure ? score : of.sure;
        score = score <= -1 ? -INFINITY : score;
        score = sum == INFINITY ? INFINITY : score;
        least[i] = score < least[i] ? score : least[i];
    }
}

/* A bit for 16 columns each: some of them can meet the row panel. */
static unsigned active_columns(const akin_tile_task *task) {
    const akin_sketch *rows = task->row_sketch;
    const float inverse = rows->inverse, slack = rows->slack, cosine = rows->cos_radius,
                sine = rows->sin_radius;
    const float lowest = task->row_lowest;
    int32_t meets[PANEL];
    unsigned active = 0;
    if (inverse == 0 && lowest < 2) return (1u << PANEL / COLUMNS) - 1; /* the cone is everything */
    for (int j = 0; j < PANEL; j++) {
        float least = task->column_least[j] < lowest ? task->column_least[j] : lowest;
        meets[j] = least < 2;
        if (inverse == 0) continue;
        float x = task->products[j] * inverse + slack, square = 1 - x * x;
        float bound = x * cosine + sqrtf(square > 0 ? square : 0) * sine + slack;
        meets[j] &= (x >= cosine) | (bound >= least);
    }
    for (int g = 0; g < PANEL / COLUMNS; g++) {
        int32_t some = 0;
        for (int j = g * COLUMNS; j < (g + 1) * COLUMNS; j++) some |= meets[j];
        active |= (unsigned)some << g;
    }
    return active;
}

#endif
