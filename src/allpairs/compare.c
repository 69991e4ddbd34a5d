/* compare: every row of one block with every row of another. */
#include "asked.h"
#include "row_summary.h"
#include "tile.h"
#include <akin/compare.h>
#include <akin/dot.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

enum {
    PANEL = AKIN_ROW_BLOCK_PANEL,
    TOGETHER = 32,             /* panels of columns in one product of matrices, */
    TOGETHER_ROWS = 256,       /* and of rows, whose means read those columns once */
    TOGETHER_FROM = 128,       /* dimensions */
    MEANS = TOGETHER_ROWS + 1, /* at most: shared ones from anywhere on */
    TOGETHER_FEWEST = 4        /* panels of rows with a mean */
};

/* Two panels after their tile. */
typedef struct {
    akin_row_block *a, *b;
    size_t p, q, count; /* of hits */
    uint32_t met;       /* the tables in which they may meet: a bit each */
    const float *rows, *columns;
    size_t row_count, column_count;
    akin_dot_hit hits[AKIN_TILE_HITS];
} outcome;

/* What the lists of one table may want of a tile. */
typedef struct {
    size_t row_count, column_count;
    akin_row_block_proposal for_rows[AKIN_TILE_HITS], for_columns[AKIN_TILE_HITS];
} proposals;

/* Up to four tiles computed together, and what they are asked. */
typedef struct {
    size_t count;
    outcome outcomes[4];
} group;

/* The means of some row panels by the rows of some column panels, all of them in one product of matrices,
 * which reads the rows once for all means. */
typedef struct {
    bool known;
    size_t row_first, column_first, columns; /* panels */
    float products[MEANS * TOGETHER * PANEL];
    size_t row_sharing, column_sharing, shared; /* panels with one mean; means of the columns */
    float between[MEANS * (TOGETHER + 1)];
} products_of_means;

/* The thresholds of a tile, in its own arrays where the panels' cannot be used. */
typedef struct {
    float products[PANEL] __attribute__((aligned(64)));
    float of_rows[PANEL], of_columns[PANEL];
} question;

/* The hits of tiles wait while the next tiles are computed; meanwhile the rows and lists that they
 * need are fetched from memory. */
