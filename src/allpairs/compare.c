/* compare: every row of one block with every row of another. */
#include "tile.h"
#include <akin/compare.h>
#include <akin/dot.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

enum {
    PANEL = AKIN_ROW_BLOCK_PANEL,
    TOGETHER = 32,       /* panels of rows and of columns in one product of matrices */
    TOGETHER_FROM = 128, /* dimensions */
    TOGETHER_FEWEST = 4  /* panels of rows with a mean */
};

/* Two panels after their tile. */
typedef struct {
    akin_row_block *a, *b;
    size_t p, q, count; /* of hits */
    akin_row_block_panel rows, columns;
    akin_dot_hit hits[AKIN_TILE_HITS];
} outcome;

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
    float products[TOGETHER * TOGETHER * PANEL];
    float between[TOGETHER * TOGETHER]; /* by the means of the column panels */
} products_of_means;

/* What a tile is asked, in arrays of its own where the panels' do not do. */
typedef struct {
    float products[PANEL] __attribute__((aligned(64)));
    float of_rows[PANEL], of_columns[PANEL];
} question;

/* The hits of tiles wait while the next tiles are computed: meanwhile the rows and lists that they
 * need come from memory. */
struct akin_compare {
    const akin_row_block_rules *rules;
    akin_compare_figures figures;
    group groups[2];
    int turn; /* which one the next tiles write; the other one waits */
    question questions[4];
    akin_tile_task tasks[4]; /* of the group that is being made */
    products_of_means means;
    double pairs,
        multiplied; /* of panels in this call, and those that wanted a product of the mean */
    bool sparse;    /* so few of the last call did that each is better computed by itself */
    float scores[AKIN_TILE_HITS];
    akin_row_block_proposal for_rows[AKIN_TILE_HITS],
        for_columns[AKIN_TILE_HITS]; /* of what it may want */
};

akin_status akin_compare_create(const akin_row_block_rules *rules, akin_compare **out) {
    *out = akin_mem_zalloc(1, sizeof **out);
    if (*out == NULL) return AKIN_FAILED;
    (*out)->rules = rules;
    return AKIN_OK;
}

void akin_compare_free(akin_compare *c) {
    akin_mem_free(c);
}

static bool apart(const akin_row_block_rules *rules, const akin_row_block_summary *a,
                  const akin_row_block_summary *b) {
    return rules->same_category &&
           (a->category_last < b->category_first || b->category_last < a->category_first);
}

/* Of two that are not apart. */
static bool may_meet(const akin_row_block_rules *rules, const akin_row_block_summary *a,
                     const akin_row_block_summary *b) {
    for (int l = 0; l < rules->layers; l++) {
        const akin_row_block_layer *layer = &rules->layer[l];
        if (a->label[l] >= 0 && b->label[l] >= 0 &&
            layer->done[a->label[l] * layer->labels + b->label[l]])
            return false;
    }
    if (rules->only_available && !a->some_available && !b->some_available) return false;
    return rules->more == NULL || akin_row_rules_possible(rules->more, a->span, b->span) ||
           akin_row_rules_possible(rules->more, b->span, a->span);
}

/* --- the comparison --- */

/* Scores the hits and offers them to those who may want them; of a panel with itself each pair
 * once. */
static void settle(akin_compare *c, outcome *o) {
    const akin_row_block_panel *rows = &o->rows, *columns = &o->columns;
    size_t row_count = 0, column_count = 0;
    bool itself = o->a == o->b && o->p == o->q;
    bool offsets = c->rules->more != NULL && c->rules->more->offset != NULL;
    akin_dot()->pairs(rows->rows, columns->rows, akin_row_block_stride(o->a), o->hits, o->count,
                      c->scores);
    for (size_t h = 0; h < o->count; h++) { /* no branches: nobody could foretell them */
        uint16_t i = o->hits[h].row, j = o->hits[h].column;
        bool pair = (i < rows->count) & (j < columns->count) & (!itself | (i < j));
        c->for_rows[row_count] = (akin_row_block_proposal){i, j, c->scores[h]};
        c->for_columns[column_count] = (akin_row_block_proposal){j, i, c->scores[h]};
        row_count += pair & (offsets ? rows->least[i] < INFINITY : c->scores[h] >= rows->least[i]);
        column_count +=
            pair & (offsets ? columns->least[j] < INFINITY : c->scores[h] >= columns->least[j]);
    }
    akin_row_block_offer(c->rules, o->a, o->p, o->b, o->q, c->for_rows, row_count);
    akin_row_block_offer(c->rules, o->b, o->q, o->a, o->p, c->for_columns, column_count);
    o->count = 0;
}

