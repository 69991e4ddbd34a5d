/* compare: every row of one block with every row of another. */
#include "asked.h"
#include "means.h"
#include "pending.h"
#include "row_lead.h"
#include "row_summary.h"
#include "tile_task.h"
#include <akin/compare.h>
#include <akin/dot.h>
#include <akin/mem.h>

enum {
    PANEL = AKIN_ROW_BLOCK_PANEL,
    GROUP = AKIN_PENDING_GROUP,
    MEANS_FROM = 128, /* dimensions: the means of several panels are multiplied together */
    COLUMNS = 160     /* panels of columns that are viewed at once, at most */
};

/* Some adjacent panels of a block. */
typedef struct {
    akin_row_block *block;
    size_t first, count;
    const akin_row_block_panel *panel; /* [count] */
} side;

/* The thresholds of a tile, in its own arrays where the panels' cannot be used. */
typedef struct {
    float products[PANEL] __attribute__((aligned(64)));
    float of_rows[PANEL], of_columns[PANEL];
} question;

struct akin_compare {
    akin_asked_tables tables;
    bool same_category; /* in all tables */
    size_t width;       /* dimensions of their sketches */
    double computed;
    akin_pending *pending;
    akin_pending_outcome *group; /* [GROUP]: tiles that are computed together, */
    size_t asked;                /* of which so many are asked for already */
    question questions[GROUP];
    akin_tile_task tasks[GROUP];
    akin_means *means; /* large: not touched where rows are short */
    double pairs,
        multiplied; /* of panels in this call, and those that wanted a product of the mean */
    bool sparse;    /* so few of the last call did that each is better computed by itself */
    /* Viewed once for all rows: copies of what has just been written would wait for it. */
    side columns;
    akin_row_block_panel views[COLUMNS];
    int32_t found[AKIN_TILE_HITS + 3]; /* of a tile whose hits are sifted */
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
    c->tables.count = tables;
    c->same_category = true;
    for (int t = 0; t < tables; t++) {
        c->tables.rules[t] = rules[t];
        c->same_category = c->same_category && rules[t]->same_category;
    }
    AKIN_TRY(akin_pending_create(&c->tables, &c->pending));
    *out = c, c = NULL;
done:
    akin_compare_free(c);
    return status;
}

void akin_compare_free(akin_compare *c) {
    if (c == NULL) return;
    akin_pending_free(c->pending);
    akin_mem_free(c->means);
    akin_mem_free(c);
}

bool akin_compare_same_category(const akin_compare *c) {
    return c->same_category;
}

/* The tables in which two panels may meet, a bit each. */
static uint32_t meetings(const akin_compare *c, akin_row_block *a, size_t p, akin_row_block *b,
                         size_t q) {
    uint32_t met = 0;
    for (int t = 0; t < c->tables.count; t++) {
        const akin_row_block_rules *rules = c->tables.rules[t];
        bool meet = !rules->same_category && !rules->only_available && rules->layers == 0 &&
                    (rules->more == NULL || rules->more->count == 0);
        if (!meet) {
            const akin_row_block_summary
                *x = akin_row_block_summaries(akin_asked_block(&c->tables, a, t)) + p,
                *y = akin_row_block_summaries(akin_asked_block(&c->tables, b, t)) + q;
            meet = akin_row_summaries_may_meet(rules, x, y);
        }
        met |= (uint32_t)meet << t;
    }
    return met;
}

