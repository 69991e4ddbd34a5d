/* tile_avx2: strips of a tile on AVX2: columns in vectors of 16, of which as many take part as are active. Two
 * dimensions at a step, so that a column's sum is 16 bits wide to the end and a vector holds 16 of them.
 * Included by tile.c for its level only. */
#ifndef AKIN_TILE_AVX2_H
#define AKIN_TILE_AVX2_H

#include "tile_thresholds.h"

typedef struct {
    int count;
    size_t first[VECTORS]; /* columns */
} vectors;

static inline int16_t two(const uint8_t *bytes) {
    int16_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* All 48 columns, in assembler: 12 sums and four registers to work with are all that there are, and
 * gcc 12 spills. */
static inline void multiply_whole(const uint8_t *a, const int8_t *b, const uint8_t *rows_end,
                                  lanes sum[ROWS][VECTORS]) {
#define STEP(r, sx, sy, sz)                                                                        \
    "vpbroadcastw " #r "*2(%[a]), %%ymm14\n\t"                                                     \
    "vpmaddubsw %%ymm12, %%ymm14, %%ymm15\n\t"                                                     \
    "vpaddw %%ymm15, %[" #sx "], %[" #sx "]\n\t"                                                   \
    "vpmaddubsw %%ymm13, %%ymm14, %%ymm15\n\t"                                                     \
    "vpaddw %%ymm15, %[" #sy "], %[" #sy "]\n\t"                                                   \
    "vpmaddubsw 64(%[b]), %%ymm14, %%ymm14\n\t"                                                    \
    "vpaddw %%ymm14, %[" #sz "], %[" #sz "]\n\t"
    __asm__("1:\n\t"
            "vmovdqa (%[b]), %%ymm12\n\t"
            "vmovdqa 32(%[b]), %%ymm13\n\t" /* */
            STEP(0, x0, y0, z0) STEP(1, x1, y1, z1) STEP(2, x2, y2, z2)
                STEP(3, x3, y3, z3) "add $96, %[a]\n\t"
                                    "add $96, %[b]\n\t"
                                    "cmp %[end], %[a]\n\t"
                                    "jb 1b"
            : [a] "+r"(a), [b] "+r"(b), [x0] "+x"(sum[0][0]), [y0] "+x"(sum[0][1]),
              [z0] "+x"(sum[0][2]), [x1] "+x"(sum[1][0]), [y1] "+x"(sum[1][1]),
              [z1] "+x"(sum[1][2]), [x2] "+x"(sum[2][0]), [y2] "+x"(sum[2][1]),
              [z2] "+x"(sum[2][2]), [x3] "+x"(sum[3][0]), [y3] "+x"(sum[3][1]), [z3] "+x"(sum[3][2])
            : [end] "r"(rows_end)
            : "cc", "memory", "xmm12", "xmm13", "xmm14", "xmm15");
}

/* One group of dimensions; its sums wrap around 16 bits on the way and fit them in the end
 * (sketch.h). No pair of products saturates: 2 x 127 x 127 < 2^15. `count` is a constant where this
 * is inlined, so that sums are registers. */
static inline __attribute__((always_inline)) void multiply(const akin_tile_task *task, size_t row,
                                                           const vectors *at, const int count,
                                                           size_t first, size_t end,
                                                           lanes sum[ROWS][VECTORS]) {
    const uint8_t *a = task->rows + first * PANEL + row * 2, *const rows_end =
                                                                 task->rows + end * PANEL;
    const int8_t *b = task->columns + first * PANEL;
    const int16_t *wrap = task->wrap + first / GROUP * PANEL;
    for (int v = 0; v < count; v++)
        for (int r = 0; r < ROWS; r++) sum[r][v] = LOAD(wrap + at->first[v]);
    if (count == VECTORS) {
        multiply_whole(a, b, rows_end, sum);
        return;
    }
    for (; a < rows_end; a += PANEL * 2, b += PANEL * 2) {
        lanes columns[VECTORS];
        for (int v = 0; v < count; v++) columns[v] = LOAD(b + at->first[v] * 2);
        for (int r = 0; r < ROWS; r++) {
            lanes one = _mm256_set1_epi16(two(a + 2 * r));
            for (int v = 0; v < count; v++)
                sum[r][v] = _mm256_add_epi16(sum[r][v], _mm256_maddubs_epi16(one, columns[v]));
        }
    }
}

/* The least sums of 16 columns that could be hits; what is beyond 16 bits is all or nothing. */
static inline lanes least_sums(const thresholds *least, int32_t lowest, size_t column) {
    lanes half[2];
    for (size_t h = 0; h < 2; h++) {
        lanes low = _mm256_min_epi32(SPREAD(lowest), LOAD(least->column + column + 8 * h));
        half[h] = _mm256_sub_epi32(low, LOAD(least->offset + column + 8 * h));
    }
    return _mm256_permute4x64_epi64(_mm256_packs_epi32(half[0], half[1]), 0xd8);
}

typedef struct {
    int32_t sum[ROWS][LANES] __attribute__((aligned(32)));
} sums;

static inline void widen(lanes sum, int32_t *wide) {
    lanes low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(sum));
    lanes high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(sum, 1));
    _mm256_store_si256((lanes *)(void *)wide, _mm256_add_epi32(low, LOAD(wide)));
    _mm256_store_si256((lanes *)(void *)(wide + 8), _mm256_add_epi32(high, LOAD(wide + 8)));
}

