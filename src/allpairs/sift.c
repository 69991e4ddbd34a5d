/* sift: which hits of a tile are left by a second bound, compiled once per level. */
#include "sift.h"
#include "tile.h"
#include <akin/cpu.h>
#include <immintrin.h>
#include <stdbool.h>

/* Products of so many pairs at once, since each step of a chain of sums waits for the one before. */
enum { TOGETHER = 4 };

typedef struct {
    const int8_t *row[TOGETHER], *column[TOGETHER];
    bool one_row; /* all four are of one */
} pairs;

#if AKIN_LEVEL >= 3
static inline __m128i total(const __m256i *sum) {
    __m256i low = _mm256_hadd_epi32(sum[0], sum[1]), high = _mm256_hadd_epi32(sum[2], sum[3]);
    low = _mm256_hadd_epi32(low, high);
    return _mm_add_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
}
#endif

#if AKIN_LEVEL >= 4
static inline __m128i total_of_halves(const __m512i *sum) {
    __m256i half[TOGETHER];
    for (int h = 0; h < TOGETHER; h++)
        half[h] =
            _mm256_add_epi32(_mm512_castsi512_si256(sum[h]), _mm512_extracti64x4_epi64(sum[h], 1));
    return total(half);
}
#endif

#if AKIN_LEVEL == 5
/* The unit takes one side unsigned: 128 is added to it, and taken off again by the column's sum. */
enum { SHIFT = 7 };

static inline void add_products(__m512i *sum, __m512i a, const int8_t *b) {
    __asm__("vpdpbusd %[b], %[a], %[sum]" /* as in tile.c */
            : [sum] "+v"(*sum)
            : [a] "v"(a), [b] "m"(*(const __m512i *)(const void *)b));
}

static inline __m512i unsigned_row(const int8_t *row) {
    return _mm512_xor_si512(_mm512_load_si512((const void *)row), _mm512_set1_epi8(INT8_MIN));
}

static inline __m128i multiply(const pairs *of, size_t width) {
    __m512i sum[TOGETHER];
    for (int h = 0; h < TOGETHER; h++) sum[h] = _mm512_setzero_si512();
    if (of->one_row)
        for (size_t t = 0; t < width; t += 64) {
            const __m512i a = unsigned_row(of->row[0] + t);
            for (int h = 0; h < TOGETHER; h++) add_products(&sum[h], a, of->column[h] + t);
        }
    else
        for (size_t t = 0; t < width; t += 64)
            for (int h = 0; h < TOGETHER; h++)
                add_products(&sum[h], unsigned_row(of->row[h] + t), of->column[h] + t);
    return total_of_halves(sum);
}
#elif AKIN_LEVEL == 4
static inline __m512i wide(const int8_t *from) {
    return _mm512_cvtepi8_epi16(_mm256_load_si256((const void *)from));
}

static inline __m128i multiply(const pairs *of, size_t width) {
    __m512i sum[TOGETHER];
    for (int h = 0; h < TOGETHER; h++) sum[h] = _mm512_setzero_si512();
    for (size_t t = 0; t < width; t += 32)
        for (int h = 0; h < TOGETHER; h++)
            sum[h] = _mm512_add_epi32(
                sum[h], _mm512_madd_epi16(wide(of->row[h] + t), wide(of->column[h] + t)));
    return total_of_halves(sum);
}
#elif AKIN_LEVEL == 3
static inline __m256i wide(const int8_t *from) {
    return _mm256_cvtepi8_epi16(_mm_load_si128((const void *)from));
}

static inline __m128i multiply(const pairs *of, size_t width) {
    __m256i sum[TOGETHER];
    for (int h = 0; h < TOGETHER; h++) sum[h] = _mm256_setzero_si256();
    for (size_t t = 0; t < width; t += 16)
        for (int h = 0; h < TOGETHER; h++)
            sum[h] = _mm256_add_epi32(
                sum[h], _mm256_madd_epi16(wide(of->row[h] + t), wide(of->column[h] + t)));
    return total(sum);
}
#else
static inline __m128i multiply(const pairs *of, size_t width) {
    int32_t products[TOGETHER] = {0};
    for (int h = 0; h < TOGETHER; h++)
        for (size_t t = 0; t < width; t++) products[h] += of->row[h][t] * of->column[h][t];
    return _mm_loadu_si128((const void *)products);
}
#endif

