/* compare: every row of one block with every row of another. */
#include "asked.h"
#include "means.h"
#include "row_lead.h"
#include "row_summary.h"
#include "tile.h"
#include <akin/compare.h>
#include <akin/dot.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    PANEL = AKIN_ROW_BLOCK_PANEL,
    LONG_FROM = 512,    /* dimensions */
    WAITING = 2048,     /* hits, of long rows */
    TILES = 512,        /* that wait, at most */
    TOGETHER_FROM = 128 /* dimensions: the means of several panels are multiplied together */
};

/* Two panels after their tile. */
typedef struct {
    akin_row_block *a, *b;
    size_t p, q, count; /* of hits */
    uint32_t met;       /* the tables in which they may meet: a bit each */
    const float *rows, *columns;
    size_t row_count, column_count;
    akin_dot_hit *hits; /* [count]: of the batch's, */
    float *bounds;      /* and upper bounds of their scores; NULL: not known */
} outcome;

/* What the lists of one table may want of a tile. */
typedef struct {
    size_t row_count, column_count;
    akin_row_block_proposal for_rows[AKIN_TILE_HITS], for_columns[AKIN_TILE_HITS];
} proposals;

/* Tiles whose hits wait; up to four of them are computed together. */
typedef struct {
    size_t count, first; /* tiles; the first one of those that are being made */
    size_t hits;
    outcome outcomes[TILES];
    akin_dot_hit of_tiles[WAITING + 4 * AKIN_TILE_HITS];
    float bounds[WAITING + 4 * AKIN_TILE_HITS];
} batch;

/* The thresholds of a tile, in its own arrays where the panels' cannot be used. */
typedef struct {
    float products[PANEL] __attribute__((aligned(64)));
    float of_rows[PANEL], of_columns[PANEL];
} question;

/* The hits of tiles wait while the next tiles are computed. Where rows are short, these are the next few: meanwhile
 * the rows and lists that the hits need are fetched from memory. Where they are long, they are many: the rows that
 * are scored push the sketches out of the cache, which so happens less often. */
struct akin_compare {
    const akin_tile_kernels *tile; /* while panels are compared */
    int tables;
    const akin_row_block_rules *rules[AKIN_ROW_BLOCK_TABLES];
    bool same_category; /* in all tables */
    akin_compare_figures figures;
    batch *batches[2];
    size_t waiting; /* hits that a batch has before the next one begins */
    int turn;       /* which one the next tiles write; the other one waits */
    question questions[4];
    akin_tile_task tasks[4]; /* of the group that is being made */
    akin_means *means;       /* large: not touched where rows are short */
    double pairs,
        multiplied; /* of panels in this call, and those that wanted a product of the mean */
    bool sparse;    /* so few of the last call did that each is better computed by itself */
    float scores[AKIN_TILE_HITS];
    int32_t found[AKIN_TILE_HITS + 3]; /* of a tile whose hits are sifted */
    proposals *wanted[4];              /* [tables] each: of the tiles of a group */
};

akin_status akin_compare_create(const akin_row_block_rules *rules, akin_compare **out) {
    return akin_compare_create_tables(&rules, 1, out);
}

akin_status akin_compare_create_tables(const akin_row_block_rules *const *rules, int tables,
                                       akin_compare **out) {
    akin_status status = AKIN_FAILED;
    *out = NULL;
    akin_compare *c = akin_mem_zalloc(1, sizeof *c);
    if (c == NULL) goto done;
    if ((c->means = akin_mem_alloc(1, sizeof *c->means)) == NULL) goto done;
    c->means->known = false;
    for (int b = 0; b < 2; b++) {
        if ((c->batches[b] = akin_mem_alloc(1, sizeof *c->batches[b])) == NULL) goto done;
        c->batches[b]->count = c->batches[b]->first = c->batches[b]->hits = 0;
    }
    for (int t = 0; t < 4; t++)
        if (!(c->wanted[t] = akin_mem_alloc((size_t)tables, sizeof *c->wanted[t]))) goto done;
    c->tables = tables;
    c->same_category = true;
    for (int t = 0; t < tables; t++) {
        c->rules[t] = rules[t];
        c->same_category = c->same_category && rules[t]->same_category;
    }
    *out = c, c = NULL;
    status = AKIN_OK;
done:
    akin_compare_free(c);
    return status;
}