static void settle_group(akin_compare *c, group *g) {
    for (size_t t = 0; t < g->count; t++)
        if (g->outcomes[t].count > 0) settle(c, &g->outcomes[t]);
    g->count = 0;
}

/* Settles what waits, and nothing waits any more. */
static void finish(akin_compare *c) {
    settle_group(c, &c->groups[c->turn ^ 1]);
}

static void fetch_hits(const outcome *o) {
    enum { MOST = 16 };
    for (size_t h = 0; h < o->count && h < MOST; h++) {
        akin_row_block_fetch(o->a, o->p, o->hits[h].row);
        akin_row_block_fetch(o->b, o->q, o->hits[h].column);
    }
}

/* What the rows of a panel ask the other for: those that can have nothing from it, by category or by
 * the other rules, ask for nothing. */
static const float *asked(const akin_row_block_rules *rules, const akin_row_block *block,
                          const akin_row_block_panel *panel, const akin_row_block_panel *other,
                          float *least /* [48] */) {
    bool mixed =
        rules->same_category && panel->summary->category_first != panel->summary->category_last;
    bool offsets = rules->more != NULL && rules->more->offset != NULL;
    if (!mixed && rules->more == NULL) return panel->least;
    for (size_t i = 0; i < PANEL; i++) {
        const akin_row_block_item *item = &panel->items[i];
        bool meets = !mixed || (item->category >= other->summary->category_first &&
                                item->category <= other->summary->category_last);
        if (meets && rules->more != NULL && i < panel->count)
            meets = (!rules->only_available || other->summary->some_available) &&
                    akin_row_rules_possible_for(rules->more, &item->values, other->summary->span);
        least[i] = meets ? panel->least[i] : INFINITY;
        if (offsets) least[i] = akin_row_block_ask(block, rules, least[i], other->summary->largest);
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

/* Where two panels stand in the products. */
static size_t place_of(const products_of_means *m, size_t p, size_t q) {
    return (p - m->row_first) * m->columns + q - m->column_first;
}

static float between_means(const akin_compare *c, const side *a, size_t i, const side *b,
                           size_t j) {
    const products_of_means *m = &c->means;
    float product;
    if (m->known) return m->between[place_of(m, a->first + i, b->first + j)];
    akin_dot()->one_many(a->panel[i].centre, b->panel[j].centre, akin_row_block_stride(a->block), 1,
                         &product);
    return product;
}

static const float *products_of_mean(akin_compare *c, const side *a, size_t i, const side *b,
                                     size_t j, float *room /* [48] */) {
    const products_of_means *m = &c->means;
    c->multiplied++;
    if (m->known) return m->products + place_of(m, a->first + i, b->first + j) * PANEL;
    akin_dot()->one_many(a->panel[i].centre, b->panel[j].rows, akin_row_block_stride(a->block),
                         PANEL, room);
    return room;
}

/* Adds the tile of two panels to the group, unless none of its pairs can be wanted. */
static void ask(akin_compare *c, const side *a, size_t i, const side *b, size_t j) {
    const akin_row_block_panel *rows = &a->panel[i], *columns = &b->panel[j];
    const akin_tile_kernels *tile = akin_tile();
    group *g = &c->groups[c->turn];
    question *q = &c->questions[g->count];
    const float *products = q->products;
    size_t stride = akin_row_block_stride(a->block);
    const float *row_least = asked(c->rules, a->block, rows, columns, q->of_rows);
    const float *column_least = asked(c->rules, b->block, columns, rows, q->of_columns);
    const float row_lowest = tile->lowest(row_least);
    if (rows->sketch->inverse > 0) {
        if (columns->sketch->inverse > 0) {
            float bound =
                akin_sketch_cones(rows->sketch, columns->sketch, between_means(c, a, i, b, j));
            if (bound < row_lowest && bound < tile->lowest(column_least)) return;
        }
        products = products_of_mean(c, a, i, b, j, q->products);
    } else {
        memset(q->products, 0, sizeof q->products);
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
    o->a = a->block, o->p = a->first + i, o->rows = *rows;
    o->b = b->block, o->q = b->first + j, o->columns = *columns;
}

/* Computes the tiles of the group, all those of four panels together, while the hits of the one before
 * wait; then settles these. */
static void answer(akin_compare *c) {
    const akin_tile_kernels *tile = akin_tile();
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
        bool itself = o->a == o->b && o->p == o->q;
        double others = itself ? (double)o->rows.count - 1 : 2 * (double)o->columns.count;
        o->count = counts[t];
        fetch_hits(o);
        c->figures.computed += (double)tried[t] / (PANEL * PANEL) * (double)o->rows.count * others;
        c->figures.scored += (double)o->count;
    }
    settle_group(c, before);
}

/* Every panel of one side with every panel of the other. */
static void meet(akin_compare *c, const side *a, const side *b, const int8_t *next) {
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            if (may_meet(c->rules, a->panel[i].summary, b->panel[j].summary)) ask(c, a, i, b, j);
    if (c->groups[c->turn].count == 0) return;
    c->tasks[0].next = next;
    answer(c);
}

void akin_compare_itself(akin_compare *c, akin_row_block *a) {
    akin_tile()->begin(akin_row_block_stride(a));
    for (size_t p = 0; p < akin_row_block_panels(a); p++) {
        side rows = side_of(a, p, 1);
        meet(c, &rows, &rows, NULL);
    }
    finish(c);
    akin_tile()->end();
}

/* Rows against columns [first, end), as many at once as the level takes. */
static void sweep_columns(akin_compare *c, const side *rows, akin_row_block *b, size_t first,
                          size_t end) {
    const akin_row_block_summary *summaries = akin_row_block_summaries(b);
    for (size_t q = first; q < end;) {
        if (apart(c->rules, rows->panel[0].summary, &summaries[q])) {
            q = summaries[q].alike_end;
            continue;
        }
        bool two = rows->count == 2 && q + 1 < end &&
                   !apart(c->rules, rows->panel[0].summary, &summaries[q + 1]);
        side columns = side_of(b, q, two ? 2 : 1);
        q += columns.count;
        meet(c, rows, &columns, q + columns.count <= end ? akin_row_block_columns(b, q) : NULL);
    }
}

/* Whether two panels are apart from the same others. */
static bool alike(const akin_row_block_rules *rules, const akin_row_block_summary *a,
                  const akin_row_block_summary *b) {
    return !rules->same_category ||
           (a->category_first == b->category_first && a->category_last == b->category_last);
}

static void compare_rows(akin_compare *c, akin_row_block *a, size_t a_first, size_t a_end,
                         akin_row_block *b, size_t b_first, size_t b_end) {
    const akin_row_block_summary *summaries = akin_row_block_summaries(a);
    for (size_t p = a_first, count; p < a_end; p += count) {
        bool two = akin_tile()->four != NULL && p + 1 < a_end &&
                   alike(c->rules, &summaries[p], &summaries[p + 1]);
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
    akin_linalg_shape shape = {a_end - a_first, m->columns * PANEL, stride, AKIN_TURN_B};
    akin_linalg_product(shape, rows.centre, columns.rows, m->products);
    shape.columns = m->columns;
    akin_linalg_product(shape, rows.centre, columns.centre, m->between);
}

static size_t least_of(size_t a, size_t b) {
    return a < b ? a : b;
}

void akin_compare_panels(akin_compare *c, akin_row_block *a, size_t a_first, size_t a_end,
                         akin_row_block *b, size_t b_first, size_t b_end) {
    akin_tile()->begin(akin_row_block_stride(a));
    c->pairs = c->multiplied = 0;
    if (c->sparse || akin_row_block_stride(a) < TOGETHER_FROM) {
        compare_rows(c, a, a_first, a_end, b, b_first, b_end);
    } else {
        for (size_t p = a_first; p < a_end; p += TOGETHER)
            for (size_t q = a == b && b_first <= p ? p + 1 : b_first; q < b_end; q += TOGETHER) {
                size_t p_end = least_of(p + TOGETHER, a_end), q_end = least_of(q + TOGETHER, b_end);
                multiply_means(&c->means, a, p, p_end, b, q, q_end);
                compare_rows(c, a, p, p_end, b, q, q_end);
            }
    }
    c->means.known = false;
    c->sparse = 2 * c->multiplied < c->pairs;
    finish(c);
    akin_tile()->end();
}

akin_compare_figures akin_compare_figures_of(const akin_compare *c) {
    return c->figures;
}
