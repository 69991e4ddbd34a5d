/* thresholds: thresholds that are tight from the start. */
#include "thresholds.h"
#include "sample.h"
#include <akin/compare.h>
#include <akin/mem.h>
#include <akin/topk.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    TRIALS = 512,     /* rows whose lists tell g, at most */
    TRIAL_SHARE = 64, /* and at most this part of the rows */
    EXCEPTIONS = 256  /* one in so many has a larger g */
};

akin_status akin_thresholds_prove(akin_row_block *block, const akin_row_block *among,
                                  const akin_row_block_rules *rules) {
    akin_sample s = {rules, block, among, .stride = akin_row_block_stride(block),
                     .k = akin_row_block_k(block)};
    const size_t rows = akin_row_block_count(among);
    if (!akin_sample_pays(rows, rules, s.k, true, false)) return AKIN_OK;
    akin_status status = akin_sample_begin(&s, rows, true);
    for (akin_sample_run r = {0}; status == AKIN_OK && akin_sample_next_run(&s, &r);) {
        akin_sample_choose(&s, &r, akin_sample_wanted_of(&s, r.among_end - r.among_first, true));
        if (s.count > s.k) akin_sample_raise(&s, r.first, r.end, s.k + 1, 1);
    }
    akin_sample_end(&s);
    return status;
}

/* --- prediction --- */

/* A rank in the sample that the k best of `rows` rows hardly ever exceed; a row may be in its own
 * sample. */
static size_t rank_of(const akin_sample *s, size_t rows, size_t k) {
    double share = (double)s->count / (double)rows, mean = share * (double)k;
    size_t rank = (size_t)(mean + 2 * sqrt(mean) + 2);
    return rank < k + 1 ? rank : k + 1;
}

static int ascending(const void *x, const void *y) {
    float a = *(const float *)x, b = *(const float *)y;
    return (a > b) - (a < b);
}

/* How much wider the neighbourhood of a row's last neighbour in the sample is than that of its last of
 * all, in some rows. */
typedef struct {
    akin_row_block_rules rules; /* of lists that are full, also where a high score is required */
    akin_row_block *some;
    akin_compare *compare;
    float *ratios; /* [count] */
} trial;

static size_t trials_of(size_t rows) {
    return rows / TRIAL_SHARE < TRIALS ? rows / TRIAL_SHARE : TRIALS;
}

static akin_status begin_trial(const akin_sample *s, size_t count, trial *t) {
    akin_status status = AKIN_FAILED;
    t->rules = *s->rules;
    t->rules.min_score = -1;
    if ((t->ratios = akin_mem_alloc(count, sizeof *t->ratios)) == NULL) goto done;
    AKIN_TRY(akin_compare_create(&t->rules, &t->compare));
    AKIN_TRY(akin_row_block_create(count, akin_row_block_dim(s->block), s->k, AKIN_ROW_BLOCK_ROWS,
                                   &t->some));
    AKIN_TRY(akin_row_block_lead(t->some, akin_row_block_leading(s->block)));
    akin_row_block_begin(t->some, count);
    status = AKIN_OK;
done:
    return status;
}

static void end_trial(trial *t) {
    akin_mem_free(t->ratios);
    akin_compare_free(t->compare);
    akin_row_block_free(t->some);
}

/* How far the score of the last one is from the highest. */
static float distance_of(const akin_sample *s, uint64_t key) {
    return s->top - akin_topk_score(key);
}

/* The rows' distances in the sample, then their lists of some panels of this block. */
static void run_trial(const akin_sample *s, trial *t, size_t first, size_t end) {
    akin_sample of = *s;
    of.rules = &t->rules, of.block = t->some;
    size_t count = akin_row_block_count(t->some);
    akin_row_block_ready(t->some, &t->rules);
    akin_sample_raise(&of, 0, count, s->k + 1, 1);
    for (size_t i = 0; i < count; i++)
        t->ratios[i] = distance_of(s, akin_topk_bar(akin_row_block_list(t->some, i)));
    akin_row_block_rest(s->block, true);
    akin_compare_panels(t->compare, t->some, 0, akin_row_block_panels(t->some), s->block, first,
                        end);
    akin_row_block_rest(s->block, false);
}

static float ratio_of(float last, float proven) {
    return proven > 0 ? last / proven : 0;
}

/* g, from all ratios; sorts them. */
static float common_ratio(float *ratios, size_t count) {
    qsort(ratios, count, sizeof *ratios, ascending);
    return ratios[count - 1 - count / EXCEPTIONS];
}

