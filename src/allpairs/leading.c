/* leading: the dimensions of long rows that decide most. */
#include "leading.h"
#include "tile.h"
#include <akin/dot.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FROM = 256, /* dimensions: of fewer a second bound saves little */
    STEP =
        128, /* counts are multiples of it, so that many numbers are turned together (sketch.h) */
    FEWEST = 4096, /* rows: fewer are compared sooner than tried */
    SAMPLE = 2048, /* rows that tell what lists require, */
    ROWS = 512,    /* and whose pairs tell how many are left */
    PRIME = 2053,  /* beyond the sample */
    LOST = 4       /* dimensions, at most: the price of them is paid by all pairs (row_lead.c) */
};

typedef struct {
    double square;
    uint32_t index;
} dimension;

/* Measured with network vectors of 1,280 dimensions at the level `vnni` (results/neighbors.md): counts next to the best
 * differ by few per cent. What a pair that is left costs, in dimensions of a pair of the tile: so much to begin with, and for each dimension
 * of the tail. */
static const double pair_start = 1000, pair_cost = 2;
static const double worthwhile = 0.9;    /* of the tile's work is done at most */
static const double bytes_error = 0.018; /* of the sketches, about */
static const double least_mean =
    0.7; /* its products with all rows cost more than a shorter one saves */

/* --- the places of dimensions --- */

/* Dimensions that follow each other in the order, and so are about as large, are put among different numbers that
 * are turned together (sketch.h): each group of those then has about the same share of a row. */
static void spread(const uint32_t *order, size_t count, size_t width, uint32_t *from) {
    const size_t together = 8 * akin_sketch_turned(width), groups = width / together;
    for (size_t i = 0; i < width; i++)
        from[i % groups * together + i / groups] = i < count ? order[i] : UINT32_MAX;
}

akin_status akin_leading_create(const uint32_t *order, size_t stride, size_t count,
                                akin_leading **out) {
    const size_t others = stride - (count - 1), few = others % 64 <= LOST ? others % 64 : 0,
                 tail = (others - few + 63) / 64 * 64;
    akin_leading *l = akin_mem_alloc(1, sizeof *l);
    *out = NULL;
    if (l == NULL) return AKIN_FAILED;
    *l = (akin_leading){
        .stride = stride, .count = count, .tail = tail, .lost = few, .least_mean = least_mean};
    if ((l->from = akin_mem_alloc(count + tail + few, sizeof *l->from)) == NULL) {
        akin_leading_free(l);
        return AKIN_FAILED;
    }
    spread(order, count - 1, count, l->from);
    spread(order + count - 1, others - few, tail, l->from + count);
    memcpy(l->from + count + tail, order + stride - few, few * sizeof *l->from);
    while (l->from[l->place] != UINT32_MAX) l->place++;
    *out = l;
    return AKIN_OK;
}

void akin_leading_free(akin_leading *leading) {
    if (leading == NULL) return;
    akin_mem_free(leading->from);
    akin_mem_free(leading);
}

static void gather(const uint32_t *from, size_t count, const float *row, float *out) {
    for (size_t i = 0; i < count; i++) out[i] = from[i] != UINT32_MAX ? row[from[i]] : 0;
}

void akin_leading_part(const akin_leading *l, const float *row, float *numbers, float *tail) {
    gather(l->from, l->count, row, numbers);
    gather(l->from + l->count, l->tail + l->lost, row, tail);
}

void akin_leading_cut(const akin_leading *l, float *row) {
    for (size_t i = l->count; i < l->count + l->tail + l->lost; i++)
        if (l->from[i] != UINT32_MAX) row[l->from[i]] = 0;
}

void akin_leading_mean(const akin_leading *l, float *mean) {
    double square = 0;
    akin_leading_cut(l, mean);
    for (size_t t = 0; t < l->stride; t++) square += (double)mean[t] * mean[t];
    if (square < l->least_mean) memset(mean, 0, l->stride * sizeof *mean);
}

/* --- how many of them --- */