/* The hits in some columns of 16, a bit each. */
static inline size_t collect(const thresholds *least, const sums *wide, size_t row, size_t column,
                             unsigned some, akin_dot_hit *hits, int32_t *found) {
    size_t count = 0;
    for (; some != 0; some &= some - 1) {
        size_t j = (size_t)__builtin_ctz(some), at = column + j;
        for (size_t r = 0; r < ROWS; r++) {
            int32_t low =
                least->row[row + r] < least->column[at] ? least->row[row + r] : least->column[at];
            const int32_t sum = wide->sum[r][j] + least->offset[at];
            hits[count] = (akin_dot_hit){(uint16_t)(row + r), (uint16_t)at};
            if (found != NULL) found[count] = sum;
            count += sum > low;
        }
    }
    return count;
}

/* Whether one of the sums in 16 columns, v of those that take part (a constant, as `count` above),
 * may be a hit. */
static inline __attribute__((always_inline)) lanes above_lowest(const thresholds *least,
                                                                lanes sum[ROWS][VECTORS],
                                                                const int v, int32_t lowest,
                                                                size_t column) {
    lanes largest = _mm256_max_epi16(_mm256_max_epi16(sum[0][v], sum[1][v]),
                                     _mm256_max_epi16(sum[2][v], sum[3][v]));
    return _mm256_cmpgt_epi16(largest, least_sums(least, lowest, column));
}

/* The hits in 16 columns, a bit each: eight columns of a row, eight of the next, the other eight of
 * each, and so on. */
static inline __attribute__((always_inline)) size_t hits_of(const thresholds *least,
                                                            lanes sum[ROWS][VECTORS], const int v,
                                                            size_t row, size_t column,
                                                            akin_dot_hit *hits) {
    lanes above[ROWS];
    size_t count = 0;
    for (int r = 0; r < ROWS; r++)
        above[r] =
            _mm256_cmpgt_epi16(sum[r][v], least_sums(least, least->row[row + (size_t)r], column));
    uint64_t first = (uint32_t)_mm256_movemask_epi8(_mm256_packs_epi16(above[0], above[1]));
    uint64_t second = (uint32_t)_mm256_movemask_epi8(_mm256_packs_epi16(above[2], above[3]));
    for (uint64_t word = first | second << 32; word != 0; word &= word - 1) {
        size_t bit = (size_t)__builtin_ctzll(word);
        hits[count++] = (akin_dot_hit){(uint16_t)(row + (bit >> 5) * 2 + (bit >> 3 & 1)),
                                       (uint16_t)(column + (bit & 7) + (bit >> 1 & 8))};
    }
    return count;
}

