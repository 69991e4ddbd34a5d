/* tile_matrix: tiles by a matrix unit of 16 x 16 sums and 64 products each at a step. Included by the
 * source that has the unit's operations, or a model of them:
 *   MATRIX_CONFIGURE(width)      all eight registers have 16 rows of 64 bytes, but rows of A_0 and A_1
 *                                have `width` bytes, and B_0 and B_1 have width / 4 rows
 *   MATRIX_RELEASE()             the unit holds nothing any more
 *   MATRIX_ZERO(register)
 *   MATRIX_LOAD(register, address, bytes from one row to the next)
 *   MATRIX_MULTIPLY(sums, a, b)  sums[i][j] += a's unsigned bytes in row i times b's signed ones,
 *                                four of a column side by side
 *   MATRIX_STORE(register, address, bytes)
 *
 * 32 rows meet 32 columns at a step, so that each register that is loaded is multiplied twice: a load
 * takes the unit about as long as a product. Up to 128 dimensions the columns stay in registers instead
 * (two strips of 64 dimensions, or one of 128) and the strips of rows pass by them: a step is two strips of
 * sums, whose store waits for the products of the next step, so that the unit never waits for a store.
 * Sums are stored to the first cache and looked through there while the unit is busy with a later step:
 * first the largest of each column alone. Two panels of rows with two of columns are whole steps; of one
 * with one, some are halves. */
#include "tile_level.h"

/* Registers, as numbers that an assembler takes. */
#define SUMS_00 0
#define SUMS_01 1
#define SUMS_10 2
#define SUMS_11 3
#define A_0 4
#define A_1 5
#define B_0 6
#define B_1 7

enum {
    SIDE = 16,
    STRIPS = PANEL / SIDE,
    FEW = 4,         /* columns with a hit, up to which each is looked through by itself */
    KEPT_CHUNKS = 2, /* up to which columns stay in registers */
    NEXT_MOST = 8192 /* bytes of the columns to come that are fetched to the first cache */
};
_Static_assert(SIDE - COLUMNS == 0, "what is ruled out is strips");
_Static_assert(SIDE % LANES == 0, "whole vectors");
_Static_assert(OFFSET == 1 << 7, "a shift takes the offset times a sum");

#if AKIN_LEVEL >= 4
typedef __m512 reals;
#define READ(p) _mm512_loadu_ps(p)
#define WRITE(p, x) _mm512_storeu_ps(p, x)
#define READ_SUMS(p) _mm512_loadu_si512((const void *)(p))
#define EVERY(x) _mm512_set1_ps(x)
#define REAL(x) _mm512_cvtepi32_ps(x)
#define LESS(x, y) _mm512_sub_epi32(x, y)
#define LESS_OFFSET(x, sums) _mm512_sub_epi32(x, _mm512_slli_epi32(sums, 7))
#define SCALED(x, scale, more) _mm512_fmadd_ps(x, scale, more)
#define MINUS(a, b) _mm512_sub_ps(a, b)
#define LOWER(a, b) _mm512_min_ps(a, b)
#define REACHES(a, b) ((unsigned)_mm512_cmp_ps_mask(a, b, _CMP_GE_OQ))
#define EVERY_16TH(p)                                                                              \
    _mm512_i32gather_epi32(                                                                        \
        _mm512_setr_epi32(0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240), \
        p, 4)
#else
typedef __m128 reals;
#define READ(p) _mm_loadu_ps(p)
#define WRITE(p, x) _mm_storeu_ps(p, x)
#define READ_SUMS(p) _mm_loadu_si128((const void *)(p))
#define EVERY(x) _mm_set1_ps(x)
#define REAL(x) _mm_cvtepi32_ps(x)
#define LESS(x, y) _mm_sub_epi32(x, y)
#define LESS_OFFSET(x, sums) _mm_sub_epi32(x, _mm_slli_epi32(sums, 7))
#define SCALED(x, scale, more) _mm_add_ps(_mm_mul_ps(x, scale), more)
#define MINUS(a, b) _mm_sub_ps(a, b)
#define LOWER(a, b) _mm_min_ps(a, b)
#define REACHES(a, b) ((unsigned)_mm_movemask_ps(_mm_cmpge_ps(a, b)))
#define EVERY_16TH(p) _mm_setr_epi32((p)[0], (p)[16], (p)[32], (p)[48])
#endif

