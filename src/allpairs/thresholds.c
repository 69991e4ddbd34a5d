/* thresholds: thresholds that are tight from the start. */
#include "thresholds.h"
#include <akin/compare.h>
#include <akin/dot.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <akin/topk.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 2 * AKIN_ROW_BLOCK_PANEL, /* rows in a product of matrices */
    PER_ENTRY = 32,                     /* rows of the sample for an entry of a list */
    SHARE = 8,                          /* at most this part of the rows */
    TRIALS = 512,                       /* rows whose lists tell g, at most */
    TRIAL_SHARE = 64,                   /* and at most this part of the rows */
    EXCEPTIONS = 256,                   /* one in so many has a larger g */
    TOGETHER = 64,                      /* panels that have one sample, where rules are asked */
    AT_FIRST = 4,                       /* times the rank: the best of a sample that are asked */
    ALLOWED = 2,                        /* so many times the rows are sampled for rules */
    FEWEST = 32                         /* rows that foretell anything */
};
#define PRECISION 0x1p-10f
#define LEAST_SHARE 0.1

typedef struct {
    const akin_row_block_rules *rules;
    akin_row_block *block;
    const akin_row_block *among;
    size_t count, stride, k;
    bool masks;      /* some pairs of a row and the sample may not meet */
    size_t *at;      /* [count]: positions in `among` */
    uint32_t *panel; /* panels of `among` that the rows of a run may meet, where rules are asked */
    float *rows;     /* [count, stride] */
    float *scores;   /* [AT_ONCE, count] */
    float guess;
} sample;

/* Rows of a block, and those of the other that they may meet. */
typedef struct {
    size_t first, end, among_first, among_end;
} run;

/* Whether the rules are asked of panels: then not those of a category stand together. */
static bool asks_panels(const akin_row_block_rules *rules) {
    return rules->more != NULL && !rules->same_category;
}

/* Rows at equal distances, so that all clusters have their part; only such as may be neighbours. */
static void choose(sample *s, const run *r, size_t wanted) {
    const akin_row_block_item *items = akin_row_block_items(s->among);
    s->count = 0;
    for (size_t j = 0; j < wanted; j++) {
        size_t i = r->among_first + j * (r->among_end - r->among_first) / wanted;
        if (asks_panels(s->rules)) /* i counts in those panels alone */
            i = s->panel[i / AKIN_ROW_BLOCK_PANEL] * (size_t)AKIN_ROW_BLOCK_PANEL +
                i % AKIN_ROW_BLOCK_PANEL;
        if (s->rules->only_available && !items[i].available) continue;
        memcpy(s->rows + s->count * s->stride, akin_row_block_row(s->among, i),
               s->stride * sizeof *s->rows);
        s->at[s->count++] = i;
    }
}

/* A value that `rank` of the scores reach, at most PRECISION below the largest such value.
 * Adjacent rows require about the same, so the search starts from `guess`, in steps that double. */
