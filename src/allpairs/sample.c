/* sample: scores of rows in a sample of those that they can meet. */
#include "sample.h"
#include "reached.h"
#include "tile_task.h"
#include <akin/compare.h>
#include <akin/dot.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

enum {
    PANEL = AKIN_ROW_BLOCK_PANEL,
    AT_ONCE = 2 * PANEL, /* rows in a product of matrices */
    PER_ENTRY = 32,      /* rows of the sample for each of a list's first entries, */
    FIRST = 20,
    PER_FURTHER = 8,     /* and for each further one: of more, chance decides less */
    TOGETHER = 64,       /* panels that have one sample, where rules are asked */
    AT_FIRST = 4,        /* times the rank: the best of a sample that are asked */
    ALLOWED = 2,         /* so many times the rows are sampled for rules */
    SKETCHED_FROM = 128, /* dimensions: before, products in float32 cost no more */
    LIKELY = 4,          /* sketches hardly ever miss by more than this part of their margin */
    FEWEST = 32          /* rows that foretell anything */
};
#define NEVER -0x1p10f /* with offsets: the score of a pair that is below the required one */
#define LEAST_SHARE 0.1
#define LEAST_SHARE_OF_SEVERAL 0.01 /* in a pass of several tables, whose panels are less alike */

bool akin_sample_asks_panels(const akin_row_block_rules *rules) {
    return rules->more != NULL && rules->more->count > 0 && !rules->same_category;
}

static bool has_offsets(const akin_sample *s) {
    return akin_row_block_has_offsets(s->rules);
}

void akin_sample_take_offsets(akin_sample *s) {
    float largest = has_offsets(s) && s->count > 0 ? s->items[0].values.offset : 0;
    for (size_t j = 0; j < s->count && has_offsets(s); j++) {
        s->offsets[j] = s->items[j].values.offset;
        if (s->offsets[j] > largest) largest = s->offsets[j];
    }
    s->top = 1 + largest;
}

void akin_sample_choose(akin_sample *s, const akin_sample_run *r, size_t wanted) {
    const akin_row_block_item *items = akin_row_block_items(s->among);
    s->count = 0;
    for (size_t j = 0; j < wanted; j++) {
        size_t i = r->among_first + j * (r->among_end - r->among_first) / wanted;
        if (akin_sample_asks_panels(s->rules)) /* i counts in those panels alone */
            i = s->panel[i / AKIN_ROW_BLOCK_PANEL] * (size_t)AKIN_ROW_BLOCK_PANEL +
                i % AKIN_ROW_BLOCK_PANEL;
        if (s->rules->only_available && !items[i].available) continue;
        memcpy(s->rows + s->count * s->stride, akin_row_block_row(s->among, i),
               s->stride * sizeof *s->rows);
        s->items[s->count++] = items[i];
    }
    akin_sample_take_offsets(s);
}

/* What the rows of some panels have. */
static void span_panels(const akin_sample *s, size_t first, size_t end, akin_row_span *spans) {
    const akin_row_block_summary *panels = akin_row_block_summaries(s->block);
    for (int slot = 0; slot < s->rules->more->slots; slot++) {
        spans[slot] = akin_row_span_none();
        for (size_t p = first; p < end; p++)
            akin_row_span_join(&spans[slot], &panels[p].span[slot]);
    }
}

/* Those rows of the sample that are asked. */
typedef struct {
    size_t count;
    const uint32_t *index; /* [count]: which ones; NULL: all */
    const float *rows, *offsets;
} picked;

/* Takes out the scores from `least` on of rows that this one may not meet; returns how many are left. */
static size_t mask(const akin_sample *s, const picked *of, size_t row, float *scores, float least) {
    const akin_row_block_item *own = akin_row_block_items(s->block) + row;
    size_t high = 0, left = 0;
    for (size_t j = 0; j < of->count; j++) { /* no branches: they would be unpredictable */
        s->high[high] = (uint32_t)j;
        high += scores[j] >= least;
    }
    for (size_t h = 0; h < high; h++) {
        const size_t j = s->high[h];
        bool may = akin_row_block_may_meet(s->rules, own, &s->items[of->index ? of->index[j] : j]);
        scores[j] = may ? scores[j] : -INFINITY;
        left += may;
    }
    return left;
}

/* What `rank` of the rows reach that this one may meet: the best ones are asked first. False: there are
 * too few. */