typedef int32_t sums_of_strips[SIDE][SIDE]; /* row, column */

/* A task as it is looked through. The bounds are compared in float32: five roundings of values below 4,
 * for which the margin has room (sketch.h). */
typedef struct {
    const akin_tile_task *task;
    float scale;          /* of the sums */
    float lowest[STRIPS]; /* of 16 rows' thresholds */
    akin_dot_hit *hits;
    size_t count;
} search;

/* Strips of rows and of columns, and the searches that they belong to. */
typedef struct {
    const uint8_t *rows[2 * STRIPS];
    const int8_t *columns[2 * STRIPS];
    uint8_t column_of[2 * STRIPS]; /* its place: the active ones alone have one */
    size_t row_count, column_count;
    size_t width, chunks; /* bytes of a row in a chunk of dimensions */
    search of[2][2];
    const char *next, *next_end; /* what is fetched meanwhile */
    size_t next_step;
} sweep;

/* One or two strips of rows by one or two of columns. */
typedef struct {
    size_t row, column; /* the first ones */
    size_t rows, columns;
    sums_of_strips sums[2][2] __attribute__((aligned(64)));
} step;

static void begin(size_t stride) {
    MATRIX_CONFIGURE(akin_sketch_chunk(stride));
}

static void end(void) {
    MATRIX_RELEASE();
}

/* How many there are of each, and of chunks, are constants where this is inlined. */
static inline __attribute__((always_inline)) void multiply_strips(const sweep *s, step *t,
                                                                  const size_t rows,
                                                                  const size_t columns,
                                                                  const size_t chunks) {
    const size_t width = s->width;
    const uint8_t *a_0 = s->rows[t->row], *a_1 = s->rows[t->row + rows - 1];
    const int8_t *b_0 = s->columns[t->column], *b_1 = s->columns[t->column + columns - 1];
    MATRIX_ZERO(SUMS_00);
    if (columns == 2) MATRIX_ZERO(SUMS_01);
    if (rows == 2) MATRIX_ZERO(SUMS_10);
    if (rows == 2 && columns == 2) MATRIX_ZERO(SUMS_11);
    for (size_t c = 0, at = 0; c < chunks; c++, at += PANEL * width) {
        MATRIX_LOAD(A_0, a_0 + at, width);
        MATRIX_LOAD(B_0, b_0 + at, PANEL * 4);
        MATRIX_MULTIPLY(SUMS_00, A_0, B_0);
        if (columns == 2) {
            MATRIX_LOAD(B_1, b_1 + at, PANEL * 4);
            MATRIX_MULTIPLY(SUMS_01, A_0, B_1);
        }
        if (rows == 1) continue;
        MATRIX_LOAD(A_1, a_1 + at, width);
        MATRIX_MULTIPLY(SUMS_10, A_1, B_0);
        if (columns == 2) MATRIX_MULTIPLY(SUMS_11, A_1, B_1);
    }
    MATRIX_STORE(SUMS_00, t->sums[0][0], SIDE * sizeof(int32_t));
    if (columns == 2) MATRIX_STORE(SUMS_01, t->sums[0][1], SIDE * sizeof(int32_t));
    if (rows == 2) MATRIX_STORE(SUMS_10, t->sums[1][0], SIDE * sizeof(int32_t));
    if (rows == 2 && columns == 2) MATRIX_STORE(SUMS_11, t->sums[1][1], SIDE * sizeof(int32_t));
}

