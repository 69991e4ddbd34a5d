/* sift: which hits of a tile are left by a second bound, compiled once per level. */
#include "sift.h"
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

/* Members of four rows or columns. */
typedef struct {
    __m128 unit, error, length;
    __m128i sum;
} singles;

static inline singles gather(const akin_sketch_single *const from[TOGETHER]) {
    __m128 a = _mm_loadu_ps(&from[0]->unit), b = _mm_loadu_ps(&from[1]->unit),
           c = _mm_loadu_ps(&from[2]->unit), d = _mm_loadu_ps(&from[3]->unit);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    return (singles){a, b, c, _mm_castps_si128(d)};
}
_Static_assert(offsetof(akin_sketch_single, error) == 4 &&
                   offsetof(akin_sketch_single, length) == 8 &&
                   offsetof(akin_sketch_single, sum) == 12,
               "one vector has the four");

/* Upper bounds of the scores: the product of the tails in place of that of their lengths. */
static inline __m128 bounds_of(const akin_sift_task *task, const akin_dot_hit *hit,
                               const int32_t *found, __m128i products) {
    const akin_sketch_single *row[TOGETHER], *column[TOGETHER];
    for (int h = 0; h < TOGETHER; h++)
        row[h] = &task->of_row[hit[h].row], column[h] = &task->of_column[hit[h].column];
    const singles a = gather(row), b = gather(column);
    const __m128 reach = _mm_set_ps(row[3]->reach, row[2]->reach, row[1]->reach, row[0]->reach);
#if AKIN_LEVEL == 5
    products = _mm_sub_epi32(products, _mm_slli_epi32(b.sum, SHIFT));
#endif
    __m128 bound =
        _mm_mul_ps(_mm_cvtepi32_ps(_mm_loadu_si128((const void *)found)), _mm_set1_ps(task->unit));
    __m128 tails = _mm_mul_ps(_mm_cvtepi32_ps(products), _mm_mul_ps(a.unit, b.unit));
    __m128 error = _mm_add_ps(_mm_mul_ps(reach, b.error), _mm_mul_ps(a.error, b.length));
    bound =
        _mm_sub_ps(_mm_add_ps(bound, _mm_set1_ps(task->margin)), _mm_mul_ps(a.length, b.length));
    return _mm_add_ps(bound, _mm_add_ps(tails, error));
}

static inline __m128 least_of(const akin_sift_task *task, const akin_dot_hit *hit) {
    const float *row = task->row_least, *column = task->column_least;
    return _mm_min_ps(
        _mm_set_ps(row[hit[3].row], row[hit[2].row], row[hit[1].row], row[hit[0].row]),
        _mm_set_ps(column[hit[3].column], column[hit[2].column], column[hit[1].column],
                   column[hit[0].column]));
}

/* The next hits; fewer than four are followed by one of them again. */
static inline size_t take(const akin_sift_task *task, const akin_dot_hit *hits, size_t count,
                          akin_dot_hit *hit, pairs *of) {
    const size_t some = count < TOGETHER ? count : TOGETHER;
    of->one_row = true;
    for (size_t h = 0; h < TOGETHER; h++) {
        hit[h] = hits[h < some ? h : 0];
        of->row[h] = task->rows + hit[h].row * task->width;
        of->column[h] = task->columns + hit[h].column * task->width;
        of->one_row &= hit[h].row == hit[0].row;
    }
    return some;
}

static size_t sift(const akin_sift_task *task, akin_dot_hit *hits, size_t count, float *bounds) {
    size_t kept = 0;
    for (size_t first = 0, some; first < count; first += some) {
        akin_dot_hit hit[TOGETHER];
        float bound[TOGETHER];
        pairs of;
        some = take(task, hits + first, count - first, hit, &of);
        __m128 all = bounds_of(task, hit, task->found + first, multiply(&of, task->width));
        int left = _mm_movemask_ps(_mm_cmpge_ps(all, least_of(task, hit)));
        _mm_storeu_ps(bound, all);
        for (size_t h = 0; h < some; h++) { /* no branches: they would be unpredictable */
            hits[kept] = hit[h];
            bounds[kept] = bound[h];
            kept += (size_t)(left >> h & 1);
        }
    }
    return kept;
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