void akin_compare_free(akin_compare *c) {
    if (c == NULL) return;
    for (int t = 0; t < 4; t++) akin_mem_free(c->wanted[t]);
    for (int b = 0; b < 2; b++) akin_mem_free(c->batches[b]);
    akin_mem_free(c->means);
    akin_mem_free(c);
}

/* The block of a table; one table alone may be any of a block's. */
static akin_row_block *of_table(const akin_compare *c, akin_row_block *block, int table) {
    return c->tables == 1 ? block : akin_row_block_table(block, table);
}

/* Whether thresholds depend on the other panel. */
static bool is_ruled(const akin_row_block_rules *rules) {
    return rules->same_category || rules->more != NULL;
}

/* The tables in which two panels may meet, a bit each. */
static uint32_t meetings(const akin_compare *c, akin_row_block *a, size_t p, akin_row_block *b,
                         size_t q) {
    uint32_t met = 0;
    for (int t = 0; t < c->tables; t++) {
        const akin_row_block_rules *rules = c->rules[t];
        bool meet = !rules->same_category && !rules->only_available && rules->layers == 0 &&
                    (rules->more == NULL || rules->more->count == 0);
        if (!meet) {
            const akin_row_block_summary *x = akin_row_block_summaries(of_table(c, a, t)) + p,
                                         *y = akin_row_block_summaries(of_table(c, b, t)) + q;
            meet = akin_row_summaries_may_meet(rules, x, y);
        }
        met |= (uint32_t)meet << t;
    }
    return met;
}

/* --- the comparison --- */

/* Finds the lists of one table that may want the hits. */
static void propose(const akin_compare *c, const outcome *o, int table, proposals *wanted) {
    const akin_row_block_rules *rules = c->rules[table];
    const akin_row_block *a = of_table(c, o->a, table), *b = of_table(c, o->b, table);
    const float *row_least = akin_row_block_least(a, o->p),
                *column_least = akin_row_block_least(b, o->q);
    size_t row_count = 0, column_count = 0;
    bool offsets = akin_row_block_has_offsets(rules);
    const float *of_rows = akin_row_block_offsets(a, o->p), /* what is added */
        *of_columns = akin_row_block_offsets(b, o->q), sure = akin_row_block_sure(a);
    for (size_t h = 0; h < o->count; h++) { /* no branches: they would be unpredictable */
        uint16_t i = o->hits[h].row, j = o->hits[h].column;
        float score = c->scores[h];
        bool same = offsets && (score >= sure || score < -1); /* those are held or raised */
        wanted->for_rows[row_count] = (akin_row_block_proposal){i, j, score};
        wanted->for_columns[column_count] = (akin_row_block_proposal){j, i, score};
        row_count += same | (score + of_columns[j] >= row_least[i]);
        column_count += same | (score + of_rows[i] >= column_least[j]);
    }
    wanted->row_count = row_count, wanted->column_count = column_count;
}

static void offer(const akin_compare *c, const outcome *o, int table, const proposals *wanted) {
    akin_row_block *a = of_table(c, o->a, table), *b = of_table(c, o->b, table);
    akin_row_block_offer(c->rules[table], a, o->p, b, o->q, wanted->for_rows, wanted->row_count);
    akin_row_block_offer(c->rules[table], b, o->q, a, o->p, wanted->for_columns,
                         wanted->column_count);
}

