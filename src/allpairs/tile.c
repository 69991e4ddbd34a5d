/* tile: two panels against each other in 8 bits, compiled once per level.
 *
 * A piece of a tile is ROWS rows against VECTORS vectors of columns, its sums in as many registers
 * while the loop over the dimensions runs, TOGETHER dimensions at a step: 4 x 48 in the 16
 * registers of AVX2, 8 x 48 in the 32 of AVX-512, 2 x 8 in SSE2's. AVX2 takes two dimensions at a
 * step, so that a column's sum is 16 bits wide to the end and a vector holds 16 of them. */
#include "tile_level.h"
#include <akin/cpu.h>
#include <stddef.h>

/* The task in the integers of the sketches: a pair is a hit where sum + offset > min(row, column).
 */
typedef struct {
    int32_t row[PANEL], column[PANEL], offset[PANEL];
} thresholds;

static inline int32_t whole(float scale, float x) {
    float held = x > -3 ? x : -3;
    return (int32_t)rintf(scale * (held < 3 ? held : 3));
}

static void prepare(const akin_tile_task *task, thresholds *out) {
    const float scale = task->row_sketch->row_scale * task->column_sketch->column_scale,
                margin = task->margin;
    for (int i = 0; i < PANEL; i++) {
        out->row[i] = whole(scale, task->row_least[i] - margin) - 2;
        out->column[i] = whole(scale, task->column_least[i] - margin) - 2;
        out->offset[i] = whole(scale, task->products[i]);
#if AKIN_LEVEL == 1 || AKIN_LEVEL >= 5
        out->offset[i] -= OFFSET * task->sums[i];
#endif
    }
}

static inline int32_t lowest_of(const int32_t *least) {
    int32_t low = least[0];
    for (int r = 1; r < ROWS; r++) low = least[r] < low ? least[r] : low;
    return low;
}

#if AKIN_LEVEL != 3
static inline int32_t four(const uint8_t *bytes) {
    int32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}
#endif

#if AKIN_LEVEL == 5
/* In assembler: around the intrinsic gcc 12 copies each sum back and forth, and spills some. */
static inline void add_products(lanes *sum, lanes row, lanes column) {
    __asm__("vpdpbusd %[column], %[row], %[sum]"
            : [sum] "+v"(*sum)
            : [row] "v"(row), [column] "v"(column));
}

static inline void multiply(const akin_tile_task *task, size_t row, size_t column,
                            lanes sum[ROWS][VECTORS]) {
    const uint8_t *a = task->rows + row * 4;
    const int8_t *b = task->columns + column * 4;
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++) sum[r][v] = _mm512_setzero_si512();
    for (size_t t = 0; t < task->stride; t += 4, a += PANEL * 4, b += PANEL * 4) {
        lanes columns[VECTORS];
        for (int v = 0; v < VECTORS; v++) columns[v] = LOAD(b + v * LANES * 4);
        for (int r = 0; r < ROWS; r++) {
            lanes one = SPREAD(four(a + 4 * r));
            for (int v = 0; v < VECTORS; v++) add_products(&sum[r][v], one, columns[v]);
        }
    }
}
#elif AKIN_LEVEL == 4
/* One group of dimensions; its sums wrap around 16 bits on the way and fit them in the end
 * (sketch.h). No pair of products saturates: 2 x 127 x 127 < 2^15. */
static inline void multiply_group(const akin_tile_task *task, size_t row, size_t column,
                                  size_t first, size_t end, lanes sum[ROWS][VECTORS]) {
    const uint8_t *a = task->rows + first * PANEL + row * 4;
    const int8_t *b = task->columns + first * PANEL + column * 4;
    const int16_t *wrap = task->wrap + (first / GROUP * PANEL + column) * 2;
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++) sum[r][v] = LOAD(wrap + v * LANES * 2);
    for (size_t t = first; t < end; t += 4, a += PANEL * 4, b += PANEL * 4) {
        lanes columns[VECTORS];
        for (int v = 0; v < VECTORS; v++) columns[v] = LOAD(b + v * LANES * 4);
        for (int r = 0; r < ROWS; r++) {
            lanes one = SPREAD(four(a + 4 * r));
            for (int v = 0; v < VECTORS; v++) sum[r][v] = ADD16(sum[r][v], PAIRS(one, columns[v]));
        }
    }
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++) sum[r][v] = FOLD(sum[r][v]);
}