/* Computes the lists of some rows of a run, and from them g. */
static akin_status try_some(const akin_sample *s, const akin_sample_run *r, float *g) {
    akin_status status = AKIN_OK;
    size_t rows = r->end - r->first, count = trials_of(rows);
    trial t = {.some = NULL};
    AKIN_TRY(begin_trial(s, count, &t));
    for (size_t i = 0; i < count; i++) {
        size_t at = r->first + i * rows / count;
        akin_row_block_set(t.some, i, akin_row_block_items(s->block)[at],
                           akin_row_block_row(s->block, at));
    }
    bool all = akin_sample_asks_panels(s->rules);
    run_trial(s, &t, all ? 0 : r->first / AKIN_ROW_BLOCK_PANEL,
              all ? akin_row_block_panels(s->block)
                  : (r->end + AKIN_ROW_BLOCK_PANEL - 1) / AKIN_ROW_BLOCK_PANEL);
    for (size_t i = 0; i < count; i++)
        t.ratios[i] =
            ratio_of(distance_of(s, akin_topk_bar(akin_row_block_list(t.some, i))), t.ratios[i]);
    *g = common_ratio(t.ratios, count);
done:
    end_trial(&t);
    return status;
}

/* Hardly ever are more of the k best of all blocks in one of them. */
static size_t share_of(size_t k, size_t blocks) {
    double mean = (double)k / (double)blocks;
    size_t most = (size_t)(mean + 2 * sqrt(mean) + 2);
    return most < k ? most : k;
}

/* Each block for itself. As rows are dealt one by one, each of the other blocks has as many that a row
 * may meet: a sample of this block's rows is one of all, as far as they go. */
static akin_status foretell_apart(akin_row_block *block, size_t blocks, bool several,
                                  const akin_row_block_rules *rules) {
    const size_t rows = akin_row_block_count(block) * blocks, k = akin_row_block_k(block);
    akin_sample s = {rules, block, block, .stride = akin_row_block_stride(block), .k = k};
    if (!akin_sample_pays(rows, rules, k, false, several)) return AKIN_OK;
    akin_status status = akin_sample_begin(&s, rows, false);
    for (akin_sample_run r = {0}; status == AKIN_OK && akin_sample_next_run(&s, &r);) {
        const size_t own = r.among_end - r.among_first, all = own * blocks;
        s.k = k;
        size_t wanted = akin_sample_wanted_of(&s, all, false);
        bool dense = wanted == all / AKIN_SAMPLE_SHARE;
        float g = 1;
        if (!dense) {
            s.k = share_of(k, blocks);
            wanted = akin_sample_wanted_of(&s, own, false);
        }
        akin_sample_choose(&s, &r, wanted < own ? wanted : own);
        size_t rank = dense ? rank_of(&s, all, k) : s.k + 1;
        if (s.count < rank || s.count == 0) continue;
        if (!dense) status = try_some(&s, &r, &g);
        if (status == AKIN_OK) akin_sample_raise(&s, r.first, r.end, rank, g);
    }
    akin_sample_end(&s);
    return status;
}

/* --- prediction, all blocks together --- */

/* Rows of all blocks, the same on all ranks. */
typedef struct {
    akin_row_block_item *items; /* [count] */
    float *rows;                /* [count, stride] */
    size_t count;
    size_t *offsets; /* [size + 1]: of those of each rank */
} gathered;

static void free_gathered(gathered *g) {
    akin_mem_free(g->items);
    akin_mem_free(g->rows);
    akin_mem_free(g->offsets);
    *g = (gathered){NULL};
}

/* This block's of `wanted` rows at equal distances in all blocks; returns how many. */
static size_t spread(const akin_row_block *block, akin_thresholds_place place, size_t wanted,
                     bool available, akin_row_block_item *items, float *rows) {
    size_t found = 0, count = akin_row_block_count(block), stride = akin_row_block_stride(block);
    for (size_t j = 0; j < wanted; j++) {
        size_t at = j * place.all / wanted - place.before; /* wraps for rows of those before */
        if (at >= count || (available && !akin_row_block_items(block)[at].available)) continue;
        items[found] = akin_row_block_items(block)[at];
        memcpy(rows + found++ * stride, akin_row_block_row(block, at), stride * sizeof *rows);
    }
    return found;
}

/* So many rows of all blocks; those that are available alone where `available`. Collective; agreed. */
static akin_status gather_rows(akin_comm *comm, const akin_row_block *block,
                               akin_thresholds_place place, size_t wanted, bool available,
                               gathered *out) {
    akin_status status = AKIN_FAILED;
    size_t size = (size_t)akin_comm_size(comm), stride = akin_row_block_stride(block);
    akin_row_block_item *items = akin_mem_alloc(wanted, sizeof *items);
    float *rows = akin_mem_alloc(wanted, stride * sizeof *rows);
    out->offsets = akin_mem_alloc(size + 1, sizeof *out->offsets);
    AKIN_TRY(akin_agree(comm, items && rows && out->offsets ? AKIN_OK : AKIN_FAILED));
    size_t found = spread(block, place, wanted, available, items, rows);
    AKIN_TRY(
        akin_comm_gather(comm, rows, found * stride * sizeof *rows, -1, (void **)&out->rows, NULL));
    AKIN_TRY(akin_comm_gather(comm, items, found * sizeof *items, -1, (void **)&out->items,
                              out->offsets));
    for (size_t r = 0; r <= size; r++) out->offsets[r] /= sizeof *items;
    out->count = out->offsets[size];
done:
    akin_mem_free(items);
    akin_mem_free(rows);
    return status;
}

static int descending(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a < b) - (a > b);
}