/* The lists, and what rules need to know. */
static void fetch_wanted(const akin_compare *c, const outcome *o, int table,
                         const proposals *wanted) {
    const akin_row_block *a = of_table(c, o->a, table), *b = of_table(c, o->b, table);
    for (size_t e = 0; e < wanted->row_count; e++) {
        akin_row_block_fetch_list(a, o->p, wanted->for_rows[e].to);
        akin_row_block_fetch_item(b, o->q, wanted->for_rows[e].from);
    }
    for (size_t e = 0; e < wanted->column_count; e++) {
        akin_row_block_fetch_list(b, o->q, wanted->for_columns[e].to);
        akin_row_block_fetch_item(a, o->p, wanted->for_columns[e].from);
    }
}

static bool has_sides(const akin_compare *c) {
    return c->rules[0]->more != NULL && c->rules[0]->more->sides;
}

/* Removes hits that are no pairs: what follows the rows of a panel, of a panel with itself one of each
 * two, and two sources or two targets. */
static void keep_pairs(const akin_compare *c, outcome *o) {
    const akin_row_block_item *rows = akin_row_block_items(o->a) + o->p * PANEL,
                              *columns = akin_row_block_items(o->b) + o->q * PANEL;
    bool itself = o->a == o->b && o->p == o->q, sides = has_sides(c);
    size_t kept = 0;
    if (!itself && !sides && o->row_count == PANEL && o->column_count == PANEL) return;
    for (size_t h = 0; h < o->count; h++) {
        uint16_t i = o->hits[h].row, j = o->hits[h].column;
        o->hits[kept] = o->hits[h];
        kept += (i < o->row_count) & (j < o->column_count) & (!itself | (i < j)) &
                (!sides | (rows[i].values.value[0] != columns[j].values.value[0]));
    }
    o->count = kept;
}

/* The lowest thresholds of a panel's rows for the other panel in any of the tables in which the two may
 * meet. */
static const float *asked_of(const akin_compare *c, akin_row_block *block, size_t p,
                             akin_row_block *other, size_t q, uint32_t met,
                             float *least /* [48] */) {
    if (met == 1 && !is_ruled(c->rules[0])) return akin_row_block_least(of_table(c, block, 0), p);
    for (size_t i = 0; i < PANEL; i++) least[i] = INFINITY;
    for (; met != 0; met &= met - 1) {
        int t = __builtin_ctz(met);
        akin_asked_lower(c->tile, c->rules[t], of_table(c, block, t), p, of_table(c, other, t), q,
                         least);
    }
    return least;
}

/* Removes hits that are no longer wanted: while they waited, lists have come to require more. */
static void keep_wanted(const akin_compare *c, outcome *o) {
    float of_rows[PANEL], of_columns[PANEL];
    const float *rows = asked_of(c, o->a, o->p, o->b, o->q, o->met, of_rows),
                *columns = asked_of(c, o->b, o->q, o->a, o->p, o->met, of_columns);
    size_t kept = 0;
    for (size_t h = 0; h < o->count; h++) {
        const float row = rows[o->hits[h].row], column = columns[o->hits[h].column];
        o->hits[kept] = o->hits[h];
        kept += o->bounds[h] >= (row < column ? row : column);
    }
    o->count = kept;
}

/* Scores the hits, and finds who may want them in all tables. */
static void find_wanted(akin_compare *c, outcome *o, proposals *wanted /* [tables] */) {
    if (o->bounds != NULL) keep_wanted(c, o);
    keep_pairs(c, o);
    c->figures.scored += (double)o->count;
    akin_dot()->pairs(o->rows, o->columns, akin_row_block_stride(o->a), o->hits, o->count,
                      c->scores);
    for (int t = 0; t < c->tables; t++) {
        if (!(o->met >> t & 1)) continue;
        propose(c, o, t, &wanted[t]);
        fetch_wanted(c, o, t, &wanted[t]);
    }
}

/* At most four tiles. */
static void settle_some(akin_compare *c, outcome *const *outcomes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (outcomes[i]->count > 0) find_wanted(c, outcomes[i], c->wanted[i]);
    for (size_t i = 0; i < count; i++)
        for (int t = 0; t < c->tables && outcomes[i]->count > 0; t++)
            if (outcomes[i]->met >> t & 1) offer(c, outcomes[i], t, &c->wanted[i][t]);
}