static side side_of(akin_row_block *block, size_t first, size_t count,
                    akin_row_block_panel *views /* [count] */) {
    for (size_t i = 0; i < count; i++) views[i] = akin_row_block_view(block, first + i);
    return (side){block, first, count, views};
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

/* Adds the tile of two panels to those that are being made, unless none of its pairs can be
 * wanted. */
static void ask(akin_compare *c, const side *a, size_t i, const side *b, size_t j, uint32_t met) {
    const akin_row_block_panel *rows = &a->panel[i], *columns = &b->panel[j];
    static const float nothing[PANEL] __attribute__((aligned(64))); /* times a mean of zero */
    const akin_tile_kernels *tile = c->tables.tile;
    const size_t at = c->asked;
    question *q = &c->questions[at];
    const float *products = nothing;
    const float *row_least = akin_asked_of(&c->tables, met, a->block, a->first + i, b->block,
                                           b->first + j, q->of_rows),
                *column_least = akin_asked_of(&c->tables, met, b->block, b->first + j, a->block,
                                              a->first + i, q->of_columns);
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
    akin_tile_task *task = &c->tasks[at];
    akin_tile_task_take(task, c->width, rows, columns);
    task->row_least = row_least, task->column_least = column_least;
    task->row_lowest = row_lowest;
    task->products = products;
    task->next = NULL;
    task->found = c->group[at].bounds != NULL ? c->found : NULL;
    task->margin = akin_sketch_margin(rows->sketch, columns->sketch, akin_row_block_dim(a->block));
    akin_pending_outcome *o = &c->group[c->asked++];
    o->met = met;
    o->a = a->block, o->p = a->first + i, o->rows = rows->rows, o->row_count = rows->count;
    o->b = b->block, o->q = b->first + j, o->columns = columns->rows;
    o->column_count = columns->count;
}

/* Computes one tile; of rows that are divided, what the tails leave of it. */
static void compute(const akin_compare *c, const akin_tile_task *task, akin_pending_outcome *o,
                    size_t *tried) {
    o->count = c->tables.tile->hits(task, o->hits, tried);
    if (task->found != NULL)
        o->count =
            akin_row_lead_sift(akin_row_block_parted(o->a), o->p, akin_row_block_parted(o->b), o->q,
                               task, o->hits, o->count, o->bounds);
}

static void compute_four(const akin_compare *c, akin_pending_outcome *group, size_t *tried) {
    akin_dot_hit *hits[GROUP];
    size_t counts[GROUP];
    for (size_t t = 0; t < GROUP; t++) hits[t] = group[t].hits;
    c->tables.tile->four(c->tasks, hits, counts, tried);
    for (size_t t = 0; t < GROUP; t++) group[t].count = counts[t];
}

/* The share of the pairs of two panels whose sketches were multiplied, as pairs. */
static double pairs_of(const akin_pending_outcome *o, size_t tried) {
    return (double)tried / (PANEL * PANEL) *
           akin_row_summaries_pairs(akin_row_block_summaries(o->a) + o->p,
                                    akin_row_block_summaries(o->b) + o->q,
                                    o->a == o->b && o->p == o->q);
}

/* Computes the tiles that are asked for, all those of four panels together. */
static void answer(akin_compare *c) {
    size_t tried[GROUP];
    if (c->asked == GROUP)
        compute_four(c, c->group, tried);
    else
        for (size_t t = 0; t < c->asked; t++) compute(c, &c->tasks[t], &c->group[t], &tried[t]);
    for (size_t t = 0; t < c->asked; t++) c->computed += pairs_of(&c->group[t], tried[t]);
    c->group = akin_pending_add(c->pending, c->asked);
    c->asked = 0;
}

/* Every panel of one side with every panel of the other. */
static void meet(akin_compare *c, const side *a, const side *b, const int8_t *next) {
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++) {
            uint32_t met = c->tables.count == 1
                               ? akin_row_summaries_may_meet(
                                     c->tables.rules[0], a->panel[i].summary, b->panel[j].summary)
                               : meetings(c, a->block, a->first + i, b->block, b->first + j);
            if (met != 0) ask(c, a, i, b, j, met);
        }
    if (c->asked == 0) return;
    c->tasks[0].next = next;
    answer(c);
}

static void begin(akin_compare *c, const akin_row_block *a) {
    c->tables.tile = akin_tile();
    c->width = akin_row_block_width(a);
    c->tables.tile->begin(c->width);
    /* A matrix unit's tile does not tell what it has found (leading.h sees to it). */
    AKIN_ASSERT(!c->tables.tile->format.matrix || akin_row_block_leading(a) == NULL);
    akin_pending_begin(c->pending, a);
    c->group = akin_pending_group(c->pending);
    c->asked = 0;
}

