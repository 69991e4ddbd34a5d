/* tile_matrix: a tile by a matrix unit of 16 x 16 sums and 64 products each at a step. Included by the
 * source that has the unit's operations, or a model of them:
 *   MATRIX_CONFIGURE(width)      all eight registers have 16 rows of 64 bytes, but A's rows have
 *                                `width` bytes and B has width / 4 rows
 *   MATRIX_RELEASE()             the unit holds nothing any more
 *   MATRIX_ZERO(register)
 *   MATRIX_LOAD(register, address, bytes from one row to the next)
 *   MATRIX_MULTIPLY(sums, a, b)  sums[i][j] += a's unsigned bytes in row i times b's signed ones,
 *                                four of a column side by side
 *   MATRIX_STORE(register, address, bytes)
 *
 * 16 rows meet 16 to 48 columns at a step. Sums are stored to the first cache and looked
 * through there, the largest of each column first; the unit is busy with the next rows meanwhile. */
#include "tile_level.h"

/* Registers, as numbers that an assembler takes. */
#define SUMS_0 0
#define SUMS_1 1
#define SUMS_2 2
#define B_0 3
#define B_1 4
#define B_2 5
#define A_0 6

enum { SIDE = 16, STRIPS = PANEL / SIDE };
_Static_assert(STRIPS == 3 && SIDE - COLUMNS == 0, "three registers of columns cover a panel");
_Static_assert(SIDE % LANES == 0, "whole vectors");

typedef struct {
    int32_t of[STRIPS][SIDE][SIDE]; /* columns in 16, row, column */
} strip_sums;

/* A task in chunks of dimensions. */
typedef struct {
    const uint8_t *rows;
    const int8_t *columns;
    size_t width, chunks; /* bytes of a chunk in a row */
} matrices;

static void begin(size_t stride) {
    MATRIX_CONFIGURE(akin_sketch_chunk(stride));
}

static void end(void) {
    MATRIX_RELEASE();
}

/* 16 rows by 48 columns. */
static inline __attribute__((always_inline)) void
multiply_chunks(const matrices *m, size_t strip, const size_t chunks, strip_sums *out) {
    const size_t width = m->width;
    const uint8_t *a = m->rows + strip * SIDE * width;
    const int8_t *b = m->columns;
    MATRIX_ZERO(SUMS_0);
    MATRIX_ZERO(SUMS_1);
    MATRIX_ZERO(SUMS_2);
    for (size_t c = 0; c < chunks; c++, a += PANEL * width, b += PANEL * width) {
        MATRIX_LOAD(A_0, a, width);
        MATRIX_LOAD(B_0, b, PANEL * 4);
        MATRIX_MULTIPLY(SUMS_0, A_0, B_0);
        MATRIX_LOAD(B_1, b + SIDE * 4, PANEL * 4);
        MATRIX_MULTIPLY(SUMS_1, A_0, B_1);
        MATRIX_LOAD(B_2, b + 2 * SIDE * 4, PANEL * 4);
        MATRIX_MULTIPLY(SUMS_2, A_0, B_2);
    }
    MATRIX_STORE(SUMS_0, out->of[0], SIDE * sizeof(int32_t));
    MATRIX_STORE(SUMS_1, out->of[1], SIDE * sizeof(int32_t));
    MATRIX_STORE(SUMS_2, out->of[2], SIDE * sizeof(int32_t));
}

static inline void multiply_all(const matrices *m, size_t strip, strip_sums *out) {
    if (m->chunks == 1)
        multiply_chunks(m, strip, 1, out);
    else
        multiply_chunks(m, strip, m->chunks, out);
}