/* Some rows, of which the first ROWS tell how many pairs are left. */
typedef struct {
    const akin_row_block *block;
    const akin_leading_use *use;
    size_t stride, sampled;
    uint32_t *which;      /* [sampled]: of the block */
    float *rows;          /* [sampled, stride] */
    dimension *dimension; /* [stride]: from the largest on */
    uint32_t *order;      /* [stride]: the same */
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
    c->rows = akin_mem_alloc(c->sampled, c->stride * sizeof *c->rows);
    c->dimension = akin_mem_alloc(c->stride, sizeof *c->dimension);
    c->order = akin_mem_alloc(c->stride, sizeof *c->order);
    c->scores = akin_mem_alloc(ROWS, c->sampled * sizeof *c->scores);
    c->allowed = akin_mem_alloc(c->sampled, sizeof *c->allowed);
    c->met = akin_mem_alloc(ROWS, ROWS * sizeof *c->met);
    c->least = akin_mem_alloc((size_t)c->use->tables, ROWS * sizeof *c->least);
    c->bounds = akin_mem_alloc(ROWS, ROWS * sizeof *c->bounds);
    c->more = akin_mem_alloc(ROWS, ROWS * sizeof *c->more);
    c->part = akin_mem_alloc(ROWS, STEP * sizeof *c->part);
    c->tail = akin_mem_alloc(ROWS, sizeof *c->tail);
    return c->which && c->rows && c->dimension && c->order && c->scores && c->allowed && c->met &&
                   c->least && c->bounds && c->more && c->part && c->tail
               ? AKIN_OK
               : AKIN_FAILED;
}

static void end_choice(chooser *c) {
    akin_mem_free(c->which);
    akin_mem_free(c->rows);
    akin_mem_free(c->dimension);
    akin_mem_free(c->order);
    akin_mem_free(c->scores);
    akin_mem_free(c->allowed);
    akin_mem_free(c->met);
    akin_mem_free(c->least);
    akin_mem_free(c->bounds);
    akin_mem_free(c->more);
    akin_mem_free(c->part);
    akin_mem_free(c->tail);
}

/* Rows at equal distances, in an order of which each part is spread, too. */
static void take_rows(chooser *c) {
    const size_t rows = akin_row_block_count(c->block);
    for (size_t j = 0; j < c->sampled; j++) {
        c->which[j] = (uint32_t)(j * PRIME % c->sampled * rows / c->sampled);
        memcpy(c->rows + j * c->stride, akin_row_block_row(c->block, c->which[j]),
               c->stride * sizeof *c->rows);
    }
}

static int by_size(const void *x, const void *y) {
    const dimension *a = x, *b = y;
    int larger = (a->square < b->square) - (a->square > b->square);
    return larger != 0 ? larger : (a->index > b->index) - (a->index < b->index);
}

static void order_dimensions(chooser *c) {
    for (size_t t = 0; t < c->stride; t++) c->dimension[t] = (dimension){0, (uint32_t)t};
    for (size_t j = 0; j < c->sampled; j++)
        for (size_t t = 0; t < c->stride; t++) {
            const double x = c->rows[j * c->stride + t];
            c->dimension[t].square += x * x;
        }
    qsort(c->dimension, c->stride, sizeof *c->dimension, by_size);
    for (size_t t = 0; t < c->stride; t++) c->order[t] = c->dimension[t].index;
}

static bool may_meet(const chooser *c, int table, size_t i, size_t j) {
    const akin_row_block_rules *rules = c->use->rules[table];
    const akin_row_block_item *items = akin_row_block_items(akin_row_block_table(c->block, table)),
                              *a = &items[c->which[i]], *b = &items[c->which[j]];
    return akin_row_block_may_meet(rules, a, b) && (!rules->only_available || b->available);
}

