/* dot: the all-pairs tile, compiled once per level. Floor 1 (kernels); looks down to cpu.
 *
 * A tile is ROWS rows of panel a against VECTORS vectors of columns of panel b, its scores in as many registers while
 * the loop over the dimensions runs. Each level fills its registers: 6 x 16 in the 16 of AVX2, 8 x 48 in the 32 of
 * AVX-512, 4 x 8 in SSE2's. */
#include <akin/cpu.h>
#include <akin/dot.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

#if AKIN_LEVEL == 4
enum { LANES = 16, ROWS = 8, VECTORS = 3 };
typedef __m512 lanes;
#define LOAD(p) _mm512_load_ps(p)
#define SPREAD(x) _mm512_set1_ps(x)
#define STEP(a, b, sum) _mm512_fmadd_ps(a, b, sum)
#define LARGER(a, b) _mm512_max_ps(a, b)
#define SMALLER(a, b) _mm512_min_ps(a, b)
#define AT_LEAST(a, b) ((unsigned)_mm512_cmp_ps_mask(a, b, _CMP_GE_OQ))
#define STORE(p, v) _mm512_store_ps(p, v)
#elif AKIN_LEVEL == 3
enum { LANES = 8, ROWS = 6, VECTORS = 2 };
typedef __m256 lanes;
#define LOAD(p) _mm256_load_ps(p)
#define SPREAD(x) _mm256_set1_ps(x)
#define STEP(a, b, sum) _mm256_fmadd_ps(a, b, sum)
#define LARGER(a, b) _mm256_max_ps(a, b)
#define SMALLER(a, b) _mm256_min_ps(a, b)
#define AT_LEAST(a, b) ((unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GE_OQ)))
#define STORE(p, v) _mm256_store_ps(p, v)
#else
enum { LANES = 4, ROWS = 4, VECTORS = 2 };
typedef __m128 lanes;
#define LOAD(p) _mm_load_ps(p)
#define SPREAD(x) _mm_set1_ps(x)
#define STEP(a, b, sum) _mm_add_ps(_mm_mul_ps(a, b), sum) /* only rules out: see final_score */
#define LARGER(a, b) _mm_max_ps(a, b)
#define SMALLER(a, b) _mm_min_ps(a, b)
#define AT_LEAST(a, b) ((unsigned)_mm_movemask_ps(_mm_cmpge_ps(a, b)))
#define STORE(p, v) _mm_store_ps(p, v)
#endif

enum { PANEL = AKIN_DOT_PANEL, WIDTH = LANES * VECTORS };
_Static_assert(PANEL % ROWS == 0 && PANEL % WIDTH == 0, "tiles cover a panel");

#if AKIN_LEVEL == 1
/* fma(a, b, sum) in float32 without the instruction: the product of two floats is exact in double; its sum is rounded
 * to odd (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums"), after which rounding to float once
 * more gives what one rounding would have given. */
static float fused_step(float a, float b, float sum) {
    double product = (double)a * b, s = product + sum;
    double part = s - product, rest = (product - (s - part)) + (sum - part); /* s + rest is exact (Knuth's TwoSum) */
    if (rest != 0) {
        int64_t bits;
        memcpy(&bits, &s, sizeof bits);
        if (!(bits & 1)) bits += (rest > 0) == (s > 0) ? 1 : -1;
        memcpy(&s, &bits, sizeof s);
    }
    return (float)s;
}

static float final_score(const float *a, const float *b, size_t dim, float score) {
    (void)score;
    float sum = 0;
    for (size_t t = 0; t < dim; t++) sum = fused_step(a[t * PANEL], b[t * PANEL], sum);
    return sum;
}

/* The two chains are each within the bound of the exact product, so within two of each other; one step down makes up
 * for the rounding of the difference itself. */
static float lowered(float least, size_t dim) {
    return nextafterf(least - (float)(2 * akin_dot_bound(dim)), -INFINITY);
}
#else
static float final_score(const float *a, const float *b, size_t dim, float score) {
    (void)a, (void)b, (void)dim;
    return score;
}

static float lowered(float least, size_t dim) {
    (void)dim;
    return least;
}
#endif