static bool reached_by_allowed(akin_sample *s, const picked *of, size_t row, float *scores,
                               size_t rank, float *out) {
    size_t best = AT_FIRST * rank;
    bool all = best >= of->count;
    float least = all ? NEVER / 2 : akin_reached(scores, of->count, best, s->guess);
    least = least > NEVER / 2 ? least : NEVER / 2;
    if (mask(s, of, row, scores, least) < rank &&
        (all || mask(s, of, row, scores, NEVER / 2) < rank))
        return false;
    *out = akin_reached(scores, of->count, rank, s->guess);
    return true;
}

/* Adds the offsets to scores that are kept. */
static void add_offsets(const akin_sample *s, const picked *of, float hidden, float *scores) {
    const float least = s->rules->min_score > -1 ? s->rules->min_score + hidden : -INFINITY;
    for (size_t j = 0; j < of->count; j++)
        scores[j] = scores[j] >= least ? scores[j] + of->offsets[j] : NEVER;
}

/* Those of the sample that may meet some of these rows: all, or copies of those. */
static picked pick(akin_sample *s, size_t first, size_t end) {
    picked all = {s->count, NULL, s->rows, s->offsets},
           some = {0, s->index, s->some, s->offsets_of};
    akin_row_span spans[AKIN_ROW_RULES_SLOTS], one[AKIN_ROW_RULES_SLOTS];
    if (!akin_sample_asks_panels(s->rules)) return all;
    span_panels(s, first / AKIN_ROW_BLOCK_PANEL,
                (end + AKIN_ROW_BLOCK_PANEL - 1) / AKIN_ROW_BLOCK_PANEL, spans);
    for (size_t j = 0; j < s->count; j++) {
        for (int slot = 0; slot < s->rules->more->slots; slot++) {
            one[slot] = akin_row_span_none();
            akin_row_span_add(&one[slot], s->rules->more->number[slot],
                              s->items[j].values.value[slot]);
        }
        if (!akin_row_rules_possible(s->rules->more, spans, one)) continue;
        memcpy(s->some + some.count * s->stride, s->rows + j * s->stride,
               s->stride * sizeof *s->rows);
        s->offsets_of[some.count] = s->offsets[j];
        s->index[some.count++] = (uint32_t)j;
    }
    return some.count < s->count ? some : all;
}

/* --- scores told by sketches --- */

/* Whole panels of columns. */
static size_t width_of(size_t count) {
    return (count + PANEL - 1) / PANEL * PANEL;
}

akin_status akin_sample_sketch(akin_sample *s) {
    static const akin_row_block_rules none = {.min_score = -1};
    akin_status status = AKIN_FAILED;
    if (akin_tile()->scores == NULL || s->stride < SKETCHED_FROM || s->count > UINT16_MAX)
        return AKIN_OK;
    s->of_mean = akin_mem_alloc(width_of(s->count), sizeof *s->of_mean);
    s->exact = akin_mem_alloc(s->count, sizeof *s->exact);
    s->asked = akin_mem_alloc(s->count, sizeof *s->asked);
    if (!s->of_mean || !s->exact || !s->asked) goto done;
    AKIN_TRY(akin_row_block_create(s->count, akin_row_block_dim(s->block), 0,
                                   AKIN_ROW_BLOCK_COLUMNS, &s->sketched));
    AKIN_TRY(akin_row_block_lead(s->sketched, akin_row_block_leading(s->block)));
    akin_row_block_begin(s->sketched, s->count);
    for (size_t j = 0; j < s->count; j++)
        akin_row_block_set(s->sketched, j, s->items[j], s->rows + j * s->stride);
    akin_row_block_ready(s->sketched, &none);
    status = AKIN_OK;
done:
    return status;
}

/* The scores of a panel's rows with all of the sample; its mean times those is known already where it is
 * `known`, that of the panels before. */
static void score_panel(akin_sample *s, const akin_row_block_panel *rows, const float *known,
                        float *scores /* [48, width] */) {
    const akin_tile_kernels *tile = akin_tile();
    const size_t width = width_of(s->count);
    if (rows->sketch->inverse == 0)
        memset(s->of_mean, 0, width * sizeof *s->of_mean);
    else if (rows->centre != known)
        akin_dot()->one_many(rows->centre, akin_row_block_row(s->sketched, 0), s->stride, width,
                             s->of_mean);
    const size_t sketched = akin_row_block_width(s->block);
    tile->begin(sketched);
    for (size_t q = 0; q < akin_row_block_panels(s->sketched); q++) {
        const akin_row_block_panel columns = akin_row_block_view(s->sketched, q);
        akin_tile_task task = akin_tile_task_of(sketched, rows, &columns);
        task.products = s->of_mean + q * PANEL;
        tile->scores(&task, scores + q * PANEL, width);
        s->margin = fmaxf(s->margin, akin_sketch_margin(rows->sketch, columns.sketch,
                                                        akin_row_block_dim(s->block)));
    }
    tile->end();
}