static int by_column(const void *x, const void *y) {
    const outcome *a = *(outcome *const *)x, *b = *(outcome *const *)y;
    return a->q != b->q ? (a->q > b->q) - (a->q < b->q) : (a > b) - (a < b);
}

/* Long rows in the order of their columns, which then stay in the cache for all rows that they are scored with. */
static void settle(akin_compare *c, batch *b) {
    outcome *order[TILES];
    for (size_t i = 0; i < b->count; i++) order[i] = &b->outcomes[i];
    if (c->waiting > 0) qsort(order, b->count, sizeof *order, by_column);
    for (size_t i = 0; i < b->count; i += 4)
        settle_some(c, order + i, b->count - i < 4 ? b->count - i : 4);
    b->count = b->first = b->hits = 0;
}

static void fetch_hits(const outcome *o) {
    enum { MOST = 16 };
    for (size_t h = 0; h < o->count && h < MOST; h++) {
        akin_row_block_fetch(o->a, o->p, o->hits[h].row);
        akin_row_block_fetch(o->b, o->q, o->hits[h].column);
    }
}

/* Some adjacent panels of a block. */
typedef struct {
    akin_row_block *block;
    size_t first, count; /* 1 or 2 */
    akin_row_block_panel panel[2];
} side;

static side side_of(akin_row_block *block, size_t first, size_t count) {
    side s = {.block = block, .first = first, .count = count};
    for (size_t i = 0; i < count; i++) s.panel[i] = akin_row_block_view(block, first + i);
    return s;
}

static float between_means(const akin_compare *c, const side *a, size_t i, const side *b,
                           size_t j) {
    float product;
    if (c->means->known) return akin_means_between(c->means, a->first + i, b->first + j);
    akin_dot()->one_many(a->panel[i].centre, b->panel[j].centre, akin_row_block_stride(a->block), 1,
                         &product);
    return product;
}

static const float *products_of_mean(akin_compare *c, const side *a, size_t i, const side *b,
                                     size_t j, float *room /* [48] */) {
    c->multiplied++;
    if (c->means->known) return akin_means_products(c->means, a->first + i, b->first + j);
    akin_dot()->one_many(a->panel[i].centre, b->panel[j].rows, akin_row_block_stride(a->block),
                         PANEL, room);
    return room;
}

/* Adds the tile of two panels to those that are being made, unless none of its pairs can be wanted. */
static void ask(akin_compare *c, const side *a, size_t i, const side *b, size_t j, uint32_t met) {
    const akin_row_block_panel *rows = &a->panel[i], *columns = &b->panel[j];
    static const float nothing[PANEL] __attribute__((aligned(64))); /* times a mean of zero */
    const akin_tile_kernels *tile = c->tile;
    batch *now = c->batches[c->turn];
    const size_t at = now->count - now->first;
    question *q = &c->questions[at];
    const float *products = nothing;
    const float *row_least =
                    asked_of(c, a->block, a->first + i, b->block, b->first + j, met, q->of_rows),
                *column_least =
                    asked_of(c, b->block, b->first + j, a->block, a->first + i, met, q->of_columns);
    float row_lowest = row_least[0];
    if (rows->sketch->inverse > 0 || row_lowest >= 2) row_lowest = tile->lowest(row_least);
    if (rows->sketch->inverse > 0) {
        if (columns->sketch->inverse > 0) {
            float bound =
                akin_sketch_cones(rows->sketch, columns->sketch, between_means(c, a, i, b, j));
            if (bound < row_lowest && bound < tile->lowest(column_least)) return;
        }
        products = products_of_mean(c, a, i, b, j, q->products);
    }
    c->tasks[at] = (akin_tile_task){
        .stride = rows->width,
        .row_sketch = rows->sketch,
        .column_sketch = columns->sketch,
        .rows = rows->as_rows,
        .columns = columns->as_columns,
        .wrap = columns->wrap,
        .sums = columns->sums,
        .row_least = row_least,
        .column_least = column_least,
        .row_lowest = row_lowest,
        .products = products,
        .found = akin_row_block_leading(a->block) != NULL ? c->found : NULL,
        .margin = akin_sketch_margin(rows->sketch, columns->sketch, akin_row_block_dim(a->block))};
    outcome *o = &now->outcomes[now->count++];
    o->met = met;
    o->a = a->block, o->p = a->first + i, o->rows = rows->rows, o->row_count = rows->count;
    o->b = b->block, o->q = b->first + j, o->columns = columns->rows;
    o->column_count = columns->count;
}

