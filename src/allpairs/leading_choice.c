/* leading: how many dimensions lead, and which. */
#include "leading.h"
#include "reached.h"
#include "tile.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FROM = 256, /* dimensions: of fewer a second bound saves little */
    STEP =
        128, /* counts are multiples of it, so that many numbers are turned together (sketch.h) */
    FEWEST = 8192, /* rows: fewer are compared sooner than tried */
    SAMPLE = 2048, /* rows that tell what lists require, */
    ROWS = 512,    /* and whose pairs tell how many are left */
    PRIME = 2053   /* beyond the sample */
};

typedef struct {
    double square;
    uint32_t index;
} dimension;

/* What a pair that is left costs, in dimensions of a pair of the tile: so much to begin with, and for each dimension of
 * the tail. Measured with network vectors of 1,280 dimensions at the level `vnni` (results/neighbors.md): counts next to
 * the best differ by few per cent. */
static const double pair_start = 1000, pair_cost = 2;
static const double worthwhile = 0.9;    /* of the tile's work is done at most */
static const double bytes_error = 0.018; /* of the sketches, about */

/* Some rows, of which the first ROWS tell how many pairs are left. */
typedef struct {
    const akin_row_block *block;
    const akin_leading_use *use;
    size_t stride, sampled;
    uint32_t *which;      /* [sampled]: of the block */
    dimension *dimension; /* [stride]: from the largest on */
    float *rows;          /* [sampled, stride]: in that order */
    float *scores;        /* [ROWS, sampled] */
    float *allowed;       /* [sampled]: the scores of a row that count */
    uint32_t *met;        /* [ROWS, ROWS]: the tables in which two may meet, a bit each */
    float *least;         /* [tables, ROWS]: what lists require */
    float *bounds,
        *more;    /* [ROWS, ROWS]: products of the dimensions so far, and of the next ones */
    float *part;  /* [ROWS, STEP]: those */
    double *tail; /* [ROWS]: the squares of what is left */
} chooser;

static akin_status begin_choice(chooser *c) {
    c->which = akin_mem_alloc(c->sampled, sizeof *c->which);
    c->dimension = akin_mem_alloc(c->stride, sizeof *c->dimension);
    c->rows = akin_mem_alloc(c->sampled, c->stride * sizeof *c->rows);
    c->scores = akin_mem_alloc(ROWS, c->sampled * sizeof *c->scores);
    c->allowed = akin_mem_alloc(c->sampled, sizeof *c->allowed);
    c->met = akin_mem_zalloc(ROWS, ROWS * sizeof *c->met);
    c->least = akin_mem_alloc((size_t)c->use->tables, ROWS * sizeof *c->least);
    c->bounds = akin_mem_zalloc(ROWS, ROWS * sizeof *c->bounds);
    c->more = akin_mem_alloc(ROWS, ROWS * sizeof *c->more);
    c->part = akin_mem_alloc(ROWS, STEP * sizeof *c->part);
    c->tail = akin_mem_alloc(ROWS, sizeof *c->tail);
    return c->which && c->dimension && c->rows && c->scores && c->allowed && c->met && c->least &&
                   c->bounds && c->more && c->part && c->tail
               ? AKIN_OK
               : AKIN_FAILED;
}

static void end_choice(chooser *c) {
    akin_mem_free(c->which);
    akin_mem_free(c->dimension);
    akin_mem_free(c->rows);
    akin_mem_free(c->scores);
    akin_mem_free(c->allowed);
    akin_mem_free(c->met);
    akin_mem_free(c->least);
    akin_mem_free(c->bounds);
    akin_mem_free(c->more);
    akin_mem_free(c->part);
    akin_mem_free(c->tail);
}

static int by_size(const void *x, const void *y) {
    const dimension *a = x, *b = y;
    int larger = (a->square < b->square) - (a->square > b->square);
    return larger != 0 ? larger : (a->index > b->index) - (a->index < b->index);
}

/* Rows at equal distances, in an order of which each part is spread, too; their dimensions from the largest on. */
static void take_rows(chooser *c) {
    const size_t rows = akin_row_block_count(c->block);
    for (size_t t = 0; t < c->stride; t++) c->dimension[t] = (dimension){0, (uint32_t)t};
    for (size_t j = 0; j < c->sampled; j++) {
        c->which[j] = (uint32_t)(j * PRIME % c->sampled * rows / c->sampled);
        const float *row = akin_row_block_row(c->block, c->which[j]);
        for (size_t t = 0; t < c->stride; t++) c->dimension[t].square += (double)row[t] * row[t];
    }
    qsort(c->dimension, c->stride, sizeof *c->dimension, by_size);
    for (size_t j = 0; j < c->sampled; j++) {
        const float *row = akin_row_block_row(c->block, c->which[j]);
        for (size_t t = 0; t < c->stride; t++)
            c->rows[j * c->stride + t] = row[c->dimension[t].index];
    }
}

static bool may_meet(const chooser *c, int table, size_t i, size_t j) {
    const akin_row_block_rules *rules = c->use->rules[table];
    const akin_row_block_item *items = akin_row_block_items(akin_row_block_table(c->block, table)),
                              *a = &items[c->which[i]], *b = &items[c->which[j]];
    return akin_row_block_may_meet(rules, a, b) && (!rules->only_available || b->available);
}

