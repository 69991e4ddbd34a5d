/* outliers: categories whose lists are not what a shop expects. */
#include "by_rule.h"
#include <akin/evaluate.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 1024, LEAST_LEAVING = 20, LEAST_FAR = 10 };
static const double LEAST_GAP = 0.02; /* of scores; twice what the message shows of them */

/* An item that has a category and a neighbour. */
typedef struct {
    float best;
    int32_t category;
} scored;

typedef struct {
    size_t items, leaving, passed;
    float median; /* of their best scores */
} tally;

typedef struct {
    const akin_table *table;
    const int32_t *category; /* [items] */
    const int32_t *target; /* [targets]: of what stands in lists; the same but for two catalogues */
    int32_t *read;         /* owned, of the other catalogue; NULL: there is none */
    size_t items, category_count;
    bool by_rule;    /* the rules choose the neighbours' category */
    tally *tallies;  /* [category_count] */
    scored *scores;  /* [score_count], ascending by score in the end */
    uint8_t *leaves; /* [items] */
    size_t score_count;
    int32_t *neighbor, *counts, *filled; /* of ROWS items */
    float *score;
} search;

/* --- the pass over all lists --- */

static void see_list(search *s, size_t row, const int32_t *neighbor, const float *score,
                     size_t count) {
    int32_t own = s->category[row];
    if (own < 0 || count == 0) return;
    bool stays = s->by_rule;
    for (size_t i = 0; i < count && !stays; i++) stays = s->target[neighbor[i]] == own;
    s->tallies[own].items++;
    s->tallies[own].leaving += !stays;
    s->leaves[row] = !stays;
    s->scores[s->score_count++] = (scored){score[0], own};
}

typedef void (*use_list)(search *s, size_t row, const int32_t *neighbor, const float *score,
                         size_t count, void *context);

static akin_status for_lists(search *s, use_list use, void *context) {
    akin_status status = AKIN_OK;
    size_t k = akin_table_k(s->table);
    for (size_t first = 0; first < s->items; first += ROWS) {
        size_t count = s->items - first < ROWS ? s->items - first : ROWS;
        AKIN_TRY(akin_table_rows(s->table, first, count, s->neighbor, s->score, s->counts));
        AKIN_TRY(akin_table_filled(s->table, first, count, s->filled));
        for (size_t i = 0; i < count; i++)
            use(s, first + i, s->neighbor + i * k, s->score + i * k,
                (size_t)(s->counts[i] - s->filled[i]), context);
    }
done:
    return status;
}

static void use_for_tallies(search *s, size_t row, const int32_t *neighbor, const float *score,
                            size_t count, void *context) {
    (void)context;
    see_list(s, row, neighbor, score, count);
}

/* --- what stands out --- */

static int by_score(const void *left, const void *right) {
    const scored *a = left, *b = right;
    if (a->best != b->best) return a->best < b->best ? -1 : 1;
    return (a->category > b->category) - (a->category < b->category);
}

/* The medians of the categories' best scores. */
static void find_medians(search *s) {
    for (size_t i = 0; i < s->score_count; i++) {
        tally *own = &s->tallies[s->scores[i].category];
        if (own->passed++ == own->items / 2) own->median = s->scores[i].best;
    }
}

/* What 95 % of the items of other categories reach; NaN if the median is not well below that. */
static double reach_of_others(const search *s, const akin_outlier *it) {
    size_t others = s->score_count - it->items, seen = 0, low = others / 20;
    size_t most = low + it->items; /* it is not behind that */
    double reached = it->best + LEAST_GAP;
    if (others == 0 ||
        reached > (double)s->scores[most < s->score_count ? most : s->score_count - 1].best)
        return NAN;
    for (size_t i = 0; i < s->score_count; i++)
        if (s->scores[i].category != it->category && seen++ == low)
            return reached <= (double)s->scores[i].best ? (double)s->scores[i].best : NAN;
    return NAN;
}

static bool stands_out(const search *s, const akin_outliers *all, akin_outlier *it) {
    double whole = (double)all->leaving / (double)all->lists,
           share = (double)it->leaving / (double)it->items;
    it->leaves = it->items >= LEAST_LEAVING && share > 0.5 && share > 2 * whole;
    it->best = (double)s->tallies[it->category].median;
    it->others = it->items >= LEAST_FAR ? reach_of_others(s, it) : NAN;
    it->far = !isnan(it->others);
    return it->leaves || it->far;
}