/* The next pairs; fewer than four are followed by one of them again. */
static inline size_t take(const akin_sift_task *task, const akin_dot_hit *hits, size_t count,
                          pairs *of) {
    const size_t some = count < TOGETHER ? count : TOGETHER;
    of->one_row = true;
    for (size_t h = 0; h < TOGETHER; h++) {
        const akin_dot_hit hit = hits[h < some ? h : 0];
        of->row[h] = task->rows + hit.row * task->width;
        of->column[h] = task->columns + hit.column * task->width;
        of->one_row &= hit.row == hits[0].row;
    }
    return some;
}

static void multiply_all(const akin_sift_task *task, const akin_dot_hit *hits, size_t count,
                         int32_t *products /* [count + 3] */) {
    pairs of;
    for (size_t first = 0, some; first < count; first += some) {
        some = take(task, hits + first, count - first, &of);
        _mm_storeu_si128((void *)(products + first), multiply(&of, task->width));
    }
}

/* An upper bound of a score has the product of the tails in place of that of their lengths. */
#if AKIN_LEVEL >= 4
enum { AT_ONCE = 16 };
typedef __m512 reals;

/* Of 48 numbers those at 16 places; last: which of these are 32 or more. */
static inline reals pick(const void *of, __m512i places, __mmask16 last) {
    const float *from = of;
    const __m512 some =
        _mm512_permutex2var_ps(_mm512_loadu_ps(from), places, _mm512_loadu_ps(from + AT_ONCE));
    return _mm512_mask_permutexvar_ps(some, last, places, _mm512_loadu_ps(from + 2 * AT_ONCE));
}

/* Which of some hits are left. */
static inline __mmask16 bounds_of(const akin_sift_task *task, __m512i hits, __m512i found,
                                  __m512i products, reals *bounds) {
    const akin_sift_tails *a = task->of_rows, *b = task->of_columns;
    const __m512i row = _mm512_and_si512(hits, _mm512_set1_epi32(UINT16_MAX)),
                  column = _mm512_srli_epi32(hits, 16), end = _mm512_set1_epi32(2 * AT_ONCE);
    const __mmask16 far = _mm512_cmpge_epi32_mask(row, end),
                    broad = _mm512_cmpge_epi32_mask(column, end);
#if AKIN_LEVEL == 5
    const __m512i sum = _mm512_castps_si512(pick(b->sum, column, broad));
    products = _mm512_sub_epi32(products, _mm512_slli_epi32(sum, SHIFT));
#endif
    const reals bound = _mm512_mul_ps(_mm512_cvtepi32_ps(found), _mm512_set1_ps(task->unit)),
                units = _mm512_mul_ps(pick(a->unit, row, far), pick(b->unit, column, broad)),
                tails = _mm512_mul_ps(_mm512_cvtepi32_ps(products), units),
                b_length = pick(b->length, column, broad),
                lengths = _mm512_mul_ps(pick(a->length, row, far), b_length),
                error = _mm512_add_ps(
                    _mm512_mul_ps(pick(a->reach, row, far), pick(b->error, column, broad)),
                    _mm512_mul_ps(pick(a->error, row, far), b_length)),
                least = _mm512_min_ps(pick(task->row_least, row, far),
                                      pick(task->column_least, column, broad));
    *bounds =
        _mm512_add_ps(_mm512_sub_ps(_mm512_add_ps(bound, _mm512_set1_ps(task->margin)), lengths),
                      _mm512_add_ps(tails, error));
    return _mm512_cmp_ps_mask(*bounds, least, _CMP_GE_OQ);
}