/* The scores that a table's lists will require of the rows, as far as the sample tells. */
static void require(chooser *c, int table) {
    const size_t rank = 1 + c->sampled * c->use->k[table] / c->use->all;
    const float lowest = c->use->rules[table]->min_score;
    float guess = 0;
    for (size_t i = 0; i < ROWS; i++) {
        size_t found = 0;
        for (size_t j = 0; j < c->sampled; j++) {
            const bool may = may_meet(c, table, i, j);
            c->allowed[found] = c->scores[i * c->sampled + j];
            found += may;
            if (j < ROWS) c->met[i * ROWS + j] |= (uint32_t)may << table;
        }
        if (found >= rank) guess = akin_reached(c->allowed, found, rank, guess);
        c->least[(size_t)table * ROWS + i] = found >= rank && guess > lowest ? guess : lowest;
    }
}

/* The next dimensions of the rows, their products, and what is left of the rows' squares. */
static void add_part(chooser *c, size_t first, size_t count) {
    for (size_t i = 0; i < ROWS; i++)
        for (size_t t = 0; t < count; t++) {
            const float x = c->rows[i * c->stride + first + t];
            c->part[i * count + t] = x;
            c->tail[i] -= (double)x * x;
        }
    akin_linalg_product((akin_linalg_shape){ROWS, ROWS, count, AKIN_TURN_B}, c->part, c->part,
                        c->more);
    for (size_t e = 0; e < ROWS * ROWS; e++) c->bounds[e] += c->more[e];
}

/* Whether the lists of a table may want a pair of at most that score. */
static bool is_left(const chooser *c, uint32_t met, size_t i, size_t j, double bound) {
    for (; met != 0; met &= met - 1) {
        const float *least = c->least + (size_t)__builtin_ctz(met) * ROWS;
        if (bound >= least[i] || bound >= least[j]) return true;
    }
    return false;
}

/* The share of the pairs that may meet in any table that the dimensions so far leave. */
static double share_left(const chooser *c) {
    size_t pairs = 0, left = 0;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < i; j++) {
            const uint32_t met = c->met[i * ROWS + j] | c->met[j * ROWS + i];
            const double tails = sqrt(fabs(c->tail[i] * c->tail[j]));
            pairs += met != 0;
            left += is_left(c, met, i, j, c->bounds[i * ROWS + j] + tails + bytes_error);
        }
    return pairs > 0 ? (double)left / (double)pairs : 1;
}

/* The count of the least work, with the length of the tail; 0: all dimensions. */
static size_t best_count(chooser *c) {
    const double stride = (double)c->stride;
    double least = worthwhile * stride;
    size_t best = 0;
    for (int t = 0; t < c->use->tables; t++) require(c, t);
    for (size_t i = 0; i < ROWS; i++) c->tail[i] = 1;
    for (size_t leads = 0, next; (double)(next = leads + STEP - (leads == 0)) < least;
         leads = next) {
        add_part(c, leads, next - leads);
        const double count = (double)(next + 1),
                     work = count + share_left(c) * (pair_start + pair_cost * (stride - count));
        if (work < least) least = work, best = next + 1;
    }
    return best;
}

/* order: [stride]; *count: 0: all dimensions. AKIN_FAILED: out of memory. */
static akin_status choose(const akin_row_block *block, const akin_leading_use *use, uint32_t *order,
                          uint64_t *count) {
    const size_t rows = akin_row_block_count(block);
    chooser c = {.block = block,
                 .use = use,
                 .stride = akin_row_block_stride(block),
                 .sampled = rows < SAMPLE ? rows : SAMPLE};
    akin_status status = begin_choice(&c);
    if (status == AKIN_OK) {
        take_rows(&c);
        akin_linalg_product((akin_linalg_shape){ROWS, c.sampled, c.stride, AKIN_TURN_B}, c.rows,
                            c.rows, c.scores);
        *count = best_count(&c);
        for (size_t t = 0; t < c.stride; t++) order[t] = c.dimension[t].index;
    }
    end_choice(&c);
    return status;
}

static bool has_offsets(const akin_leading_use *use) {
    bool some = false;
    for (int t = 0; t < use->tables; t++) some = some || akin_row_block_has_offsets(use->rules[t]);
    return some;
}

/* Whether a rank's tiles are those of a matrix unit, which do not tell what they found. Collective. */
static bool some_matrix(akin_comm *comm) {
    int64_t matrix = akin_tile()->format.matrix;
    akin_comm_max_i64(comm, &matrix, 1);
    return matrix != 0;
}

/* Rank 0's choice on all ranks. Collective; agreed. */
static akin_status choose_together(akin_comm *comm, const akin_row_block *block,
                                   const akin_leading_use *use, akin_leading **out) {
    akin_status status = AKIN_OK;
    const size_t stride = akin_row_block_stride(block);
    uint64_t count = 0;
    uint32_t *order = akin_mem_alloc(stride, sizeof *order);
    AKIN_TRY(akin_agree(comm, order != NULL ? AKIN_OK : AKIN_FAILED));
    if (akin_comm_rank(comm) == 0 && akin_row_block_count(block) >= ROWS)
        status = choose(block, use, order, &count);
    AKIN_TRY(akin_agree(comm, status));
    akin_comm_broadcast(comm, &count, sizeof count, 0);
    if (count == 0) goto done;
    akin_comm_broadcast(comm, order, stride * sizeof *order, 0);
    status = akin_agree(comm, akin_leading_create(order, stride, count, out));
done:
    akin_mem_free(order);
    return status;
}

akin_status akin_leading_choose(akin_comm *comm, const akin_row_block *block,
                                const akin_leading_use *use, akin_leading **out) {
    *out = NULL;
    if (akin_row_block_stride(block) < FROM || use->all < FEWEST || has_offsets(use) ||
        some_matrix(comm))
        return AKIN_OK;
    akin_status status = choose_together(comm, block, use, out);
    if (status != AKIN_OK) akin_leading_free(*out), *out = NULL;
    return status;
}