static inline void multiply(const akin_tile_task *task, size_t row, size_t column,
                            lanes sum[ROWS][VECTORS]) {
    multiply_group(task, row, column, 0, task->stride < GROUP ? task->stride : GROUP, sum);
    for (size_t first = GROUP; first < task->stride; first += GROUP) {
        lanes more[ROWS][VECTORS];
        size_t end = first + GROUP < task->stride ? first + GROUP : task->stride;
        multiply_group(task, row, column, first, end, more);
        for (int r = 0; r < ROWS; r++)
            for (int v = 0; v < VECTORS; v++) sum[r][v] = ADD(sum[r][v], more[r][v]);
    }
}
#elif AKIN_LEVEL == 1
static inline void multiply(const akin_tile_task *task, size_t row, size_t column,
                            lanes sum[ROWS][VECTORS]) {
    const __m128i zero = _mm_setzero_si128();
    __m128i half[ROWS][VECTORS]
                [2]; /* first and second two columns of four, their dimensions in pairs */
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++) half[r][v][0] = half[r][v][1] = zero;
    for (size_t t = 0; t < task->stride; t += 4)
        for (int v = 0; v < VECTORS; v++) {
            __m128i b = LOAD(task->columns + t * PANEL + (column + (size_t)v * LANES) * 4);
            __m128i first = _mm_srai_epi16(_mm_unpacklo_epi8(zero, b), 8);
            __m128i second = _mm_srai_epi16(_mm_unpackhi_epi8(zero, b), 8);
            for (int r = 0; r < ROWS; r++) {
                __m128i a = _mm_unpacklo_epi8(
                    SPREAD(four(task->rows + t * PANEL + (row + (size_t)r) * 4)), zero);
                half[r][v][0] = ADD(half[r][v][0], _mm_madd_epi16(a, first));
                half[r][v][1] = ADD(half[r][v][1], _mm_madd_epi16(a, second));
            }
        }
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++) {
            __m128 x = _mm_castsi128_ps(half[r][v][0]), y = _mm_castsi128_ps(half[r][v][1]);
            sum[r][v] = ADD(_mm_castps_si128(_mm_shuffle_ps(x, y, _MM_SHUFFLE(2, 0, 2, 0))),
                            _mm_castps_si128(_mm_shuffle_ps(x, y, _MM_SHUFFLE(3, 1, 3, 1))));
        }
}
#endif

#if AKIN_LEVEL >= 4
/* All hits of a piece and what decided them, without branches. */
static __attribute__((noinline)) size_t tell(const thresholds *least, size_t row, size_t column,
                                             lanes sum[ROWS][VECTORS], akin_dot_hit *hits,
                                             int32_t *found) {
    const lanes lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t count = 0;
    for (size_t r = 0; r < ROWS; r++)
        for (size_t v = 0; v < VECTORS; v++) {
            const size_t first = column + v * LANES;
            const lanes low = SMALLER(SPREAD(least->row[row + r]), LOAD(least->column + first)),
                        all = ADD(sum[r][v], LOAD(least->offset + first)),
                        hit = ADD(_mm512_slli_epi32(ADD(lane, SPREAD((int32_t)first)), 16),
                                  SPREAD((int32_t)(row + r))); /* as akin_dot_hit */
            const __mmask16 above = _mm512_cmpgt_epi32_mask(all, low);
            const unsigned some = (unsigned)__builtin_popcount(above);
            const __mmask16 kept = (__mmask16)((1u << some) - 1);
            _mm512_mask_storeu_epi32(hits + count, kept, _mm512_maskz_compress_epi32(above, hit));
            _mm512_mask_storeu_epi32(found + count, kept, _mm512_maskz_compress_epi32(above, all));
            count += some;
        }
    return count;
}
_Static_assert(sizeof(akin_dot_hit) == 4 && offsetof(akin_dot_hit, column) == 2, "a lane each");
#elif AKIN_LEVEL == 1
static __attribute__((noinline)) size_t tell(const thresholds *least, size_t row, size_t column,
                                             lanes sum[ROWS][VECTORS], akin_dot_hit *hits,
                                             int32_t *found) {
    int32_t sums[ROWS][WIDTH];
    size_t count = 0;
    memcpy(sums, sum, sizeof sums);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t v = 0; v < WIDTH; v++) {
            const size_t i = row + r, j = column + v;
            const int32_t all = sums[r][v] + least->offset[j];
            if (all <= (least->row[i] < least->column[j] ? least->row[i] : least->column[j]))
                continue;
            hits[count] = (akin_dot_hit){(uint16_t)i, (uint16_t)j};
            found[count++] = all;
        }
    return count;
}
#endif