/* The ratios of this rank's rows [first, first + count) of a trial, from their lists of every block. */
static akin_status join_ratios(akin_comm *comm, const akin_sample *s, trial *t,
                               const gathered *of) {
    akin_status status = AKIN_OK;
    const size_t size = (size_t)akin_comm_size(comm), rank = (size_t)akin_comm_rank(comm),
                 words = akin_topk_words(s->k), first = of->offsets[rank],
                 count = of->offsets[rank + 1] - first;
    size_t received = 0, *send = akin_mem_alloc(size, sizeof *send);
    uint64_t *lists = NULL, *joined = akin_mem_alloc(size * s->k, sizeof *joined);
    AKIN_TRY(akin_agree(comm, send != NULL && joined != NULL ? AKIN_OK : AKIN_FAILED));
    for (size_t r = 0; r < size; r++) send[r] = of->offsets[r + 1] - of->offsets[r];
    for (size_t i = 0; i < of->count; i++) akin_topk_sort(akin_row_block_list(t->some, i), s->k);
    AKIN_TRY(akin_comm_exchange(comm, akin_row_block_lists(t->some), send, words * sizeof *lists,
                                (void **)&lists, &received));
    for (size_t i = 0; i < count; i++) {
        for (size_t r = 0; r < size; r++)
            memcpy(joined + r * s->k, lists + (r * count + i) * words, s->k * sizeof *joined);
        qsort(joined, size * s->k, sizeof *joined, descending);
        float proven = t->ratios[first + i];
        t->ratios[i] =
            ratio_of(joined[s->k - 1] != 0 ? distance_of(s, joined[s->k - 1]) : proven, proven);
    }
done:
    akin_mem_free(send);
    akin_mem_free(joined);
    akin_mem_free(lists);
    return status;
}

/* As try_some, of all blocks. Collective; agreed. */
static akin_status try_together(akin_comm *comm, const akin_sample *s, akin_thresholds_place place,
                                float *g) {
    akin_status status = AKIN_OK;
    trial t = {.some = NULL};
    gathered rows = {NULL};
    float *ratios = NULL;
    int rank = akin_comm_rank(comm);
    AKIN_TRY(gather_rows(comm, s->block, place, trials_of(place.all), false, &rows));
    AKIN_TRY(akin_agree(comm, begin_trial(s, rows.count, &t)));
    for (size_t i = 0; i < rows.count; i++)
        akin_row_block_set(t.some, i, rows.items[i], rows.rows + i * s->stride);
    run_trial(s, &t, 0, akin_row_block_panels(s->block));
    AKIN_TRY(join_ratios(comm, s, &t, &rows));
    AKIN_TRY(akin_comm_gather(comm, t.ratios,
                              (rows.offsets[rank + 1] - rows.offsets[rank]) * sizeof *ratios, -1,
                              (void **)&ratios, NULL));
    *g = common_ratio(ratios, rows.count);
done:
    akin_mem_free(ratios);
    free_gathered(&rows);
    end_trial(&t);
    return status;
}

/* Collective; agreed. */
static akin_status foretell_together(akin_comm *comm, akin_row_block *block,
                                     akin_thresholds_place place,
                                     const akin_row_block_rules *rules) {
    akin_status status = AKIN_OK;
    akin_sample s = {rules, block, block, .stride = akin_row_block_stride(block),
                     .k = akin_row_block_k(block)};
    const size_t wanted = akin_sample_wanted(place.all, s.k, false);
    gathered rows = {NULL};
    float g = 1;
    AKIN_TRY(akin_agree(comm, akin_sample_begin(&s, place.all, false)));
    AKIN_TRY(gather_rows(comm, block, place, wanted, rules->only_available, &rows));
    s.count = rows.count;
    memcpy(s.rows, rows.rows, rows.count * s.stride * sizeof *s.rows);
    memcpy(s.items, rows.items, rows.count * sizeof *s.items);
    akin_sample_take_offsets(&s);
    AKIN_TRY(akin_agree(comm, s.count > 0 ? akin_sample_sketch(&s) : AKIN_OK));
    bool dense = wanted == place.all / AKIN_SAMPLE_SHARE;
    size_t rank = dense ? rank_of(&s, place.all, s.k) : s.k + 1;
    if (s.count < rank || s.count == 0) goto done;
    if (!dense) AKIN_TRY(try_together(comm, &s, place, &g));
    akin_sample_raise(&s, 0, akin_row_block_count(block), rank, g);
done:
    free_gathered(&rows);
    akin_sample_end(&s);
    return status;
}

akin_status akin_thresholds_foretell(akin_comm *comm, akin_row_block *block,
                                     akin_thresholds_place place,
                                     const akin_row_block_rules *rules) {
    if (rules->same_category || akin_sample_asks_panels(rules))
        return akin_agree(
            comm, foretell_apart(block, (size_t)akin_comm_size(comm), place.several, rules));
    if (!akin_sample_pays(place.all, rules, akin_row_block_k(block), false, place.several))
        return AKIN_OK;
    return foretell_together(comm, block, place, rules);
}