/* The hits of one row of a tile, a bit of `mask` for each column whose score may be one. */
static inline size_t collect(const float *a, const float *b, size_t dim, size_t row, size_t column, uint64_t mask,
                             const float *scores /* [WIDTH] */, const float *a_least, const float *b_least,
                             akin_dot_hit *hits) {
    size_t count = 0;
    for (; mask != 0; mask &= mask - 1) {
        size_t lane = (size_t)__builtin_ctzll(mask);
        float final = final_score(a + row, b + column + lane, dim, scores[lane]);
        hits[count] = (akin_dot_hit){(uint16_t)row, (uint16_t)(column + lane), final};
        count += final >= a_least[row] || final >= b_least[column + lane];
    }
    return count;
}

static size_t tile(const float *a, const float *b, size_t dim, size_t row, size_t column, const float *a_least,
                   const float *b_least, const float *a_low, const float *b_low, akin_dot_hit *hits) {
    lanes score[ROWS][VECTORS];
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++) score[r][v] = SPREAD(0.0f);
    const float *from_a = a + row, *from_b = b + column;
    for (size_t t = 0; t < dim; t++, from_a += PANEL, from_b += PANEL) {
        lanes columns[VECTORS];
        for (int v = 0; v < VECTORS; v++) columns[v] = LOAD(from_b + v * LANES);
        for (int r = 0; r < ROWS; r++) {
            lanes one = SPREAD(from_a[r]);
            for (int v = 0; v < VECTORS; v++) score[r][v] = STEP(one, columns[v], score[r][v]);
        }
    }

    /* Most tiles hold no hit: one test of the largest score in each column against the least that could be one. */
    float least = a_low[row];
    for (int r = 1; r < ROWS; r++) least = a_low[row + (size_t)r] < least ? a_low[row + (size_t)r] : least;
    unsigned any = 0;
    for (int v = 0; v < VECTORS; v++) {
        lanes largest = score[0][v];
        for (int r = 1; r < ROWS; r++) largest = LARGER(largest, score[r][v]);
        any |= AT_LEAST(largest, SMALLER(SPREAD(least), LOAD(b_low + column + v * LANES)));
    }
    if (any == 0) return 0;

    float scores[ROWS][WIDTH] __attribute__((aligned(64)));
    uint64_t masks[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        masks[r] = 0;
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++) {
            lanes low = SMALLER(SPREAD(a_low[row + (size_t)r]), LOAD(b_low + column + v * LANES));
            masks[r] |= (uint64_t)AT_LEAST(score[r][v], low) << (v * LANES);
            STORE(scores[r] + v * LANES, score[r][v]);
        }
    }
    size_t count = 0;
    for (size_t r = 0; r < ROWS; r++)
        count += collect(a, b, dim, row + r, column, masks[r], scores[r], a_least, b_least, hits + count);
    return count;
}

static size_t panels(const float *a, const float *b, size_t dim, const float *a_least, const float *b_least,
                     akin_dot_hit *hits) {
    float a_low[PANEL] __attribute__((aligned(64))), b_low[PANEL] __attribute__((aligned(64)));
    for (int i = 0; i < PANEL; i++) a_low[i] = lowered(a_least[i], dim), b_low[i] = lowered(b_least[i], dim);
    size_t count = 0;
    for (size_t column = 0; column < PANEL; column += WIDTH)
        for (size_t row = 0; row < PANEL; row += ROWS)
            count += tile(a, b, dim, row, column, a_least, b_least, a_low, b_low, hits + count);
    return count;
}

extern const akin_dot_kernels akin_dot_kernels_v1, akin_dot_kernels_v3, akin_dot_kernels_v4;
const akin_dot_kernels AKIN_LEVELED(akin_dot_kernels) = {.panels = panels};

#if AKIN_LEVEL == 1
const akin_dot_kernels *akin_dot(void) {
    static const akin_dot_kernels *const levels[AKIN_CPU_LEVELS] = {&akin_dot_kernels_v1, &akin_dot_kernels_v3,
                                                                    &akin_dot_kernels_v4, &akin_dot_kernels_v4};
    return levels[akin_cpu_active()];
}
#endif