static void multiply(const sweep *s, step *t) {
    if (t->rows == 2 && t->columns == 2) {
        if (s->chunks == 1)
            multiply_strips(s, t, 2, 2, 1);
        else
            multiply_strips(s, t, 2, 2, s->chunks);
    } else if (t->rows == 2)
        multiply_strips(s, t, 2, 1, s->chunks);
    else if (t->columns == 2)
        multiply_strips(s, t, 1, 2, s->chunks);
    else
        multiply_strips(s, t, 1, 1, s->chunks);
}

/* The bounds that sums of 16 columns stand for, `l` columns after the first. */
static inline reals bounds(const search *s, lanes sums, size_t column) {
    const lanes whole = LESS_OFFSET(sums, READ_SUMS(s->task->sums + column));
    return SCALED(REAL(whole), EVERY(s->scale), READ(s->task->products + column));
}

/* What columns ask for, or the row that asks for `least` if that is lower. */
static inline reals asked(const search *s, float least, size_t column) {
    return MINUS(LOWER(EVERY(least), READ(s->task->column_least + column)), EVERY(s->task->margin));
}

/* The columns of 16 x 16 sums that may have a hit, a bit each: compares the largest sum of each
 * column with the lowest that could be a hit. */
static inline unsigned columns_above(const search *s, const sums_of_strips sums, size_t strip,
                                     size_t column) {
    unsigned some = 0;
    for (size_t l = 0; l < SIDE; l += LANES) {
        lanes largest[4];
        for (int r = 0; r < 4; r++) largest[r] = LOAD(sums[r] + l);
        for (int r = 4; r < SIDE; r += 4)
            for (int q = 0; q < 4; q++) largest[q] = LARGER(largest[q], LOAD(sums[r + q] + l));
        largest[0] = LARGER(LARGER(largest[0], largest[1]), LARGER(largest[2], largest[3]));
        some |= REACHES(bounds(s, largest[0], column + l), asked(s, s->lowest[strip], column + l))
                << l;
    }
    return some;
}

/* The hits in some columns, a bit each: one column after the other. */
static inline void collect_few(search *s, const sums_of_strips sums, size_t strip, size_t column,
                               unsigned some) {
    const akin_tile_task *task = s->task;
    const float *least = task->row_least + strip * SIDE;
    for (; some != 0; some &= some - 1) {
        const size_t j = (size_t)__builtin_ctz(some), at = column + j;
        const int32_t offset = task->sums[at] * OFFSET;
        const reals product = EVERY(task->products[at]), own = EVERY(task->column_least[at]),
                    margin = EVERY(task->margin), scale = EVERY(s->scale);
        for (size_t r = 0; r < SIDE; r += LANES) {
            lanes whole = LESS(EVERY_16TH(sums[r] + j), SPREAD(offset));
            reals low = MINUS(LOWER(READ(least + r), own), margin);
            unsigned bits = REACHES(SCALED(REAL(whole), scale, product), low);
            for (; bits != 0; bits &= bits - 1)
                s->hits[s->count++] = (akin_dot_hit){
                    (uint16_t)(strip * SIDE + r + (size_t)__builtin_ctz(bits)), (uint16_t)at};
        }
    }
}

/* All hits, row by row. */
static __attribute__((noinline)) void collect_many(search *s, const sums_of_strips sums,
                                                   size_t strip, size_t column) {
    const float *least = s->task->row_least + strip * SIDE;
    uint16_t found[SIDE];
    for (size_t r = 0; r < SIDE; r++) {
        unsigned bits = 0;
        for (size_t l = 0; l < SIDE; l += LANES)
            bits |=
                REACHES(bounds(s, LOAD(sums[r] + l), column + l), asked(s, least[r], column + l))
                << l;
        found[r] = (uint16_t)bits;
    }
    for (size_t r = 0; r < SIDE; r += 4) {
        uint64_t bits;
        memcpy(&bits, found + r, sizeof bits);
        for (; bits != 0; bits &= bits - 1) {
            size_t bit = (size_t)__builtin_ctzll(bits);
            s->hits[s->count++] = (akin_dot_hit){(uint16_t)(strip * SIDE + r + bit / SIDE),
                                                 (uint16_t)(column + bit % SIDE)};
        }
    }
}