/* By those 16 that are active. */
static inline void multiply_some(const matrices *m, unsigned active, size_t strip,
                                 strip_sums *out) {
    const size_t width = m->width;
    for (size_t v = 0; v < STRIPS; v++) {
        if (!(active >> v & 1)) continue;
        const uint8_t *a = m->rows + strip * SIDE * width;
        const int8_t *b = m->columns + v * SIDE * 4;
        MATRIX_ZERO(SUMS_0);
        for (size_t c = 0; c < m->chunks; c++, a += PANEL * width, b += PANEL * width) {
            MATRIX_LOAD(A_0, a, width);
            MATRIX_LOAD(B_0, b, PANEL * 4);
            MATRIX_MULTIPLY(SUMS_0, A_0, B_0);
        }
        MATRIX_STORE(SUMS_0, out->of[v], SIDE * sizeof(int32_t));
    }
}

/* The hits of one row among 16 columns, a bit each. */
static inline uint64_t hits_of_row(const int32_t *sums, const int32_t *offset, int32_t least,
                                   const int32_t *column) {
    uint64_t bits = 0;
    for (int l = 0; l < SIDE; l += LANES)
        bits |=
            ABOVE(ADD(LOAD(sums + l), LOAD(offset + l)), SMALLER(SPREAD(least), LOAD(column + l)))
            << l;
    return bits;
}

/* Whether one of 16 x 16 sums may be a hit: the largest in a column against the least that could. */
static inline bool some_above(const int32_t (*sums)[SIDE], const int32_t *offset, int32_t lowest,
                              const int32_t *column) {
    uint64_t any = 0;
    for (int l = 0; l < SIDE; l += LANES) {
        lanes largest[4];
        for (int r = 0; r < 4; r++) largest[r] = LOAD(sums[r] + l);
        for (int r = 4; r < SIDE; r += 4)
            for (int s = 0; s < 4; s++) largest[s] = LARGER(largest[s], LOAD(sums[r + s] + l));
        largest[0] = LARGER(LARGER(largest[0], largest[1]), LARGER(largest[2], largest[3]));
        any |= ABOVE(ADD(largest[0], LOAD(offset + l)), SMALLER(SPREAD(lowest), LOAD(column + l)));
    }
    return any != 0;
}

static inline size_t look_through(const thresholds *least, unsigned active, size_t strip,
                                  const strip_sums *sums, akin_dot_hit *hits) {
    const size_t first = strip * SIDE;
    int32_t lowest = least->row[first];
    size_t count = 0;
    for (size_t r = 1; r < SIDE; r++)
        lowest = least->row[first + r] < lowest ? least->row[first + r] : lowest;
    for (size_t v = 0; v < STRIPS; v++) {
        const int32_t *column = least->column + v * SIDE, *offset = least->offset + v * SIDE;
        if (!(active >> v & 1) || !some_above(sums->of[v], offset, lowest, column)) continue;
        for (size_t r = 0; r < SIDE; r++) {
            uint64_t bits = hits_of_row(sums->of[v][r], offset, least->row[first + r], column);
            for (; bits != 0; bits &= bits - 1)
                hits[count++] = (akin_dot_hit){
                    (uint16_t)(first + r), (uint16_t)(v * SIDE + (size_t)__builtin_ctzll(bits))};
        }
    }
    return count;
}

static inline void multiply(const matrices *m, unsigned active, size_t strip, strip_sums *out) {
    if (active == (1u << STRIPS) - 1)
        multiply_all(m, strip, out);
    else
        multiply_some(m, active, strip, out);
}

static size_t tile_hits(const akin_tile_task *task, akin_dot_hit *hits, size_t *tried) {
    thresholds least __attribute__((aligned(64)));
    strip_sums sums[2] __attribute__((aligned(64)));
    const matrices m = {task->rows, task->columns, akin_sketch_chunk(task->stride),
                        akin_sketch_chunks(task->stride)};
    unsigned active = active_columns(task);
    size_t count = 0;
    *tried = (size_t)__builtin_popcount(active) * SIDE * PANEL;
    if (active == 0) return 0;
    prepare(task, &least);
    multiply(&m, active, 0, &sums[0]);
    for (size_t strip = 0; strip < STRIPS; strip++) {
        if (strip + 1 < STRIPS) multiply(&m, active, strip + 1, &sums[(strip + 1) % 2]);
        count += look_through(&least, active, strip, &sums[strip % 2], hits + count);
    }
    return count;
}