/* Offers all hits that still wait. */
static void finish(akin_compare *c) {
    akin_pending_finish(c->pending);
    c->tables.tile->end();
}

void akin_compare_itself(akin_compare *c, akin_row_block *a) {
    begin(c, a);
    for (size_t p = 0; p < akin_row_block_panels(a); p++) {
        akin_row_block_panel view;
        const side rows = side_of(a, p, 1, &view);
        meet(c, &rows, &rows, NULL);
    }
    finish(c);
}

static bool apart_in_all(const akin_compare *c, const akin_row_block_summary *a,
                         const akin_row_block_summary *b) {
    return c->same_category && akin_row_summaries_apart(c->tables.rules[0], a, b);
}

/* Rows against columns [first, end), as many at once as the level takes. */
static void sweep_columns(akin_compare *c, const side *rows, size_t first, size_t end) {
    const side *all = &c->columns;
    const akin_row_block_summary *summaries = akin_row_block_summaries(all->block);
    for (size_t q = first; q < end;) {
        if (apart_in_all(c, rows->panel[0].summary, &summaries[q])) {
            q = summaries[q].alike_end;
            continue;
        }
        bool two = rows->count == 2 && q + 1 < end &&
                   !apart_in_all(c, rows->panel[0].summary, &summaries[q + 1]);
        const side some = {all->block, q, two ? 2 : 1, all->panel + (q - all->first)};
        q += some.count;
        meet(c, rows, &some, q + some.count <= end ? akin_row_block_columns(some.block, q) : NULL);
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
        bool two = c->tables.tile->four != NULL && p + 1 < a_end &&
                   alike(c, &summaries[p], &summaries[p + 1]);
        count = two ? 2 : 1;
        akin_row_block_panel views[2];
        const side rows = side_of(a, p, count, views);
        size_t first = b_first;
        if (a == b && first <= p) first = p + 1;
        if (a == b && two && first == p + 1 && first < b_end) { /* the two with each other */
            const side one = {a, p, 1, views};
            sweep_columns(c, &one, first, first + 1);
            first++;
        }
        if (first >= b_end) continue;
        c->pairs += (double)(count * (b_end - first));
        sweep_columns(c, &rows, first, b_end);
    }
}

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

/* All rows against the columns that are viewed. */
static void compare_columns(akin_compare *c, akin_row_block *a, size_t a_first, size_t a_end,
                            akin_row_block *b, size_t b_first, size_t b_end) {
    if (c->sparse || akin_row_block_stride(a) < MEANS_FROM) {
        compare_rows(c, a, a_first, a_end, b, b_first, b_end);
        return;
    }
    for (size_t p = a_first; p < a_end; p += AKIN_MEANS_ROWS)
        for (size_t q = a == b && b_first <= p ? p + 1 : b_first; q < b_end;
             q += AKIN_MEANS_COLUMNS) {
            size_t p_end = least_of(p + AKIN_MEANS_ROWS, a_end),
                   q_end = least_of(q + AKIN_MEANS_COLUMNS, b_end);
            if (a == b) p_end = least_of(p_end, q_end); /* rows after the columns meet none */
            akin_means_multiply(c->means, a, p, p_end, b, q, q_end);
            compare_rows(c, a, p, p_end, b, q, q_end);
        }
}

void akin_compare_panels(akin_compare *c, akin_row_block *a, size_t a_first, size_t a_end,
                         akin_row_block *b, size_t b_first, size_t b_end) {
    begin(c, a);
    c->pairs = c->multiplied = 0;
    for (size_t first = b_first, end; first < b_end; first = end) {
        end = least_of(first + COLUMNS, b_end);
        c->columns = side_of(b, first, end - first, c->views);
        compare_columns(c, a, a_first, a_end, b, first, end);
    }
    c->means->known = false;
    c->sparse = a_first < a_end &&
                8 * (double)akin_row_block_view(a, a_first).sharing * c->multiplied < c->pairs;
    finish(c);
}

akin_compare_figures akin_compare_figures_of(const akin_compare *c) {
    return (akin_compare_figures){c->computed, akin_pending_scored(c->pending)};
}