static inline void look_through(sweep *w, const step *t) {
    for (size_t i = 0; i < t->rows; i++)
        for (size_t j = 0; j < t->columns; j++) {
            size_t row = t->row + i, column = w->column_of[t->column + j];
            search *s = &w->of[row / STRIPS][column / STRIPS];
            unsigned some = columns_above(s, t->sums[i][j], row % STRIPS, column % STRIPS * SIDE);
            if (some == 0) continue;
            if (__builtin_popcount(some) <= FEW)
                collect_few(s, t->sums[i][j], row % STRIPS, column % STRIPS * SIDE, some);
            else
                collect_many(s, t->sums[i][j], row % STRIPS, column % STRIPS * SIDE);
        }
}

static inline void fetch_next(sweep *w) {
    const char *until =
        w->next_end - w->next > (ptrdiff_t)w->next_step ? w->next + w->next_step : w->next_end;
    for (; w->next < until; w->next += 64) _mm_prefetch(w->next, _MM_HINT_T0);
}

/* A step with columns that stay in registers: one strip of rows by two of columns of one chunk, or two by
 * one of two chunks. Its two strips of sums are in the registers FIRST and SECOND. */
#define KEPT_STEP(name, FIRST, SECOND, A)                                                          \
    static inline __attribute__((always_inline)) void multiply_##name(                             \
        const sweep *s, const step *t, const size_t chunks) {                                      \
        const uint8_t *a = s->rows[t->row];                                                        \
        const size_t width = s->width;                                                             \
        MATRIX_ZERO(FIRST);                                                                        \
        MATRIX_LOAD(A, a, width);                                                                  \
        MATRIX_MULTIPLY(FIRST, A, B_0);                                                            \
        if (chunks == 1) {                                                                         \
            if (t->columns == 1) return;                                                           \
            MATRIX_ZERO(SECOND);                                                                   \
            MATRIX_MULTIPLY(SECOND, A, B_1);                                                       \
            return;                                                                                \
        }                                                                                          \
        MATRIX_LOAD(A_1, a + PANEL * width, width);                                                \
        MATRIX_MULTIPLY(FIRST, A_1, B_1);                                                          \
        if (t->rows == 1) return;                                                                  \
        a = s->rows[t->row + 1];                                                                   \
        MATRIX_ZERO(SECOND);                                                                       \
        MATRIX_LOAD(A_0, a, width);                                                                \
        MATRIX_MULTIPLY(SECOND, A_0, B_0);                                                         \
        MATRIX_LOAD(A_1, a + PANEL * width, width);                                                \
        MATRIX_MULTIPLY(SECOND, A_1, B_1);                                                         \
    }                                                                                              \
    static inline void store_##name(step *t) {                                                     \
        MATRIX_STORE(FIRST, t->sums[0][0], SIDE * sizeof(int32_t));                                \
        if (t->columns == 2) MATRIX_STORE(SECOND, t->sums[0][1], SIDE * sizeof(int32_t));          \
        if (t->rows == 2) MATRIX_STORE(SECOND, t->sums[1][0], SIDE * sizeof(int32_t));             \
    }
KEPT_STEP(even, SUMS_00, SUMS_01, A_0)
KEPT_STEP(odd, SUMS_10, SUMS_11, A_1)
#undef KEPT_STEP

static inline void keep_columns(const sweep *w, size_t column, size_t columns, size_t chunks) {
    const int8_t *b = w->columns[column];
    MATRIX_LOAD(B_0, b, PANEL * 4);
    if (chunks == 2) MATRIX_LOAD(B_1, b + PANEL * w->width, PANEL * 4);
    if (columns == 2) MATRIX_LOAD(B_1, w->columns[column + 1], PANEL * 4);
}