static float reached_by(const float *scores, size_t count, size_t rank, float guess) {
    float low, high, step = 16 * PRECISION;
    if (akin_dot()->at_least(scores, count, guess) >= rank) {
        for (low = guess; akin_dot()->at_least(scores, count, high = low + step) >= rank; step *= 2)
            low = high;
    } else {
        for (high = guess; akin_dot()->at_least(scores, count, low = high - step) < rank; step *= 2)
            high = low;
    }
    while (high - low > PRECISION) {
        float middle = (low + high) / 2;
        if (akin_dot()->at_least(scores, count, middle) >= rank)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Takes out the scores from `least` on of rows that this one may not meet; returns how many are left. */
static size_t mask(const sample *s, size_t row, float *scores, float least) {
    const akin_row_block_item *items = akin_row_block_items(s->among),
                              *own = akin_row_block_items(s->block) + row;
    size_t left = 0;
    for (size_t j = 0; j < s->count; j++) {
        if (scores[j] < least) continue;
        bool may = akin_row_block_may_meet(s->rules, own, &items[s->at[j]]);
        scores[j] = may ? scores[j] : -INFINITY;
        left += may;
    }
    return left;
}

/* What `rank` of the rows reach that this one may meet: the best ones are asked first. False: there are
 * too few. */
static bool reached_by_allowed(sample *s, size_t row, float *scores, size_t rank, float *out) {
    size_t best = AT_FIRST * rank;
    bool all = best >= s->count;
    float least = all ? -INFINITY : reached_by(scores, s->count, best, s->guess);
    if (mask(s, row, scores, least) < rank && (all || mask(s, row, scores, -2) < rank))
        return false;
    *out = reached_by(scores, s->count, rank, s->guess);
    return true;
}

/* What `rank` rows of the sample reach, for rows of the block; they require 1 - g (1 - that). */
static void raise_rows(sample *s, size_t first, size_t end, size_t rank, float g) {
    const float hidden = (float)(2 * akin_dot_bound(akin_row_block_dim(s->block)) + 0x1p-20);
    for (; first < end; first += AT_ONCE) {
        size_t count = first + AT_ONCE < end ? AT_ONCE : end - first;
        akin_linalg_product((akin_linalg_shape){count, s->count, s->stride, AKIN_TURN_B},
                            akin_row_block_row(s->block, first), s->rows, s->scores);
        for (size_t i = 0; i < count; i++) {
            float score, *scores = s->scores + i * s->count;
            if (!s->masks)
                score = reached_by(scores, s->count, rank, s->guess);
            else if (!reached_by_allowed(s, first + i, scores, rank, &score))
                continue;
            s->guess = score;
            score = 1 - g * (1 - score) - hidden;
            if (score > -1)
                akin_row_block_raise(s->rules, s->block, first + i, score < 1 ? score : 1);
        }
    }
}

/* How many rows of this many to sample; 0: it does not pay. */
static size_t wanted_of(size_t rows, size_t k, bool proven) {
    size_t wanted = k * PER_ENTRY < rows / SHARE ? k * PER_ENTRY : rows / SHARE;
    return wanted >= (proven ? 4 * k : FEWEST) ? wanted : 0;
}

/* The first position from `at` on where being of the category is as `is` says; end: there is
 * none. */
static size_t seek(const akin_row_block_item *items, size_t at, size_t end, int32_t category,
                   bool is) {
    while (at < end && (items[at].category == category) != is) at++;
    return at;
}

/* What the rows of some panels have. */
static void span_panels(const sample *s, size_t first, size_t end, akin_row_span *spans) {
    const akin_row_block_summary *panels = akin_row_block_summaries(s->block);
    for (int slot = 0; slot < s->rules->more->slots; slot++) {
        spans[slot] = akin_row_span_none();
        for (size_t p = first; p < end; p++)
            akin_row_span_join(&spans[slot], &panels[p].span[slot]);
    }
}

/* The next panels, and those that their rows may meet. */
static void next_panels(const sample *s, run *r) {
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

/* The next rows of the block that may meet each other, and theirs of the other; false: there are no
 * more. */
static bool next_run(const sample *s, run *r) {
    const akin_row_block_item *items = akin_row_block_items(s->block),
                              *others = akin_row_block_items(s->among);
    size_t n = akin_row_block_count(s->block), m = akin_row_block_count(s->among);
    r->first = r->end;
    if (r->first == n) return false;
    if (asks_panels(s->rules)) {
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

static size_t sample_of(const sample *s, const run *r, bool proven) {
    size_t rows = r->among_end - r->among_first, wanted = wanted_of(rows, s->k, proven);
    if (asks_panels(s->rules) && ALLOWED * wanted <= rows / SHARE) wanted *= ALLOWED;
    return wanted;
}

static akin_status begin(sample *s) {
    size_t most = wanted_of(akin_row_block_count(s->among), s->k, false);
    if (asks_panels(s->rules)) most *= ALLOWED;
    s->masks = s->rules->more != NULL || s->rules->exclude_same_group;
    s->at = akin_mem_alloc(most, sizeof *s->at);
    s->panel = akin_mem_alloc(akin_row_block_panels(s->among), sizeof *s->panel);
    s->rows = akin_mem_alloc(most, s->stride * sizeof *s->rows);
    s->scores = akin_mem_alloc(most, AT_ONCE * sizeof *s->scores);
    return s->rows && s->scores && s->at && s->panel ? AKIN_OK : AKIN_FAILED;
}

static void end(sample *s) {
    akin_mem_free(s->rows);
    akin_mem_free(s->scores);
    akin_mem_free(s->at);
    akin_mem_free(s->panel);
}

static bool pays(const akin_row_block *among, const akin_row_block_rules *rules, size_t k,
                 bool proven) {
    const akin_row_rules *more = rules->more;
    bool plain = more == NULL || (more->limits == NULL && more->offset == NULL);
    double share =
        1; /* of all pairs that are compared; of few the sample costs more than it saves */
    for (int o = 0; more != NULL && o < more->orders; o++) share *= more->share[o];
    plain = plain && share > LEAST_SHARE;
    return plain && rules->layers == 0 && wanted_of(akin_row_block_count(among), k, proven) > 0;
}

akin_status akin_thresholds_prove(akin_row_block *block, const akin_row_block *among,
                                  const akin_row_block_rules *rules) {
    sample s = {rules, block, among, .stride = akin_row_block_stride(block),
                .k = akin_row_block_k(block)};
    if (!pays(among, rules, s.k, true)) return AKIN_OK;
    akin_status status = begin(&s);
    for (run r = {0}; status == AKIN_OK && next_run(&s, &r);) {
        choose(&s, &r, sample_of(&s, &r, true));
        if (s.count > s.k) raise_rows(&s, r.first, r.end, s.k + 1, 1);
    }
    end(&s);
    return status;
}

/* --- prediction --- */

/* A rank in the sample that the k best of all rows hardly ever exceed; a row may be in its own
 * sample. */
static size_t rank_of(const sample *s, const run *r) {
    double share = (double)s->count / (double)(r->among_end - r->among_first),
           mean = share * (double)s->k;
    size_t rank = (size_t)(mean + 2 * sqrt(mean) + 2);
    return rank < s->k + 1 ? rank : s->k + 1;
}

static int ascending(const void *x, const void *y) {
    float a = *(const float *)x, b = *(const float *)y;
    return (a > b) - (a < b);
}

/* Computes the lists of some rows of a run, and from them g. */
static akin_status try_some(const sample *s, const run *r, float *g) {
    akin_status status = AKIN_FAILED;
    akin_row_block *some = NULL;
    akin_compare *compare = NULL;
    akin_row_block_rules rules = *s->rules;
    rules.min_score = -1; /* for lists that are full, also where so high a score is asked */
    size_t rows = r->end - r->first,
           trials = rows / TRIAL_SHARE < TRIALS ? rows / TRIAL_SHARE : TRIALS;
    float *ratios = akin_mem_alloc(trials, sizeof *ratios);
    if (ratios == NULL) goto done;
    AKIN_TRY(akin_compare_create(&rules, &compare));
    AKIN_TRY(akin_row_block_create(trials, akin_row_block_dim(s->block), s->k, AKIN_ROW_BLOCK_ROWS,
                                   &some));
    akin_row_block_begin(some, trials);
    for (size_t t = 0; t < trials; t++) {
        size_t i = r->first + t * rows / trials;
        akin_row_block_set(some, t, akin_row_block_items(s->block)[i],
                           akin_row_block_row(s->block, i));
    }
    akin_row_block_ready(some, &rules);
    AKIN_TRY(akin_thresholds_prove(some, s->block, &rules));
    for (size_t t = 0; t < trials; t++)
        ratios[t] = 1 - akin_topk_score(akin_topk_bar(akin_row_block_list(some, t)));
    akin_row_block_rest(s->block, true);
    bool all = asks_panels(s->rules);
    akin_compare_panels(compare, some, 0, akin_row_block_panels(some), s->block,
                        all ? 0 : r->first / AKIN_ROW_BLOCK_PANEL,
                        all ? akin_row_block_panels(s->block)
                            : (r->end + AKIN_ROW_BLOCK_PANEL - 1) / AKIN_ROW_BLOCK_PANEL);
    akin_row_block_rest(s->block, false);
    for (size_t t = 0; t < trials; t++) {
        float last = 1 - akin_topk_score(akin_topk_bar(akin_row_block_list(some, t)));
        ratios[t] = ratios[t] > 0 ? last / ratios[t] : 0;
    }
    qsort(ratios, trials, sizeof *ratios, ascending);
    *g = ratios[trials - 1 - trials / EXCEPTIONS];
    status = AKIN_OK;
done:
    akin_mem_free(ratios);
    akin_compare_free(compare);
    akin_row_block_free(some);
    return status;
}

/* Hardly ever are more of the k best of all blocks in one of them. */
static size_t share_of(size_t k, size_t blocks) {
    double mean = (double)k / (double)blocks;
    size_t most = (size_t)(mean + 2 * sqrt(mean) + 2);
    return most < k ? most : k;
}

akin_status akin_thresholds_foretell(akin_row_block *block, size_t blocks,
                                     const akin_row_block_rules *rules) {
    sample s = {rules, block, block, .stride = akin_row_block_stride(block),
                .k = share_of(akin_row_block_k(block), blocks)};
    if (!pays(block, rules, s.k, false)) return AKIN_OK;
    akin_status status = begin(&s);
    for (run r = {0}; status == AKIN_OK && next_run(&s, &r);) {
        size_t wanted = sample_of(&s, &r, false);
        float g = 1;
        choose(&s, &r, wanted);
        bool dense = wanted == (r.among_end - r.among_first) / SHARE;
        size_t rank = dense ? rank_of(&s, &r) : s.k + 1;
        if (s.count < rank || s.count == 0) continue;
        if (!dense) status = try_some(&s, &r, &g);
        if (status == AKIN_OK) raise_rows(&s, r.first, r.end, rank, g);
    }
    end(&s);
    return status;
}
