/* tile: two panels against each other in 8 bits, compiled once per level. Floor 1 (kernels); looks down to cpu, dot,
 * sketch.
 *
 * A piece of a tile is ROWS rows against VECTORS vectors of columns, its sums in as many registers while the loop over
 * the dimensions runs, four dimensions at a step: 6 x 16 in the 16 registers of AVX2, 8 x 48 in the 32 of AVX-512,
 * 2 x 8 in SSE2's. */
#include <akin/cpu.h>
#include <akin/tile.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

enum { PANEL = AKIN_SKETCH_PANEL, GROUP = AKIN_SKETCH_GROUP, COLUMNS = 16 /* ruled out together */ };

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
enum { LANES = 8, ROWS = 6, VECTORS = 2 };
typedef __m256i lanes;
#define LOAD(p) _mm256_load_si256((const void *)(p))
#define SPREAD(x) _mm256_set1_epi32(x)
#define ADD(a, b) _mm256_add_epi32(a, b)
#define LARGER(a, b) _mm256_max_epi32(a, b)
#define SMALLER(a, b) _mm256_min_epi32(a, b)
#define ABOVE(a, b) ((uint64_t)(unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(a, b))))
#define ADD16(a, b) _mm256_add_epi16(a, b)
#define PAIRS(a, b) _mm256_maddubs_epi16(a, b)
#define FOLD(a) _mm256_madd_epi16(a, _mm256_set1_epi16(1))
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
#if AKIN_LEVEL == 1 || AKIN_LEVEL == 5
enum { LIMIT = 127, OFFSET = 128 }; /* sums of 32 bits all the way */
#else
enum { LIMIT = 63, OFFSET = 64 };
#endif
_Static_assert(PANEL % ROWS == 0 && PANEL % WIDTH == 0, "pieces cover a panel");
_Static_assert(WIDTH % COLUMNS == 0 || COLUMNS % WIDTH == 0, "what is ruled out is whole pieces");

/* The task in the integers of the sketches: a pair is a hit where sum + offset > min(row, column). */
typedef struct {
    int32_t row[PANEL], column[PANEL], offset[PANEL];
    unsigned active; /* a bit for 16 columns: some of them can meet the row panel */
} thresholds;

static inline int32_t whole(float scale, float x) {
    float held = x < -3 ? -3 : x;
    held = held > 3 ? 3 : held;
    return (int32_t)rintf(scale * held);
}

static void prepare(const akin_tile_task *task, thresholds *out) {
    const akin_sketch *rows = task->row_sketch;
    const float scale = rows->row_scale * task->column_sketch->column_scale, margin = task->margin;
    const float inverse = rows->inverse, slack = rows->slack, cosine = rows->cos_radius, sine = rows->sin_radius;
    const float lowest = task->row_lowest, all = inverse == 0 ? 4 : 0;
    int32_t meets[PANEL];
    for (int i = 0; i < PANEL; i++) {
        out->row[i] = whole(scale, task->row_least[i] - margin) - 2;
        out->column[i] = whole(scale, task->column_least[i] - margin) - 2;
        out->offset[i] = whole(scale, task->products[i]);
#if AKIN_LEVEL == 1 || AKIN_LEVEL == 5
        out->offset[i] -= OFFSET * task->sums[i];
#endif
    }
    for (int j = 0; j < PANEL; j++) {
        float least = task->column_least[j] < lowest ? task->column_least[j] : lowest;
        float x = task->products[j] * inverse + slack, square = 1 - x * x;
        float bound = x * cosine + sqrtf(square > 0 ? square : 0) * sine + slack;
        bound = (x >= cosine ? 2 : bound) + all; /* inside the cone, or the cone is everything */
        meets[j] = (bound >= least) & (least < 2);
    }
    out->active = 0;
    for (int g = 0; g < PANEL / COLUMNS; g++) {
        int32_t some = 0;
        for (int j = g * COLUMNS; j < (g + 1) * COLUMNS; j++) some |= meets[j];
        out->active |= (unsigned)some << g;
    }
}

static inline int32_t four(const uint8_t *bytes) {
    int32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

#if AKIN_LEVEL == 5
static inline void multiply(const akin_tile_task *task, size_t row, size_t column, lanes sum[ROWS][VECTORS]) {
    const uint8_t *a = task->rows + row * 4;
    const int8_t *b = task->columns + column * 4;
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++) sum[r][v] = _mm512_setzero_si512();
    for (size_t t = 0; t < task->stride; t += 4, a += PANEL * 4, b += PANEL * 4) {
        lanes columns[VECTORS];
        for (int v = 0; v < VECTORS; v++) columns[v] = LOAD(b + v * LANES * 4);
        for (int r = 0; r < ROWS; r++) {
            lanes one = SPREAD(four(a + 4 * r));
            for (int v = 0; v < VECTORS; v++) sum[r][v] = _mm512_dpbusd_epi32(sum[r][v], one, columns[v]);
        }
    }
}
#elif AKIN_LEVEL >= 3
/* One group of dimensions; its sums wrap around 16 bits on the way and fit them in the end (sketch.h). No pair of
 * products saturates: 2 x 127 x 127 < 2^15. */