/* The hits of one tile; of rows that are divided only those that the tails leave. */
static size_t hits_of(const akin_compare *c, const outcome *o, const akin_tile_task *task,
                      akin_dot_hit *hits, float *bounds, size_t *tried) {
    size_t count = c->tile->hits(task, hits, tried);
    if (task->found == NULL) return count;
    return akin_row_block_sift(o->a, o->p, o->b, o->q, task, hits, count, bounds);
}

/* Puts the hits of a tile, made at `from`, after those that wait already. */
static void keep(akin_compare *c, batch *now, outcome *o, size_t from, size_t tried) {
    if (from != now->hits) {
        memmove(now->of_tiles + now->hits, now->of_tiles + from, o->count * sizeof *now->of_tiles);
        memmove(now->bounds + now->hits, now->bounds + from, o->count * sizeof *now->bounds);
    }
    o->hits = now->of_tiles + now->hits;
    o->bounds = akin_row_block_leading(o->a) != NULL ? now->bounds + now->hits : NULL;
    now->hits += o->count;
    fetch_hits(o);
    c->figures.computed += (double)tried / (PANEL * PANEL) *
                           akin_row_summaries_pairs(akin_row_block_summaries(o->a) + o->p,
                                                    akin_row_block_summaries(o->b) + o->q,
                                                    o->a == o->b && o->p == o->q);
}

/* Computes the tiles that are being made, all those of four panels together. Once enough hits wait, those of the
 * batch before are settled. */
static void answer(akin_compare *c) {
    const akin_tile_kernels *tile = c->tile;
    batch *now = c->batches[c->turn];
    outcome *outcomes = now->outcomes + now->first;
    const size_t count = now->count - now->first;
    size_t from[4], tried[4], counts[4];
    akin_dot_hit *hits[4];
    for (size_t t = 0; t < count; t++) {
        from[t] = now->hits + t * AKIN_TILE_HITS;
        hits[t] = now->of_tiles + from[t];
    }
    if (count == 4)
        tile->four(c->tasks, hits, counts, tried);
    else
        for (size_t t = 0; t < count; t++)
            counts[t] =
                hits_of(c, &outcomes[t], &c->tasks[t], hits[t], now->bounds + from[t], &tried[t]);
    for (size_t t = 0; t < count; t++) {
        outcomes[t].count = counts[t];
        keep(c, now, &outcomes[t], from[t], tried[t]);
    }
    now->first = now->count;
    if (now->hits < c->waiting && now->count + 4 <= TILES) return;
    settle(c, c->batches[c->turn ^= 1]);
}

/* Every panel of one side with every panel of the other. */
static void meet(akin_compare *c, const side *a, const side *b, const int8_t *next) {
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++) {
            uint32_t met = c->tables == 1
                               ? akin_row_summaries_may_meet(c->rules[0], a->panel[i].summary,
                                                             b->panel[j].summary)
                               : meetings(c, a->block, a->first + i, b->block, b->first + j);
            if (met != 0) ask(c, a, i, b, j, met);
        }
    if (c->batches[c->turn]->count == c->batches[c->turn]->first) return;
    c->tasks[0].next = next;
    answer(c);
}

static void begin(akin_compare *c, const akin_row_block *a) {
    c->waiting = akin_row_block_stride(a) >= AKIN_COMPARE_LONG ? WAITING : 0;
    c->tile = akin_tile();
    c->tile->begin(akin_row_block_view(a, 0).width);
}

