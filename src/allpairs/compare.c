/* compare: every row of one block with every row of another. */
#include "tile.h"
#include <akin/compare.h>
#include <akin/dot.h>
#include <akin/mem.h>
#include <math.h>

enum { PANEL = AKIN_ROW_BLOCK_PANEL };

/* Two panels after their tile. */
typedef struct {
    akin_row_block *a, *b;
    size_t p, q, count; /* of hits */
    akin_row_block_panel rows, columns;
    akin_dot_hit hits[AKIN_TILE_HITS];
} outcome;

/* The hits of a tile wait while the next tile is computed: meanwhile the rows and lists that they
 * need come from memory. */
struct akin_compare {
    const akin_row_block_rules *rules;
    akin_compare_figures figures;
    outcome outcomes[2];
    int turn; /* which one the next tile writes; the other one waits where its count is not 0 */
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

/* Settles what waits, and nothing waits any more. */
static void finish(akin_compare *c) {
    for (int t = 0; t < 2; t++)
        if (c->outcomes[t].count > 0) settle(c, &c->outcomes[t]);
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

static void meet(akin_compare *c, akin_row_block *a, size_t p, const akin_row_block_panel *rows,
                 akin_row_block *b, size_t q) {
    akin_row_block_panel columns = akin_row_block_view(b, q);
    const akin_tile_kernels *tile = akin_tile();
    size_t stride = akin_row_block_stride(a), tried;
    float products[PANEL] __attribute__((aligned(64))) = {0}, of_rows[PANEL], of_columns[PANEL];
    const float *row_least = asked(c->rules, a, rows, &columns, of_rows);
    const float *column_least = asked(c->rules, b, &columns, rows, of_columns);
    const float row_lowest = tile->lowest(row_least);
    if (rows->sketch->inverse > 0) {
        if (columns.sketch->inverse > 0) {
            float between, bound;
            akin_dot()->one_many(rows->centre, columns.centre, stride, 1, &between);
            bound = akin_sketch_cones(rows->sketch, columns.sketch, between);
            if (bound < row_lowest && bound < tile->lowest(column_least)) return;
        }
        akin_dot()->one_many(rows->centre, columns.rows, stride, PANEL, products);
    }
    const akin_tile_task task = {
        .stride = stride,
        .row_sketch = rows->sketch,
        .column_sketch = columns.sketch,
        .rows = rows->as_rows,
        .columns = columns.as_columns,
        .wrap = columns.wrap,
        .sums = columns.sums,
        .row_least = row_least,
        .column_least = column_least,
        .row_lowest = row_lowest,
        .products = products,
        .margin = akin_sketch_margin(rows->sketch, columns.sketch, akin_row_block_dim(a))};
    outcome *now = &c->outcomes[c->turn], *before = &c->outcomes[c->turn ^= 1];
    now->count = tile->hits(&task, now->hits, &tried);
    now->a = a, now->p = p, now->rows = *rows, now->b = b, now->q = q, now->columns = columns;
    fetch_hits(now);
    if (before->count > 0) settle(c, before);
    double others = a == b && p == q ? (double)rows->count - 1 : 2 * (double)columns.count;
    c->figures.computed += (double)tried / (PANEL * PANEL) * (double)rows->count * others;
    c->figures.scored += (double)now->count;
}

void akin_compare_itself(akin_compare *c, akin_row_block *a) {
    akin_tile()->begin(akin_row_block_stride(a));
    for (size_t p = 0; p < akin_row_block_panels(a); p++) {
        akin_row_block_panel rows = akin_row_block_view(a, p);
        if (may_meet(c->rules, rows.summary, rows.summary)) meet(c, a, p, &rows, a, p);
    }
    finish(c);
    akin_tile()->end();
}

void akin_compare_panels(akin_compare *c, akin_row_block *a, size_t a_first, size_t a_end,
                         akin_row_block *b, size_t b_first, size_t b_end) {
    const akin_row_block_summary *summaries = akin_row_block_summaries(b);
    akin_tile()->begin(akin_row_block_stride(a));
    for (size_t p = a_first; p < a_end; p++) {
        akin_row_block_panel rows = akin_row_block_view(a, p);
        for (size_t q = a == b && b_first <= p ? p + 1 : b_first; q < b_end;) {
            bool passed = apart(c->rules, rows.summary, &summaries[q]);
            if (!passed && may_meet(c->rules, rows.summary, &summaries[q]))
                meet(c, a, p, &rows, b, q);
            q = passed ? summaries[q].alike_end : q + 1;
        }
    }
    finish(c);
    akin_tile()->end();
}

akin_compare_figures akin_compare_figures_of(const akin_compare *c) {
    return c->figures;
}