/* Writes the scores of rows with all that are asked; returns how many numbers a row has there. */
static size_t score_rows(akin_sample *s, size_t first, size_t count, const picked *of) {
    const float *centre = NULL;
    s->margin = 0;
    if (s->sketched == NULL) {
        akin_linalg_product((akin_linalg_shape){count, of->count, s->stride, AKIN_TURN_B},
                            akin_row_block_row(s->block, first), of->rows, s->scores);
        return of->count;
    }
    for (size_t i = 0; i < count; i += PANEL) {
        akin_row_block_panel rows = akin_row_block_view(s->block, (first + i) / PANEL);
        score_panel(s, &rows, centre, s->scores + i * width_of(s->count));
        centre = rows.sketch->inverse == 0 ? NULL : rows.centre;
    }
    return width_of(s->count);
}

/* What `rank` of the rows reach by float32, where they reach `told` by their sketches: only those are asked
 * that may do so. */
static float reached_exactly(akin_sample *s, const picked *of, size_t row, const float *scores,
                             size_t rank, float told) {
    size_t count = 0;
    for (size_t j = 0; j < of->count; j++) { /* no branches, as above */
        s->asked[count] = (akin_dot_hit){0, (uint16_t)j};
        count += scores[j] >= told - s->margin / LIKELY;
    }
    akin_dot()->pairs(akin_row_block_row(s->block, row), of->rows, s->stride, s->asked, count,
                      s->exact);
    for (size_t h = 0; h < count && has_offsets(s); h++)
        s->exact[h] += of->offsets[s->asked[h].column];
    return akin_reached(s->exact, count, rank, told);
}

void akin_sample_raise(akin_sample *s, size_t first, size_t end, size_t rank, float g) {
    const float hidden = (float)(2 * akin_dot_bound(akin_row_block_dim(s->block)) + 0x1p-20);
    const bool offsets = has_offsets(s);
    const float top = s->top, lowest = offsets ? -INFINITY : -1;
    for (; first < end; first += AT_ONCE) {
        size_t count = first + AT_ONCE < end ? AT_ONCE : end - first;
        const picked of = pick(s, first, first + count);
        if (of.count < rank) continue;
        const size_t width = score_rows(s, first, count, &of);
        for (size_t i = 0; i < count; i++) {
            float score, *scores = s->scores + i * width;
            if (offsets) add_offsets(s, &of, hidden, scores);
            if (!s->masks)
                score = akin_reached(scores, of.count, rank, s->guess);
            else if (!reached_by_allowed(s, &of, first + i, scores, rank, &score))
                continue;
            if (s->sketched != NULL)
                score = reached_exactly(s, &of, first + i, scores, rank, score);
            s->guess = score;
            score = top - g * (top - score) - hidden;
            if (score > lowest)
                akin_row_block_raise(s->rules, s->block, first + i, score < top ? score : top);
        }
    }
}

size_t akin_sample_wanted(size_t rows, size_t k, bool proven) {
    const size_t first = k < FIRST ? k : FIRST,
                 most = first * PER_ENTRY + (k - first) * PER_FURTHER,
                 wanted = most < rows / AKIN_SAMPLE_SHARE ? most : rows / AKIN_SAMPLE_SHARE;
    return wanted >= (proven ? 4 * k : FEWEST) ? wanted : 0;
}

/* The first position from `at` on where being of the category is as `is` says; end: there is
 * none. */
static size_t seek(const akin_row_block_item *items, size_t at, size_t end, int32_t category,
                   bool is) {
    while (at < end && (items[at].category == category) != is) at++;
    return at;
}