/* Offers all hits that still wait. */
static void finish(akin_compare *c) {
    settle(c, c->batches[c->turn ^ 1]);
    settle(c, c->batches[c->turn]);
    c->tile->end();
}

void akin_compare_itself(akin_compare *c, akin_row_block *a) {
    begin(c, a);
    for (size_t p = 0; p < akin_row_block_panels(a); p++) {
        side rows = side_of(a, p, 1);
        meet(c, &rows, &rows, NULL);
    }
    finish(c);
}

static bool apart_in_all(const akin_compare *c, const akin_row_block_summary *a,
                         const akin_row_block_summary *b) {
    return c->same_category && akin_row_summaries_apart(c->rules[0], a, b);
}

/* Rows against columns [first, end), as many at once as the level takes. */
static void sweep_columns(akin_compare *c, const side *rows, akin_row_block *b, size_t first,
                          size_t end) {
    const akin_row_block_summary *summaries = akin_row_block_summaries(b);
    for (size_t q = first; q < end;) {
        if (apart_in_all(c, rows->panel[0].summary, &summaries[q])) {
            q = summaries[q].alike_end;
            continue;
        }
        bool two = rows->count == 2 && q + 1 < end &&
                   !apart_in_all(c, rows->panel[0].summary, &summaries[q + 1]);
        side columns = side_of(b, q, two ? 2 : 1);
        q += columns.count;
        meet(c, rows, &columns, q + columns.count <= end ? akin_row_block_columns(b, q) : NULL);
    }
}

/* Whether two panels are apart from the same others. */
static bool alike(const akin_compare *c, const akin_row_block_summary *a,
                  const akin_row_block_summary *b) {
    return !c->same_category ||
           (a->category_first == b->category_first && a->category_last == b->category_last);
}

static void compare_rows(akin_compare *c, akin_row_block *a, size_t a_first, size_t a_end,
                         akin_row_block *b, size_t b_first, size_t b_end) {
    const akin_row_block_summary *summaries = akin_row_block_summaries(a);
    for (size_t p = a_first, count; p < a_end; p += count) {
        bool two =
            c->tile->four != NULL && p + 1 < a_end && alike(c, &summaries[p], &summaries[p + 1]);
        count = two ? 2 : 1;
        side rows = side_of(a, p, count);
        size_t first = b_first;
        if (a == b && first <= p) first = p + 1;
        if (a == b && two && first == p + 1 && first < b_end) { /* the two with each other */
            side one = side_of(a, p, 1);
            sweep_columns(c, &one, b, first, first + 1);
            first++;
        }
        if (first >= b_end) continue;
        c->pairs += (double)(count * (b_end - first));
        sweep_columns(c, &rows, b, first, b_end);
    }
}

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

void akin_compare_panels(akin_compare *c, akin_row_block *a, size_t a_first, size_t a_end,
                         akin_row_block *b, size_t b_first, size_t b_end) {
    begin(c, a);
    c->pairs = c->multiplied = 0;
    if (c->sparse || akin_row_block_stride(a) < TOGETHER_FROM) {
        compare_rows(c, a, a_first, a_end, b, b_first, b_end);
    } else {
        for (size_t p = a_first; p < a_end; p += AKIN_MEANS_ROWS)
            for (size_t q = a == b && b_first <= p ? p + 1 : b_first; q < b_end;
                 q += AKIN_MEANS_COLUMNS) {
                size_t p_end = least_of(p + AKIN_MEANS_ROWS, a_end),
                       q_end = least_of(q + AKIN_MEANS_COLUMNS, b_end);
                akin_means_multiply(c->means, a, p, p_end, b, q, q_end);
                compare_rows(c, a, p, p_end, b, q, q_end);
            }
    }
    c->means->known = false;
    c->sparse = a_first < a_end &&
                8 * (double)akin_row_block_view(a, a_first).sharing * c->multiplied < c->pairs;
    finish(c);
}

akin_compare_figures akin_compare_figures_of(const akin_compare *c) {
    return c->figures;
}