#if AKIN_LEVEL != 3
static inline size_t piece(const akin_tile_task *task, const thresholds *least, size_t row,
                           size_t column, akin_dot_hit *hits, int32_t *found) {
    lanes sum[ROWS][VECTORS];
    multiply(task, row, column, sum);

    /* Most pieces hold no hit: one test of the largest sum in each column against the least that
     * could be one. */
    const int32_t lowest = lowest_of(least->row + row);
    uint64_t any = 0;
    for (int v = 0; v < VECTORS; v++) {
        lanes largest = sum[0][v];
        for (int r = 1; r < ROWS; r++) largest = LARGER(largest, sum[r][v]);
        any |= ABOVE(ADD(largest, LOAD(least->offset + column + v * LANES)),
                     SMALLER(SPREAD(lowest), LOAD(least->column + column + v * LANES)));
    }
    if (any == 0) return 0;
    if (found != NULL) {
        lanes copy[ROWS]
                  [VECTORS]; /* a function of its own would keep the sums themselves in memory */
        memcpy(copy, sum, sizeof copy);
        return tell(least, row, column, copy, hits, found);
    }

    enum { WORD_ROWS = 64 / WIDTH, WORDS = (ROWS + WORD_ROWS - 1) / WORD_ROWS };
    uint64_t words[WORDS] = {0};
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++) {
            lanes low = SMALLER(SPREAD(least->row[row + (size_t)r]),
                                LOAD(least->column + column + v * LANES));
            words[r / WORD_ROWS] |=
                ABOVE(ADD(sum[r][v], LOAD(least->offset + column + v * LANES)), low)
                << (r % WORD_ROWS * WIDTH + v * LANES);
        }
    size_t count = 0;
    for (size_t w = 0; w < WORDS; w++)
        for (uint64_t word = words[w]; word != 0; word &= word - 1) {
            size_t bit = (size_t)__builtin_ctzll(word);
            hits[count++] = (akin_dot_hit){(uint16_t)(row + w * WORD_ROWS + bit / WIDTH),
                                           (uint16_t)(column + bit % WIDTH)};
        }
    return count;
}

/* ROWS rows against the active columns. */
static inline size_t strip(const akin_tile_task *task, const thresholds *least, unsigned active,
                           size_t row, akin_dot_hit *hits, int32_t *found, size_t *tried) {
    const unsigned bits = (WIDTH + COLUMNS - 1) / COLUMNS, mask = (1u << bits) - 1;
    size_t count = 0;
    for (size_t column = 0; column < PANEL; column += WIDTH) {
        if (!(active >> column / COLUMNS & mask)) continue;
        count +=
            piece(task, least, row, column, hits + count, found != NULL ? found + count : NULL);
        *tried += ROWS * WIDTH;
    }
    return count;
}
#else
/* --- AVX2: columns in vectors of 16, of which as many take part as are active --- */

typedef struct {
    int count;
    size_t first[VECTORS]; /* columns */
} vectors;

static inline int16_t two(const uint8_t *bytes) {
    int16_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* One group of dimensions; its sums wrap around 16 bits on the way and fit them in the end
 * (sketch.h). No pair of products saturates: 2 x 127 x 127 < 2^15. `count` is a constant where this
 * is inlined, so that sums are registers. */
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

/* Registers are all that these levels need. */
static void begin(size_t stride) {
    (void)stride;
}

static void end(void) {
}

static size_t tile_hits(const akin_tile_task *task, akin_dot_hit *hits, size_t *tried) {
    thresholds least __attribute__((aligned(64)));
    unsigned active = active_columns(task);
    size_t count = 0;
    *tried = 0;
    if (active == 0) return 0;
    prepare(task, &least);
    for (size_t row = 0; row < PANEL; row += ROWS)
        count += strip(task, &least, active, row, hits + count,
                       task->found != NULL ? task->found + count : NULL, tried);
    return count;
}

#if AKIN_LEVEL == 5
static void tile_scores(const akin_tile_task *task, float *scores, size_t width) {
    const __m512 scale =
        _mm512_set1_ps(1 / (task->row_sketch->row_scale * task->column_sketch->column_scale));
    for (size_t row = 0; row < PANEL; row += ROWS) {
        lanes sum[ROWS][VECTORS];
        multiply(task, row, 0, sum);
        for (size_t v = 0; v < VECTORS; v++) {
            const lanes offset = _mm512_slli_epi32(LOAD(task->sums + v * LANES), 7);
            const __m512 product = _mm512_loadu_ps(task->products + v * LANES);
            for (size_t r = 0; r < ROWS; r++) {
                __m512 whole = _mm512_cvtepi32_ps(_mm512_sub_epi32(sum[r][v], offset));
                _mm512_storeu_ps(scores + (row + r) * width + v * LANES,
                                 _mm512_fmadd_ps(whole, scale, product));
            }
        }
    }
}
#endif

extern const akin_tile_kernels akin_tile_kernels_v1, akin_tile_kernels_v3, akin_tile_kernels_v4,
    akin_tile_kernels_v5, akin_tile_kernels_v6;
const akin_tile_kernels AKIN_LEVELED(akin_tile_kernels) = {
    .name = NAME,
    .format = {LIMIT, OFFSET, TOGETHER, LIMIT == 63, false},
    .begin = begin,
    .end = end,
    .lowest = lowest,
    .lower = lower,
    .lower_to_sums = lower_to_sums,
#if AKIN_LEVEL == 5
    .scores = tile_scores,
#endif
    .hits = tile_hits};

#if AKIN_LEVEL == 1
static const akin_tile_kernels *stand_in; /* NULL: the level's own */

const akin_tile_kernels *akin_tile(void) {
    static const akin_tile_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_tile_kernels_v1, &akin_tile_kernels_v3, &akin_tile_kernels_v4, &akin_tile_kernels_v5,
        &akin_tile_kernels_v6};
    return stand_in != NULL ? stand_in : levels[akin_cpu_active()];
}

void akin_tile_replace(const akin_tile_kernels *kernels) {
    stand_in = kernels;
}
#endif
