/* tile: two panels against each other in 8 bits, compiled once per level.
 *
 * A piece of a tile is ROWS rows against VECTORS vectors of columns, its sums in as many registers
 * while the loop over the dimensions runs, TOGETHER dimensions at a step: 4 x 48 in the 16
 * registers of AVX2 (tile_avx2.h), 8 x 48 in the 32 of AVX-512, 2 x 8 in SSE2's. */
#include "tile_thresholds.h"
#include <akin/cpu.h>
#include <stddef.h>

#if AKIN_LEVEL == 3
#include "tile_avx2.h"
#else
static inline int32_t four(const uint8_t *bytes) {
    int32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

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