/* In place: nothing is written over hits that have not been read. */
static size_t keep(const akin_sift_task *task, const int32_t *products, akin_dot_hit *hits,
                   size_t count, float *bounds) {
    size_t kept = 0;
    for (size_t first = 0; first < count; first += AT_ONCE) {
        const size_t some = count - first < AT_ONCE ? count - first : AT_ONCE;
        const __mmask16 there = (__mmask16)((1u << some) - 1);
        const __m512i hit = _mm512_maskz_loadu_epi32(there, hits + first);
        reals bound;
        const __mmask16 left =
            bounds_of(task, hit, _mm512_maskz_loadu_epi32(there, task->found + first),
                      _mm512_maskz_loadu_epi32(there, products + first), &bound) &
            there;
        const unsigned more = (unsigned)__builtin_popcount(left);
        const __mmask16 to = (__mmask16)((1u << more) - 1);
        _mm512_mask_storeu_epi32(hits + kept, to, _mm512_maskz_compress_epi32(left, hit));
        _mm512_mask_storeu_ps(bounds + kept, to, _mm512_maskz_compress_ps(left, bound));
        kept += more;
    }
    return kept;
}
_Static_assert(sizeof(akin_dot_hit) == 4 && offsetof(akin_dot_hit, column) == 2, "a lane each");
#else
/* The numbers of the rows or the columns of four hits. */
static inline __m128 rows_of(const float *from, const akin_dot_hit *hit) {
    return _mm_set_ps(from[hit[3].row], from[hit[2].row], from[hit[1].row], from[hit[0].row]);
}

static inline __m128 columns_of(const float *from, const akin_dot_hit *hit) {
    return _mm_set_ps(from[hit[3].column], from[hit[2].column], from[hit[1].column],
                      from[hit[0].column]);
}

static inline int bounds_of(const akin_sift_task *task, const akin_dot_hit *hit,
                            const int32_t *found, const int32_t *products, float *bounds) {
    const akin_sift_tails *a = task->of_rows, *b = task->of_columns;
    const __m128 bound = _mm_mul_ps(_mm_cvtepi32_ps(_mm_loadu_si128((const void *)found)),
                                    _mm_set1_ps(task->unit)),
                 units = _mm_mul_ps(rows_of(a->unit, hit), columns_of(b->unit, hit)),
                 tails =
                     _mm_mul_ps(_mm_cvtepi32_ps(_mm_loadu_si128((const void *)products)), units),
                 b_length = columns_of(b->length, hit),
                 lengths = _mm_mul_ps(rows_of(a->length, hit), b_length),
                 error = _mm_add_ps(_mm_mul_ps(rows_of(a->reach, hit), columns_of(b->error, hit)),
                                    _mm_mul_ps(rows_of(a->error, hit), b_length)),
                 least =
                     _mm_min_ps(rows_of(task->row_least, hit), columns_of(task->column_least, hit)),
                 all = _mm_add_ps(_mm_sub_ps(_mm_add_ps(bound, _mm_set1_ps(task->margin)), lengths),
                                  _mm_add_ps(tails, error));
    _mm_storeu_ps(bounds, all);
    return _mm_movemask_ps(_mm_cmpge_ps(all, least));
}

static size_t keep(const akin_sift_task *task, const int32_t *products, akin_dot_hit *hits,
                   size_t count, float *bounds) {
    size_t kept = 0;
    for (size_t first = 0, some; first < count; first += some) {
        akin_dot_hit hit[TOGETHER];
        float bound[TOGETHER];
        some = count - first < TOGETHER ? count - first : TOGETHER;
        for (size_t h = 0; h < TOGETHER; h++) hit[h] = hits[first + (h < some ? h : 0)];
        const int left = bounds_of(task, hit, task->found + first, products + first, bound);
        for (size_t h = 0; h < some; h++) { /* no branches: they would be unpredictable */
            hits[kept] = hit[h];
            bounds[kept] = bound[h];
            kept += (size_t)(left >> h & 1);
        }
    }
    return kept;
}
#endif

static size_t sift(const akin_sift_task *task, akin_dot_hit *hits, size_t count, float *bounds) {
    int32_t products[AKIN_TILE_HITS + TOGETHER];
    multiply_all(task, hits, count, products);
    return keep(task, products, hits, count, bounds);
}

extern const akin_sift_kernels akin_sift_kernels_v1, akin_sift_kernels_v3, akin_sift_kernels_v4,
    akin_sift_kernels_v5;
const akin_sift_kernels AKIN_LEVELED(akin_sift_kernels) = {.sift = sift};

#if AKIN_LEVEL == 1
const akin_sift_kernels *akin_sift(void) {
    static const akin_sift_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_sift_kernels_v1, &akin_sift_kernels_v3, &akin_sift_kernels_v4, &akin_sift_kernels_v5,
        &akin_sift_kernels_v5};
    return levels[akin_cpu_active()];
}
#endif