/* Three steps are under way: one is multiplied, the one before stored, the one before that looked
 * through. chunks: a constant where this is inlined. */
static inline __attribute__((always_inline)) void run_kept(sweep *w, const size_t chunks) {
    const size_t rows = chunks, columns = 3 - chunks; /* at a step */
    step steps[3], *now = &steps[0], *before = &steps[1], *last = &steps[2];
    bool odd = false;
    before->rows = before->columns = last->rows = last->columns = 0; /* there are none yet */
    for (size_t column = 0; column < w->column_count; column += columns) {
        const size_t left = w->column_count - column < columns ? 1 : columns;
        keep_columns(w, column, left, chunks);
        fetch_next(w);
        for (size_t row = 0; row < w->row_count; row += rows, odd = !odd) {
            now->row = row, now->column = column;
            now->rows = w->row_count - row < rows ? 1 : rows, now->columns = left;
            if (odd) {
                multiply_odd(w, now, chunks);
                store_even(before);
            } else {
                multiply_even(w, now, chunks);
                store_odd(before);
            }
            look_through(w, last);
            step *free = last;
            last = before, before = now, now = free;
        }
    }
    look_through(w, last);
    if (odd)
        store_even(before);
    else
        store_odd(before);
    look_through(w, before);
}

static void run_steps(sweep *w) {
    step steps[2];
    size_t turn = 0;
    steps[1].rows = 0; /* there is none before the first */
    for (size_t row = 0; row < w->row_count; row += 2)
        for (size_t column = 0; column < w->column_count; column += 2, turn ^= 1) {
            step *t = &steps[turn];
            t->row = row, t->column = column;
            t->rows = w->row_count - row > 1 ? 2 : 1;
            t->columns = w->column_count - column > 1 ? 2 : 1;
            multiply(w, t);
            fetch_next(w);
            look_through(w, &steps[turn ^ 1]);
        }
    look_through(w, &steps[turn ^ 1]);
}

static void run(sweep *w) {
    if (w->chunks == 1)
        run_kept(w, 1);
    else if (w->chunks == KEPT_CHUNKS)
        run_kept(w, 2);
    else
        run_steps(w);
}

static float lowest_of_strip(const float *least) {
#if AKIN_LEVEL >= 4
    return _mm512_reduce_min_ps(_mm512_loadu_ps(least));
#else
    float low = least[0];
    for (int i = 1; i < SIDE; i++) low = least[i] < low ? least[i] : low;
    return low;
#endif
}

/* like: a search that was begun before, whose rows may ask the same; NULL: none. */
static inline void begin_search(search *s, const akin_tile_task *task, akin_dot_hit *hits,
                                const search *like) {
    s->task = task, s->hits = hits, s->count = 0;
    s->scale = 1 / (task->row_sketch->row_scale * task->column_sketch->column_scale);
    if (like != NULL && like->task->row_least == task->row_least)
        memcpy(s->lowest, like->lowest, sizeof s->lowest);
    else
        for (size_t r = 0; r < STRIPS; r++)
            s->lowest[r] = lowest_of_strip(task->row_least + r * SIDE);
}

static inline void add_rows(sweep *w, const uint8_t *rows) {
    for (size_t r = 0; r < STRIPS; r++) w->rows[w->row_count++] = rows + r * SIDE * w->width;
}

static inline void add_columns(sweep *w, const int8_t *columns, unsigned active, size_t first) {
    for (size_t v = 0; v < STRIPS; v++)
        if (active >> v & 1) {
            w->columns[w->column_count] = columns + v * SIDE * 4;
            w->column_of[w->column_count++] = (uint8_t)(first + v);
        }
}