static inline void multiply_group(const akin_tile_task *task, size_t row, size_t column, size_t first, size_t end,
                                  lanes sum[ROWS][VECTORS]) {
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

static inline void multiply(const akin_tile_task *task, size_t row, size_t column, lanes sum[ROWS][VECTORS]) {
    multiply_group(task, row, column, 0, task->stride < GROUP ? task->stride : GROUP, sum);
    for (size_t first = GROUP; first < task->stride; first += GROUP) {
        lanes more[ROWS][VECTORS];
        size_t end = first + GROUP < task->stride ? first + GROUP : task->stride;
        multiply_group(task, row, column, first, end, more);
        for (int r = 0; r < ROWS; r++)
            for (int v = 0; v < VECTORS; v++) sum[r][v] = ADD(sum[r][v], more[r][v]);
    }
}
#else
static inline void multiply(const akin_tile_task *task, size_t row, size_t column, lanes sum[ROWS][VECTORS]) {
    const __m128i zero = _mm_setzero_si128();
    __m128i half[ROWS][VECTORS][2]; /* first and second two columns of four, their dimensions in pairs */
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++) half[r][v][0] = half[r][v][1] = zero;
    for (size_t t = 0; t < task->stride; t += 4)
        for (int v = 0; v < VECTORS; v++) {
            __m128i b = LOAD(task->columns + t * PANEL + (column + (size_t)v * LANES) * 4);
            __m128i first = _mm_srai_epi16(_mm_unpacklo_epi8(zero, b), 8);
            __m128i second = _mm_srai_epi16(_mm_unpackhi_epi8(zero, b), 8);
            for (int r = 0; r < ROWS; r++) {
                __m128i a = _mm_unpacklo_epi8(SPREAD(four(task->rows + t * PANEL + (row + (size_t)r) * 4)), zero);
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

static inline size_t piece(const akin_tile_task *task, const thresholds *least, size_t row, size_t column,
                           akin_dot_hit *hits) {
    lanes sum[ROWS][VECTORS];
    multiply(task, row, column, sum);

    /* Most pieces hold no hit: one test of the largest sum in each column against the least that could be one. */
    int32_t lowest = least->row[row];
    for (int r = 1; r < ROWS; r++) lowest = least->row[row + (size_t)r] < lowest ? least->row[row + (size_t)r] : lowest;
    uint64_t any = 0;
    for (int v = 0; v < VECTORS; v++) {
        lanes largest = sum[0][v];
        for (int r = 1; r < ROWS; r++) largest = LARGER(largest, sum[r][v]);
        any |= ABOVE(ADD(largest, LOAD(least->offset + column + v * LANES)),
                     SMALLER(SPREAD(lowest), LOAD(least->column + column + v * LANES)));
    }
    if (any == 0) return 0;

    enum { WORD_ROWS = 64 / WIDTH, WORDS = (ROWS + WORD_ROWS - 1) / WORD_ROWS };
    uint64_t words[WORDS] = {0};
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < VECTORS; v++) {
            lanes low = SMALLER(SPREAD(least->row[row + (size_t)r]), LOAD(least->column + column + v * LANES));
            words[r / WORD_ROWS] |= ABOVE(ADD(sum[r][v], LOAD(least->offset + column + v * LANES)), low)
                                    << (r % WORD_ROWS * WIDTH + v * LANES);
        }
    size_t count = 0;
    for (size_t w = 0; w < WORDS; w++)
        for (uint64_t word = words[w]; word != 0; word &= word - 1) {
            size_t bit = (size_t)__builtin_ctzll(word);
            hits[count++] =
                (akin_dot_hit){(uint16_t)(row + w * WORD_ROWS + bit / WIDTH), (uint16_t)(column + bit % WIDTH)};
        }
    return count;
}

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

static size_t tile_hits(const akin_tile_task *task, akin_dot_hit *hits, size_t *tried) {
    thresholds least __attribute__((aligned(64)));
    size_t count = 0;
    *tried = 0;
    prepare(task, &least);
    for (size_t row = 0; row < PANEL && least.active != 0; row += ROWS)
        for (size_t column = 0; column < PANEL; column += WIDTH) {
            unsigned bits = (WIDTH + COLUMNS - 1) / COLUMNS, mask = (1u << bits) - 1;
            if (!(least.active >> column / COLUMNS & mask)) continue;
            count += piece(task, &least, row, column, hits + count);
            *tried += ROWS * WIDTH;
        }
    return count;
}

extern const akin_tile_kernels akin_tile_kernels_v1, akin_tile_kernels_v3, akin_tile_kernels_v4, akin_tile_kernels_v5;
const akin_tile_kernels AKIN_LEVELED(akin_tile_kernels) = {
    .name = NAME, .format = {LIMIT, OFFSET, LIMIT == 63}, .lowest = lowest, .hits = tile_hits};

#if AKIN_LEVEL == 1
const akin_tile_kernels *akin_tile(void) {
    static const akin_tile_kernels *const levels[AKIN_CPU_LEVELS] = {&akin_tile_kernels_v1, &akin_tile_kernels_v3,
                                                                     &akin_tile_kernels_v4, &akin_tile_kernels_v5};
    return levels[akin_cpu_active()];
}
#endif