/* The categories with the most affected items. */
static void keep(akin_outliers *out, const akin_outlier *it) {
    size_t at = out->count;
    size_t weight = it->far ? it->items : it->leaving;
    while (at > 0 && (out->worst[at - 1].far ? out->worst[at - 1].items
                                             : out->worst[at - 1].leaving) < weight)
        at--;
    if (at == AKIN_OUTLIERS_MOST) return;
    if (out->count < AKIN_OUTLIERS_MOST) out->count++;
    memmove(out->worst + at + 1, out->worst + at, (out->count - at - 1) * sizeof *out->worst);
    out->worst[at] = *it;
}

/* --- what those lists hold instead --- */

typedef struct {
    const akin_outliers *out;
    size_t *held; /* [count, category_count] */
} holding;

static void use_for_holding(search *s, size_t row, const int32_t *neighbor, const float *score,
                            size_t count, void *context) {
    holding *it = context;
    (void)score;
    if (!s->leaves[row]) return;
    for (size_t o = 0; o < it->out->count; o++) {
        if (it->out->worst[o].category != s->category[row]) continue;
        for (size_t i = 0; i < count; i++) {
            int32_t other = s->target[neighbor[i]];
            if (other >= 0) it->held[o * s->category_count + (size_t)other]++;
        }
    }
}

static akin_status name_instead(search *s, akin_outliers *out) {
    holding it = {.out = out,
                  .held = akin_mem_zalloc(out->count * s->category_count, sizeof *it.held)};
    if (!it.held) return AKIN_FAILED;
    akin_status status = for_lists(s, use_for_holding, &it);
    for (size_t o = 0; o < out->count; o++) {
        size_t most = 0;
        for (size_t c = 0; c < s->category_count; c++) {
            size_t held = it.held[o * s->category_count + c];
            if (held > most) most = held, out->worst[o].instead = (int32_t)c;
        }
    }
    akin_mem_free(it.held);
    return status;
}

/* --- the search --- */

/* The categories of the other catalogue. */
static akin_status read_targets(search *s) {
    akin_status status;
    const akin_ncfile *file = akin_table_file(s->table);
    size_t count = akin_table_targets(s->table);
    s->target = s->read = akin_mem_alloc(count, sizeof *s->read);
    if (!s->read) return AKIN_FAILED;
    AKIN_TRY(akin_ncfile_get(file, "target_category", 0, count, s->read));
    for (size_t t = 0; t < count; t++)
        if (s->read[t] < -1 || s->read[t] >= (int64_t)s->category_count)
            AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: target_category of row %zu is out of range",
                                    akin_ncfile_path(file), t));
done:
    return status;
}

static akin_status prepare(search *s) {
    akin_status status = AKIN_OK;
    char *options = NULL;
    size_t k = akin_table_k(s->table);
    AKIN_TRY(akin_ncfile_get_attribute(akin_table_file(s->table), "akin_result_options", &options));
    AKIN_TRY(akin_by_rule_categories(options, &s->by_rule));
    s->tallies = akin_mem_zalloc(s->category_count, sizeof *s->tallies);
    s->scores = akin_mem_alloc(s->items, sizeof *s->scores);
    s->leaves = akin_mem_zalloc(s->items, 1);
    s->neighbor = akin_mem_alloc(ROWS * k, sizeof *s->neighbor);
    s->score = akin_mem_alloc(ROWS * k, sizeof *s->score);
    s->counts = akin_mem_alloc(ROWS, sizeof *s->counts);
    s->filled = akin_mem_alloc(ROWS, sizeof *s->filled);
    if (!s->tallies || !s->scores || !s->leaves || !s->neighbor || !s->score || !s->counts ||
        !s->filled)
        status = AKIN_FAILED;
done:
    akin_mem_free(options);
    return status;
}