struct akin_compare {
    const akin_tile_kernels *tile; /* while panels are compared */
    int tables;
    const akin_row_block_rules *rules[AKIN_ROW_BLOCK_TABLES];
    bool same_category; /* in all tables */
    akin_compare_figures figures;
    group groups[2];
    int turn; /* which one the next tiles write; the other one waits */
    question questions[4];
    akin_tile_task tasks[4];  /* of the group that is being made */
    products_of_means *means; /* large: not touched where rows are short */
    double pairs,
        multiplied; /* of panels in this call, and those that wanted a product of the mean */
    bool sparse;    /* so few of the last call did that each is better computed by itself */
    float scores[AKIN_TILE_HITS];
    proposals *wanted[4]; /* [tables] each: of the tiles of a group */
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

/* Scores the hits, and finds who may want them in all tables. */
static void find_wanted(akin_compare *c, outcome *o, proposals *wanted /* [tables] */) {
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

static void settle_group(akin_compare *c, group *g) {
    for (size_t i = 0; i < g->count; i++)
        if (g->outcomes[i].count > 0) find_wanted(c, &g->outcomes[i], c->wanted[i]);
    for (size_t i = 0; i < g->count; i++)
        for (int t = 0; t < c->tables && g->outcomes[i].count > 0; t++)
            if (g->outcomes[i].met >> t & 1) offer(c, &g->outcomes[i], t, &c->wanted[i][t]);
    g->count = 0;
}

static void fetch_hits(const outcome *o) {
    enum { MOST = 16 };
    for (size_t h = 0; h < o->count && h < MOST; h++) {
        akin_row_block_fetch(o->a, o->p, o->hits[h].row);
        akin_row_block_fetch(o->b, o->q, o->hits[h].column);
    }
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

/* Where a panel's mean is among those from the panel `first` on. */
static size_t mean_of(size_t p, size_t first, size_t sharing) {
    return p / sharing - first / sharing;
}

static float between_means(const akin_compare *c, const side *a, size_t i, const side *b,
                           size_t j) {
    const products_of_means *m = c->means;
    float product;
    if (m->known)
        return m->between[mean_of(a->first + i, m->row_first, m->row_sharing) * m->shared +
                          mean_of(b->first + j, m->column_first, m->column_sharing)];
    akin_dot()->one_many(a->panel[i].centre, b->panel[j].centre, akin_row_block_stride(a->block), 1,
                         &product);
    return product;
}

static const float *products_of_mean(akin_compare *c, const side *a, size_t i, const side *b,
                                     size_t j, float *room /* [48] */) {
    const products_of_means *m = c->means;
    c->multiplied++;
    if (m->known)
        return m->products + (mean_of(a->first + i, m->row_first, m->row_sharing) * m->columns +
                              b->first + j - m->column_first) *
                                 PANEL;
    akin_dot()->one_many(a->panel[i].centre, b->panel[j].rows, akin_row_block_stride(a->block),
                         PANEL, room);
    return room;
}

/* Adds the tile of two panels to the group, unless none of its pairs can be wanted. */
static void ask(akin_compare *c, const side *a, size_t i, const side *b, size_t j, uint32_t met) {
    const akin_row_block_panel *rows = &a->panel[i], *columns = &b->panel[j];
    static const float nothing[PANEL] __attribute__((aligned(64))); /* times a mean of zero */
    const akin_tile_kernels *tile = c->tile;
    group *g = &c->groups[c->turn];
    question *q = &c->questions[g->count];
    const float *products = nothing;
    size_t stride = akin_row_block_stride(a->block);
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
    c->tasks[g->count] = (akin_tile_task){
        .stride = stride,
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
        .margin = akin_sketch_margin(rows->sketch, columns->sketch, akin_row_block_dim(a->block))};
    outcome *o = &g->outcomes[g->count++];
    o->met = met;
    o->a = a->block, o->p = a->first + i, o->rows = rows->rows, o->row_count = rows->count;
    o->b = b->block, o->q = b->first + j, o->columns = columns->rows;
    o->column_count = columns->count;
}

/* Computes the tiles of the group, all those of four panels together, while the hits of the one before
 * wait; then settles these. */
static void answer(akin_compare *c) {
    const akin_tile_kernels *tile = c->tile;
    group *now = &c->groups[c->turn], *before = &c->groups[c->turn ^= 1];
    size_t tried[4], counts[4];
    akin_dot_hit *hits[4];
    for (size_t t = 0; t < now->count; t++) hits[t] = now->outcomes[t].hits;
    if (now->count == 4)
        tile->four(c->tasks, hits, counts, tried);
    else
        for (size_t t = 0; t < now->count; t++)
            counts[t] = tile->hits(&c->tasks[t], hits[t], &tried[t]);
    for (size_t t = 0; t < now->count; t++) {
        outcome *o = &now->outcomes[t];
        o->count = counts[t];
        fetch_hits(o);
        c->figures.computed += (double)tried[t] / (PANEL * PANEL) *
                               akin_row_summaries_pairs(akin_row_block_summaries(o->a) + o->p,
                                                        akin_row_block_summaries(o->b) + o->q,
                                                        o->a == o->b && o->p == o->q);
    }
    settle_group(c, before);
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
    if (c->groups[c->turn].count == 0) return;
    c->tasks[0].next = next;
    answer(c);
}

static void begin(akin_compare *c, const akin_row_block *a) {
    c->tile = akin_tile();
    c->tile->begin(akin_row_block_stride(a));
}

/* Offers all hits that still wait. */
static void finish(akin_compare *c) {
    settle_group(c, &c->groups[c->turn ^ 1]);
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

/* Multiplies the means of row panels with columns, if there are enough of them. */
static void multiply_means(products_of_means *m, const akin_row_block *a, size_t a_first,
                           size_t a_end, const akin_row_block *b, size_t b_first, size_t b_end) {
    size_t means = 0;
    for (size_t p = a_first; p < a_end; p++) means += akin_row_block_view(a, p).sketch->inverse > 0;
    m->known = means >= TOGETHER_FEWEST;
    if (!m->known) return;
    m->row_first = a_first, m->column_first = b_first, m->columns = b_end - b_first;
    const size_t stride = akin_row_block_stride(a);
    const akin_row_block_panel rows = akin_row_block_view(a, a_first),
                               columns = akin_row_block_view(b, b_first);
    m->row_sharing = rows.sharing, m->column_sharing = columns.sharing;
    m->shared = mean_of(b_end - 1, b_first, m->column_sharing) + 1;
    akin_linalg_shape shape = {mean_of(a_end - 1, a_first, m->row_sharing) + 1, m->columns * PANEL,
                               stride, AKIN_TURN_B};
    akin_linalg_product(shape, rows.centre, columns.rows, m->products);
    shape.columns = m->shared;
    akin_linalg_product(shape, rows.centre, columns.centre, m->between);
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
        for (size_t p = a_first; p < a_end; p += TOGETHER_ROWS)
            for (size_t q = a == b && b_first <= p ? p + 1 : b_first; q < b_end; q += TOGETHER) {
                size_t p_end = least_of(p + TOGETHER_ROWS, a_end),
                       q_end = least_of(q + TOGETHER, b_end);
                multiply_means(c->means, a, p, p_end, b, q, q_end);
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