/* What `rank` and no more of the scores reach, about; -1: there are fewer. */
static float reached_by(const float *scores, size_t count, size_t rank) {
    float low = -1, high = 1;
    for (int step = 0; step < 12 && count >= rank; step++) {
        const float middle = (low + high) / 2;
        if (akin_dot()->at_least(scores, count, middle) >= rank)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The scores that a table's lists will require of the rows, as far as the sample tells. */
static void require(chooser *c, int table) {
    const size_t rank = 1 + c->sampled * c->use->k[table] / c->use->all;
    const float lowest = c->use->rules[table]->min_score;
    for (size_t i = 0; i < ROWS; i++) {
        size_t found = 0;
        for (size_t j = 0; j < c->sampled; j++) {
            const bool may = may_meet(c, table, i, j);
            c->allowed[found] = c->scores[i * c->sampled + j];
            found += may;
            if (j < ROWS) c->met[i * ROWS + j] |= (uint32_t)may << table;
        }
        const float least = reached_by(c->allowed, found, rank);
        c->least[(size_t)table * ROWS + i] = least > lowest ? least : lowest;
    }
}

/* The next dimensions of the rows, and what is left of their squares. */
static void take_part(chooser *c, size_t first) {
    for (size_t i = 0; i < ROWS; i++)
        for (size_t t = 0; t < STEP; t++) {
            const float x = c->rows[i * c->stride + c->order[first + t]];
            c->part[i * STEP + t] = x;
            c->tail[i] -= (double)x * x;
        }
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

/* The shares that are left by the first STEP, 2 STEP, ... dimensions. */
static void find_shares(chooser *c, double *share /* [stride / STEP] */) {
    memset(c->met, 0, ROWS * ROWS * sizeof *c->met);
    for (int t = 0; t < c->use->tables; t++) require(c, t);
    memset(c->bounds, 0, ROWS * ROWS * sizeof *c->bounds);
    for (size_t i = 0; i < ROWS; i++) c->tail[i] = 1;
    for (size_t s = 0; (s + 1) * STEP < c->stride; s++) {
        take_part(c, s * STEP);
        akin_linalg_product((akin_linalg_shape){ROWS, ROWS, STEP, AKIN_TURN_B}, c->part, c->part,
                            c->more);
        for (size_t e = 0; e < ROWS * ROWS; e++) c->bounds[e] += c->more[e];
        share[s] = share_left(c);
    }
}

/* The count of the least work; 0: all dimensions. */
static size_t best_count(const chooser *c, const double *share) {
    const double stride = (double)c->stride;
    double least = worthwhile * stride;
    size_t best = 0;
    for (size_t s = 0; (s + 1) * STEP < c->stride; s++) {
        const double count = (double)(s + 1) * STEP,
                     work = count + share[s] * (pair_start + pair_cost * (stride - count));
        if (work < least) least = work, best = (s + 1) * STEP;
    }
    return best;
}

static akin_status choose(const akin_row_block *block, const akin_leading_use *use,
                          akin_leading **out) {
    const size_t rows = akin_row_block_count(block);
    chooser c = {.block = block,
                 .use = use,
                 .stride = akin_row_block_stride(block),
                 .sampled = rows < SAMPLE ? rows : SAMPLE};
    double *share = akin_mem_alloc(c.stride / STEP + 1, sizeof *share);
    akin_status status = share != NULL ? begin_choice(&c) : AKIN_FAILED;
    if (status == AKIN_OK) {
        take_rows(&c);
        order_dimensions(&c);
        akin_linalg_product((akin_linalg_shape){ROWS, c.sampled, c.stride, AKIN_TURN_B}, c.rows,
                            c.rows, c.scores);
        find_shares(&c, share);
        const size_t count = best_count(&c, share);
        if (count > 0) status = akin_leading_create(c.order, c.stride, count, out);
    }
    end_choice(&c);
    akin_mem_free(share);
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

/* Sends rank 0's choice to all. Collective; agreed. */
static akin_status share_choice(akin_comm *comm, size_t stride, akin_leading **leading) {
    akin_status status = AKIN_FAILED;
    uint64_t told[4] = {0};
    akin_leading *l = *leading;
    if (l != NULL) told[0] = l->count, told[1] = l->tail, told[2] = l->lost, told[3] = l->place;
    akin_comm_broadcast(comm, told, sizeof told, 0);
    if (told[0] == 0) return AKIN_OK;
    if (l == NULL && (l = *leading = akin_mem_zalloc(1, sizeof *l)) != NULL) {
        *l = (akin_leading){.stride = stride,
                            .count = told[0],
                            .tail = told[1],
                            .lost = told[2],
                            .place = told[3],
                            .least_mean = least_mean};
        l->from = akin_mem_alloc(l->count + l->tail + l->lost, sizeof *l->from);
    }
    AKIN_TRY(akin_agree(comm, l != NULL && l->from != NULL ? AKIN_OK : AKIN_FAILED));
    akin_comm_broadcast(comm, l->from, (l->count + l->tail + l->lost) * sizeof *l->from, 0);
done:
    return status;
}

akin_status akin_leading_choose(akin_comm *comm, const akin_row_block *block,
                                const akin_leading_use *use, akin_leading **out) {
    akin_status status = AKIN_OK;
    akin_leading *leading = NULL;
    *out = NULL;
    if (akin_row_block_stride(block) < FROM || use->all < FEWEST || has_offsets(use) ||
        some_matrix(comm))
        return AKIN_OK;
    if (akin_comm_rank(comm) == 0 && akin_row_block_count(block) >= ROWS)
        status = choose(block, use, &leading);
    AKIN_TRY(akin_agree(comm, status));
    AKIN_TRY(share_choice(comm, akin_row_block_stride(block), &leading));
    *out = leading, leading = NULL;
done:
    akin_leading_free(leading);
    return status;
}