/* `panels`: of columns to come. */
static inline void begin_sweep(sweep *w, const akin_tile_task *task, size_t panels) {
    w->width = akin_sketch_chunk(task->stride), w->chunks = akin_sketch_chunks(task->stride);
    w->row_count = w->column_count = 0;
    const size_t bytes = PANEL * w->width * w->chunks;
    const bool fetches = task->next != NULL && bytes <= NEXT_MOST;
    w->next = (const char *)task->next;
    w->next_end = fetches ? w->next + panels * bytes : w->next;
    const size_t calls = w->chunks > KEPT_CHUNKS ? (panels > 1 ? 9 : 4)
                         : w->chunks == 1        ? (panels > 1 ? 3 : 2)
                                                 : STRIPS * panels;
    w->next_step = (bytes * panels / calls + 63) / 64 * 64;
}

static size_t tile_hits(const akin_tile_task *task, akin_dot_hit *hits, size_t *tried) {
    sweep w;
    unsigned active = active_columns(task);
    *tried = (size_t)__builtin_popcount(active) * SIDE * PANEL;
    if (active == 0) return 0;
    begin_sweep(&w, task, 1);
    begin_search(&w.of[0][0], task, hits, NULL);
    add_rows(&w, task->rows);
    add_columns(&w, task->columns, active, 0);
    run(&w);
    return w.of[0][0].count;
}

static void tile_four(const akin_tile_task tasks[4], akin_dot_hit *const hits[4], size_t counts[4],
                      size_t tried[4]) {
    const unsigned all = (1u << STRIPS) - 1;
    sweep w;
    bool whole = true;
    for (int i = 0; i < 4; i++) whole = whole && active_columns(&tasks[i]) == all;
    if (!whole) {
        for (int i = 0; i < 4; i++) counts[i] = tile_hits(&tasks[i], hits[i], &tried[i]);
        return;
    }
    begin_sweep(&w, tasks, 2);
    for (int i = 0; i < 4; i++)
        begin_search(&w.of[i / 2][i % 2], &tasks[i], hits[i], i % 2 == 1 ? &w.of[i / 2][0] : NULL);
    add_rows(&w, tasks[0].rows);
    add_rows(&w, tasks[2].rows);
    add_columns(&w, tasks[0].columns, all, 0);
    add_columns(&w, tasks[1].columns, all, STRIPS);
    run(&w);
    for (int i = 0; i < 4; i++) counts[i] = w.of[i / 2][i % 2].count, tried[i] = PANEL * PANEL;
}

/* Sums as scores of a task. */
static inline void write_scores(const sweep *w, const step *t, float *scores, size_t width) {
    for (size_t i = 0; i < t->rows; i++)
        for (size_t j = 0; j < t->columns; j++) {
            const size_t column = (t->column + j) * SIDE;
            float *to = scores + (t->row + i) * SIDE * width + column;
            for (size_t r = 0; r < SIDE; r++)
                for (size_t l = 0; l < SIDE; l += LANES)
                    WRITE(to + r * width + l,
                          bounds(&w->of[0][0], LOAD(t->sums[i][j][r] + l), column + l));
        }
}

static void tile_scores(const akin_tile_task *task, float *scores, size_t width) {
    sweep w;
    step steps[2];
    size_t turn = 0;
    steps[1].rows = 0; /* there is none before the first */
    begin_sweep(&w, task, 1);
    w.of[0][0] =
        (search){.task = task,
                 .scale = 1 / (task->row_sketch->row_scale * task->column_sketch->column_scale)};
    add_rows(&w, task->rows);
    add_columns(&w, task->columns, (1u << STRIPS) - 1, 0);
    for (size_t row = 0; row < STRIPS; row += 2)
        for (size_t column = 0; column < STRIPS; column += 2, turn ^= 1) {
            step *t = &steps[turn];
            t->row = row, t->column = column;
            t->rows = STRIPS - row > 1 ? 2 : 1, t->columns = STRIPS - column > 1 ? 2 : 1;
            multiply(&w, t);
            write_scores(&w, &steps[turn ^ 1], scores, width);
        }
    write_scores(&w, &steps[turn ^ 1], scores, width);
}