static akin_status search_all(search *s, akin_outliers *out) {
    akin_status status = AKIN_OK;
    AKIN_TRY(prepare(s));
    if (akin_table_is_against(s->table)) AKIN_TRY(read_targets(s));
    AKIN_TRY(for_lists(s, use_for_tallies, NULL));
    qsort(s->scores, s->score_count, sizeof *s->scores, by_score);
    find_medians(s);
    for (size_t c = 0; c < s->category_count; c++) {
        out->lists += s->tallies[c].items;
        out->leaving += s->tallies[c].leaving;
    }
    for (size_t c = 0; c < s->category_count; c++) {
        akin_outlier it = {.category = (int32_t)c,
                           .items = s->tallies[c].items,
                           .leaving = s->tallies[c].leaving,
                           .instead = -1};
        if (it.items > 0 && stands_out(s, out, &it)) keep(out, &it);
    }
    if (out->count > 0) status = name_instead(s, out);
done:
    return status;
}

akin_status akin_outliers_find(const akin_table *table, akin_labels *labels, akin_outliers *out) {
    search s = {.table = table,
                .category = akin_labels_category(labels),
                .items = akin_labels_count(labels),
                .category_count = akin_labels_category_count(labels)};
    s.target = s.category;
    *out = (akin_outliers){0};
    akin_status status = s.category_count > 0 ? search_all(&s, out) : AKIN_OK;
    akin_mem_free(s.tallies);
    akin_mem_free(s.scores);
    akin_mem_free(s.leaves);
    akin_mem_free(s.neighbor);
    akin_mem_free(s.score);
    akin_mem_free(s.counts);
    akin_mem_free(s.filled);
    akin_mem_free(s.read);
    return status;
}

/* --- in words --- */

void akin_outlier_text(const akin_outlier *it, const akin_labels *labels, bool products, bool fresh,
                       char out[AKIN_OUTLIER_TEXT]) {
    const char *row = products ? "product" : "item";
    char leaving[256] = "", far[160] = "";
    if (it->leaves)
        snprintf(
            leaving, sizeof leaving, "%.0f %% of its lists have no %s of the category%s%.100s%s",
            100 * (double)it->leaving / (double)it->items, row,
            it->instead >= 0 ? ", mostly \"" : "", akin_labels_category_name(labels, it->instead),
            it->instead >= 0 ? "\" instead" : "");
    if (it->far)
        snprintf(
            far, sizeof far,
            "its %ss are far from everything: half of them have a best score below %.2f, while "
            "95 %% of the others have one above %.2f",
            row, it->best, it->others);
    snprintf(out, AKIN_OUTLIER_TEXT, "category \"%.200s\" (%zu %ss%s): %s%s%s",
             akin_labels_category_name(labels, it->category), it->items, row,
             fresh ? ", new since the previous table" : "", leaving, *leaving && *far ? "; " : "",
             far);
}

akin_status akin_outliers_json(const akin_outliers *found, akin_labels *labels, akin_labels *before,
                               akin_json **out) {
    *out = akin_json_array();
    for (size_t i = 0; i < found->count; i++) {
        const akin_outlier *it = &found->worst[i];
        akin_json *entry = akin_json_object();
        akin_json_set_text(entry, "category", akin_labels_category_name(labels, it->category));
        akin_json_set_integer(entry, "items", (long long)it->items);
        akin_json_set_integer(entry, "leaving", (long long)it->leaving);
        if (it->leaves && it->instead >= 0)
            akin_json_set_text(entry, "instead", akin_labels_category_name(labels, it->instead));
        akin_json_set_number(entry, "best", it->best);
        akin_json_set_number(entry, "others", it->others);
        akin_json_set_bool(entry, "leaves", it->leaves);
        akin_json_set_bool(entry, "far", it->far);
        akin_json_set_bool(entry, "new", akin_outlier_is_new(it, labels, before));
        akin_json_append_node(*out, &entry);
    }
    return akin_json_check(*out);
}

bool akin_outlier_is_new(const akin_outlier *it, const akin_labels *labels,
                         const akin_labels *before) {
    const char *name = akin_labels_category_name(labels, it->category);
    for (size_t c = 0; before && c < akin_labels_category_count(before); c++)
        if (strcmp(akin_labels_category_name(before, (int32_t)c), name) == 0) return false;
    return before != NULL;
}