static inline __attribute__((always_inline)) size_t
short_strip(const akin_tile_task *task, const thresholds *least, const vectors *at, const int count,
            size_t row, akin_dot_hit *hits, int32_t *told) {
    const int32_t lowest = lowest_of(least->row + row);
    lanes sum[ROWS][VECTORS];
    (void)told; /* of long rows only */
    multiply(task, row, at, count, 0, task->stride, sum);
    lanes above[VECTORS], any = above[0] = above_lowest(least, sum, 0, lowest, at->first[0]);
    if (count > 1)
        any = _mm256_or_si256(any, above[1] = above_lowest(least, sum, 1, lowest, at->first[1]));
    if (count > 2)
        any = _mm256_or_si256(any, above[2] = above_lowest(least, sum, 2, lowest, at->first[2]));
    if (_mm256_testz_si256(any, any)) return 0;
    size_t found = hits_of(least, sum, 0, row, at->first[0], hits);
    if (count > 1) found += hits_of(least, sum, 1, row, at->first[1], hits + found);
    if (count > 2) found += hits_of(least, sum, 2, row, at->first[2], hits + found);
    return found;
}

/* More than one group of dimensions: their sums add up to 32 bits in memory. */
static inline __attribute__((always_inline)) size_t
long_strip(const akin_tile_task *task, const thresholds *least, const vectors *at, const int count,
           size_t row, akin_dot_hit *hits, int32_t *told) {
    const int32_t lowest = lowest_of(least->row + row);
    lanes sum[ROWS][VECTORS];
    sums wide[VECTORS] = {0};
    size_t found = 0;
    for (size_t first = 0; first < task->stride; first += GROUP) {
        multiply(task, row, at, count, first,
                 first + GROUP < task->stride ? first + GROUP : task->stride, sum);
        for (int v = 0; v < count; v++)
            for (int r = 0; r < ROWS; r++) widen(sum[r][v], wide[v].sum[r]);
    }
    for (int v = 0; v < count; v++) {
        unsigned some = 0;
        for (size_t h = 0; h < 2; h++) {
            lanes largest = LOAD(wide[v].sum[0] + 8 * h);
            for (int r = 1; r < ROWS; r++)
                largest = _mm256_max_epi32(largest, LOAD(wide[v].sum[r] + 8 * h));
            largest = _mm256_add_epi32(largest, LOAD(least->offset + at->first[v] + 8 * h));
            lanes low =
                _mm256_min_epi32(SPREAD(lowest), LOAD(least->column + at->first[v] + 8 * h));
            lanes above = _mm256_cmpgt_epi32(largest, low);
            some |= (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(above)) << (8 * h);
        }
        found += collect(least, &wide[v], row, at->first[v], some, hits + found,
                         told != NULL ? told + found : NULL);
    }
    return found;
}

/* Functions of their own, so that each loop has its sums in registers; one function of all has not
 * (gcc 12). */
#define STRIP(name, body, count)                                                                   \
    static __attribute__((noinline)) size_t name(const akin_tile_task *task,                       \
                                                 const thresholds *least, const vectors *at,       \
                                                 size_t row, akin_dot_hit *hits, int32_t *told) {  \
        return body(task, least, at, count, row, hits, told);                                      \
    }
STRIP(short_strip_1, short_strip, 1)
STRIP(short_strip_2, short_strip, 2)
STRIP(short_strip_3, short_strip, 3)
STRIP(long_strip_1, long_strip, 1)
STRIP(long_strip_2, long_strip, 2)
STRIP(long_strip_3, long_strip, 3)

typedef size_t strip_function(const akin_tile_task *, const thresholds *, const vectors *, size_t,
                              akin_dot_hit *, int32_t *);

static inline size_t strip(const akin_tile_task *task, const thresholds *least, unsigned active,
                           size_t row, akin_dot_hit *hits, int32_t *found, size_t *tried) {
    static strip_function *const strips[2][VECTORS] = {
        {short_strip_1, short_strip_2, short_strip_3}, {long_strip_1, long_strip_2, long_strip_3}};
    vectors at = {0};
    for (unsigned v = 0; v < VECTORS; v++)
        if (active >> v & 1) at.first[at.count++] = (size_t)v * LANES;
    *tried += ROWS * LANES * (size_t)at.count;
    return strips[task->stride > GROUP][at.count - 1](task, least, &at, row, hits, found);
}

#endif