/* The next panels, and those that their rows may meet. */
static void next_panels(const akin_sample *s, akin_sample_run *r) {
    akin_row_span spans[AKIN_ROW_RULES_SLOTS];
    size_t n = akin_row_block_count(s->block), m = akin_row_block_count(s->among), found = 0,
           first = r->first / AKIN_ROW_BLOCK_PANEL, end = first + TOGETHER;
    if (end > akin_row_block_panels(s->block)) end = akin_row_block_panels(s->block);
    span_panels(s, first, end, spans);
    r->end = end * AKIN_ROW_BLOCK_PANEL < n ? end * AKIN_ROW_BLOCK_PANEL : n;
    r->among_first = r->among_end = 0;
    for (size_t p = 0; p < akin_row_block_panels(s->among); p++) {
        size_t at = p * AKIN_ROW_BLOCK_PANEL, rows = m - at;
        if (!akin_row_rules_possible(s->rules->more, spans,
                                     akin_row_block_summaries(s->among)[p].span))
            continue;
        s->panel[found++] = (uint32_t)p;
        r->among_end += rows < AKIN_ROW_BLOCK_PANEL ? rows : AKIN_ROW_BLOCK_PANEL;
    }
}

bool akin_sample_next_run(const akin_sample *s, akin_sample_run *r) {
    const akin_row_block_item *items = akin_row_block_items(s->block),
                              *others = akin_row_block_items(s->among);
    size_t n = akin_row_block_count(s->block), m = akin_row_block_count(s->among);
    r->first = r->end;
    if (r->first == n) return false;
    if (akin_sample_asks_panels(s->rules)) {
        next_panels(s, r);
        return true;
    }
    if (!s->rules->same_category) {
        r->end = n, r->among_first = 0, r->among_end = m;
        return true;
    }
    int32_t category = items[r->first].category;
    r->end = seek(items, r->end, n, category, false);
    r->among_first = seek(others, r->among_end < m ? r->among_end : 0, m, category, true);
    if (r->among_first == m)
        r->among_first = seek(others, 0, m, category, true); /* it is not after the previous
                                                              * one's */
    r->among_end = seek(others, r->among_first, m, category, false);
    return true;
}

size_t akin_sample_wanted_of(const akin_sample *s, size_t rows, bool proven) {
    size_t wanted = akin_sample_wanted(rows, s->k, proven);
    if (akin_sample_asks_panels(s->rules) && ALLOWED * wanted <= rows / AKIN_SAMPLE_SHARE)
        wanted *= ALLOWED;
    return wanted;
}

akin_status akin_sample_begin(akin_sample *s, size_t rows, bool proven) {
    size_t most = akin_sample_wanted(rows, s->k, proven);
    if (akin_sample_asks_panels(s->rules)) most *= ALLOWED;
    s->masks = s->rules->more != NULL || s->rules->exclude_same_group;
    s->items = akin_mem_alloc(most, sizeof *s->items);
    s->panel = akin_mem_alloc(akin_row_block_panels(s->among), sizeof *s->panel);
    s->rows = akin_mem_alloc(most, s->stride * sizeof *s->rows);
    s->scores = akin_mem_alloc(width_of(most), AT_ONCE * sizeof *s->scores);
    s->offsets = akin_mem_alloc(2 * most, sizeof *s->offsets);
    s->high = akin_mem_alloc(2 * most, sizeof *s->high);
    if (akin_sample_asks_panels(s->rules))
        s->some = akin_mem_alloc(most, s->stride * sizeof *s->some);
    if (s->offsets && s->high) s->offsets_of = s->offsets + most, s->index = s->high + most;
    return s->rows && s->scores && s->offsets && s->high && s->items && s->panel &&
                   (s->some || !akin_sample_asks_panels(s->rules))
               ? AKIN_OK
               : AKIN_FAILED;
}

void akin_sample_end(akin_sample *s) {
    akin_row_block_free(s->sketched);
    akin_mem_free(s->of_mean);
    akin_mem_free(s->exact);
    akin_mem_free(s->asked);
    akin_mem_free(s->rows);
    akin_mem_free(s->scores);
    akin_mem_free(s->offsets);
    akin_mem_free(s->high);
    akin_mem_free(s->some);
    akin_mem_free(s->items);
    akin_mem_free(s->panel);
}

bool akin_sample_pays(size_t rows, const akin_row_block_rules *rules, size_t k, bool proven,
                      bool several) {
    const akin_row_rules *more = rules->more;
    bool plain = more == NULL || more->limits == NULL;
    double share =
        1; /* of all pairs that are compared; of few the sample costs more than it saves */
    for (int o = 0; more != NULL && o < more->orders; o++) share *= more->share[o];
    plain = plain && share > (several ? LEAST_SHARE_OF_SEVERAL : LEAST_SHARE);
    return plain && rules->layers == 0 && akin_sample_wanted(rows, k, proven) > 0;
}
