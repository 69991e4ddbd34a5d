/* evaluate: measures a recommendation table: precision by label, coverage, churn against another
 * table. */
#include "pairs_found.h"
#include <akin/evaluate.h>

#include "by_rule.h"
#include "churn.h"
#include "hubs.h"
#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/shard.h>
#include <akin/table.h>
#include <math.h>
#include <string.h>

#define PIECE_ROWS 4096 /* rows of a table in memory at a time */
#define SCORE_SCALE                                                                                \
    ((double)(1ll << 28))                 /* scores are summed as integers, with room for 3e10 of
                                           * them */
#define SHARE_SCALE ((double)(1ll << 30)) /* average precisions too, with room for 8e9 of them */

const int akin_evaluate_depths[AKIN_EVALUATE_DEPTHS] = {1, 5, 10};

static double share(int64_t part, double whole) {
    return whole > 0 ? (double)part / whole : NAN;
}

/* --- precision and coverage --- */

enum {
    TALLY_COVERED,
    TALLY_FULL,
    TALLY_NEIGHBORS,
    TALLY_SCORE,
    TALLY_DUPLICATES,
    TALLY_FILLED,
    TALLY_FILLS,
    TALLIES,
};
/* For labelled items, in total and by category. */
enum { GRADE_LABELLED, GRADE_AVERAGE, GRADE_HITS, GRADES = 2 + 3 };

/* Everything is counted in whole numbers: sums over ranks are the same in any order. */
typedef struct {
    int64_t *all;    /* [TALLIES], followed by grades of all items and of each category: [1 +
                      * categories, GRADES] */
    int32_t *labels; /* [items], -1 = none */
    int32_t
        *targets; /* labels of the neighbours' rows: `labels`, or those of the other catalogue */
    int32_t *category;
    uint64_t *held; /* [names] items with each label */
    int64_t *times; /* [items] in how many lists it is */
    bool *barred;   /* [items], this rank's: no list may hold it */
    bool only_available;
    size_t names, categories;
} tallies;

static void free_tallies(tallies *it) {
    akin_mem_free(it->all);
    if (it->targets != it->labels) akin_mem_free(it->targets);
    akin_mem_free(it->labels);
    akin_mem_free(it->category);
    akin_mem_free(it->held);
    akin_mem_free(it->times);
    akin_mem_free(it->barred);
}

/* grade 0: of all items; 1 + c: of a category. */
static int64_t *grade_of(const tallies *it, size_t grade) {
    return it->all + TALLIES + grade * GRADES;
}

/* An item with a label: its neighbours [held]. */
static void grade_item(const tallies *it, size_t row, size_t k, size_t held,
                       const int32_t *neighbor) {
    int64_t grade[GRADES] = {[GRADE_LABELLED] = 1};
    uint64_t right = 0, there_are = it->held[it->labels[row]];
    double sum = 0;
    if (it->targets == it->labels) there_are--; /* the item itself */
    for (size_t j = 0; j < held; j++) {
        if (it->targets[neighbor[j]] != it->labels[row]) continue;
        sum += (double)++right / (double)(j + 1);
        for (int d = 0; d < AKIN_EVALUATE_DEPTHS; d++)
            grade[GRADE_HITS + d] += j < (size_t)akin_evaluate_depths[d];
    }
    uint64_t could = there_are < k ? there_are : k;
    grade[GRADE_AVERAGE] = could > 0 ? llrint(sum / (double)could * SHARE_SCALE) : 0;
    for (int g = 0; g < GRADES; g++) {
        grade_of(it, 0)[g] += grade[g];
        if (it->category[row] >= 0) grade_of(it, 1 + (size_t)it->category[row])[g] += grade[g];
    }
}

/* One item's neighbours [held]. */
static void tally_item(const tallies *it, size_t row, size_t k, size_t held,
                       const int32_t *neighbor, const float *score) {
    it->all[TALLY_COVERED] += held > 0;
    it->all[TALLY_FULL] += held == k;
    it->all[TALLY_NEIGHBORS] += (int64_t)held;
    for (size_t j = 0; j < held; j++) {
        it->all[TALLY_SCORE] += llrint((double)score[j] * SCORE_SCALE);
        it->times[neighbor[j]]++;
    }
    if (it->labels[row] >= 0) grade_item(it, row, k, held, neighbor);
}

/* A part of a table, read piece by piece; allocated once. */
typedef struct {
    int32_t *neighbor, *counts;
    float *score;
    int32_t *filled, *duplicate_of;
    int8_t *available;
} piece;

static void free_piece(piece *it) {
    akin_mem_free(it->neighbor);
    akin_mem_free(it->counts);
    akin_mem_free(it->score);
    akin_mem_free(it->filled);
    akin_mem_free(it->duplicate_of);
    akin_mem_free(it->available);
}

static akin_status create_piece(size_t k, piece *out) {
    *out = (piece){akin_mem_alloc(PIECE_ROWS * k, sizeof *out->neighbor),
                   akin_mem_alloc(PIECE_ROWS, sizeof *out->counts),
                   akin_mem_alloc(PIECE_ROWS * k, sizeof *out->score),
                   akin_mem_alloc(PIECE_ROWS, sizeof *out->filled),
                   akin_mem_alloc(PIECE_ROWS, sizeof *out->duplicate_of),
                   akin_mem_alloc(PIECE_ROWS, sizeof *out->available)};
    return out->neighbor && out->counts && out->score && out->filled && out->duplicate_of &&
                   out->available
               ? AKIN_OK
               : AKIN_FAILED;
}

/* What a refined table says about these rows. */
static akin_status tally_fill(const akin_table *table, const tallies *it, size_t row, size_t count,
                              piece *rows) {
    akin_status status;
    AKIN_TRY(akin_table_filled(table, row, count, rows->filled));
    for (size_t i = 0; i < count; i++) {
        it->all[TALLY_FILLED] += rows->filled[i] > 0;
        it->all[TALLY_FILLS] += rows->filled[i];
    }
done:
    return status;
}

/* What is a duplicate, or not available in a table of what is. */
static akin_status tally_targets(const akin_table *table, const tallies *it, size_t row,
                                 size_t count, piece *rows) {
    akin_status status;
    const char *available = akin_table_is_against(table) ? "target_available" : "available";
    AKIN_TRY(akin_table_duplicates(table, row, count, rows->duplicate_of));
    memset(rows->available, 1, count);
    if (it->only_available)
        AKIN_TRY(akin_ncfile_get(akin_table_file(table), available, row, count, rows->available));
    for (size_t i = 0; i < count; i++) {
        it->all[TALLY_DUPLICATES] += rows->duplicate_of[i] >= 0;
        it->barred[row + i] = rows->duplicate_of[i] >= 0 || rows->available[i] == 0;
    }
done:
    return status;
}

/* This rank's shard of what can be recommended. Not collective. */
static akin_status tally_recommendable(const akin_comm *comm, const akin_table *table,
                                       const tallies *it, piece *rows) {
    akin_status status = AKIN_OK;
    size_t n = akin_table_targets(table);
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    size_t row = akin_shard_first(n, size, rank), end = akin_shard_first(n, size, rank + 1);
    for (size_t count; row < end && status == AKIN_OK; row += count) {
        count = end - row < PIECE_ROWS ? end - row : PIECE_ROWS;
        status = tally_targets(table, it, row, count, rows);
    }
    return status;
}

/* This rank's shard. Not collective. */
static akin_status tally_shard(const akin_comm *comm, const akin_table *table, const tallies *it) {
    akin_status status;
    size_t n = akin_table_items(table), k = akin_table_k(table);
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    size_t row = akin_shard_first(n, size, rank), end = akin_shard_first(n, size, rank + 1);
    piece rows = {0};
    AKIN_TRY(create_piece(k, &rows));
    while (row < end) {
        size_t count = end - row < PIECE_ROWS ? end - row : PIECE_ROWS;
        AKIN_TRY(akin_table_rows(table, row, count, rows.neighbor, rows.score, rows.counts));
        for (size_t i = 0; i < count; i++)
            tally_item(it, row + i, k, (size_t)rows.counts[i], rows.neighbor + i * k,
                       rows.score + i * k);
        AKIN_TRY(tally_fill(table, it, row, count, &rows));
        row += count;
    }
    status = tally_recommendable(comm, table, it, &rows);
done:
    free_piece(&rows);
    return status;
}

/* The probability that an item chosen at random from the others, or from the other catalogue, has
 * the label of a labelled item. */
static double chance_of(const tallies *it, size_t n, size_t targets) {
    double pairs = 0, labelled = 0;
    if (it->targets != it->labels) {
        for (size_t i = 0; i < n; i++)
            if (it->labels[i] >= 0) pairs += (double)it->held[it->labels[i]], labelled++;
        return labelled > 0 ? pairs / (labelled * (double)targets) : NAN;
    }
    for (size_t c = 0; c < it->names; c++) {
        pairs += (double)it->held[c] * ((double)it->held[c] - 1);
        labelled += (double)it->held[c];
    }
    return labelled > 0 && n > 1 ? pairs / (labelled * (double)(n - 1)) : NAN;
}

/* Labels of all items, checked against the number of names. Not collective. */
static akin_status read_labels(const akin_table *table, akin_evaluate_label label, bool targets,
                               int32_t **out, size_t *names) {
    akin_status status;
    static const struct {
        const char *variable[2], *dimension;
    } all[] = {{{"category", "target_category"}, "category_count"},
               {{"group", "target_group"}, "group_count"}};
    const char *variable = all[label].variable[targets];
    const akin_ncfile *file = akin_table_file(table);
    size_t n = targets ? akin_table_targets(table) : akin_table_items(table);
    int32_t *labels = akin_mem_alloc(n, sizeof *labels);
    if (!labels) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_ncfile_expect(file, variable, AKIN_NC_INT, targets ? "target" : "item"));
    AKIN_TRY(akin_ncfile_length(file, all[label].dimension, names));
    AKIN_TRY(akin_ncfile_get(file, variable, 0, n, labels));
    for (size_t i = 0; i < n; i++)
        if (labels[i] < -1 || labels[i] >= (int64_t)*names)
            AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: %s of row %zu is out of range",
                                    akin_ncfile_path(file), variable, i));
    *out = labels;
    return AKIN_OK;
done:
    akin_mem_free(labels);
    return status;
}

static akin_status create_tallies(const akin_table *table, akin_evaluate_label label,
                                  tallies *out) {
    akin_status status;
    size_t n = akin_table_targets(table);
    AKIN_TRY(read_labels(table, label, false, &out->labels, &out->names));
    out->targets = out->labels;
    if (akin_table_is_against(table))
        AKIN_TRY(read_labels(table, label, true, &out->targets, &out->names));
    AKIN_TRY(read_labels(table, AKIN_EVALUATE_CATEGORY, false, &out->category, &out->categories));
    out->held = akin_mem_zalloc(out->names, sizeof *out->held);
    out->all = akin_mem_zalloc(TALLIES + (1 + out->categories) * GRADES, sizeof *out->all);
    out->times = akin_mem_zalloc(n, sizeof *out->times);
    out->barred = akin_mem_zalloc(n, sizeof *out->barred);
    if (!out->held || !out->all || !out->times || !out->barred) AKIN_TRY(AKIN_FAILED);
    for (size_t i = 0; i < n; i++)
        if (out->targets[i] >= 0) out->held[out->targets[i]]++;
done:
    return status;
}

static void fill_precision(const tallies *it, size_t grade, double *precision, double *average) {
    const int64_t *found = grade_of(it, grade);
    double labelled = (double)found[GRADE_LABELLED];
    for (int d = 0; d < AKIN_EVALUATE_DEPTHS; d++)
        precision[d] = share(found[GRADE_HITS + d], labelled * akin_evaluate_depths[d]);
    *average = share(found[GRADE_AVERAGE], labelled * SHARE_SCALE);
}

static void fill_figures(const tallies *it, const akin_table *table,
                         akin_evaluate_figures *figures) {
    double items = (double)figures->items, neighbors = (double)it->all[TALLY_NEIGHBORS];
    figures->chance = chance_of(it, figures->items, akin_table_targets(table));
    figures->labelled = (size_t)grade_of(it, 0)[GRADE_LABELLED];
    fill_precision(it, 0, figures->precision, &figures->average_precision);
    figures->coverage = share(it->all[TALLY_COVERED], items);
    figures->full_coverage = share(it->all[TALLY_FULL], items);
    figures->mean_count = share(it->all[TALLY_NEIGHBORS], items);
    figures->mean_score = share(it->all[TALLY_SCORE], neighbors * SCORE_SCALE);
    figures->has_duplicates = akin_table_has_duplicates(table);
    figures->has_fill = akin_table_has_fill(table);
    figures->duplicates = (size_t)it->all[TALLY_DUPLICATES];
    figures->filled_items = (size_t)it->all[TALLY_FILLED];
    figures->fills = (size_t)it->all[TALLY_FILLS];
}

static akin_status fill_hubs(const tallies *it, akin_evaluate_figures *figures) {
    akin_hubs hubs;
    akin_status status = akin_hubs_measure(it->times, figures->targets, &hubs);
    if (status != AKIN_OK) return status;
    figures->hub_share = hubs.share;
    figures->never_recommended = hubs.never;
    figures->at_most_once = hubs.seldom;
    return AKIN_OK;
}

/* In no list because none may hold it, of all ranks. Collective. */
static void count_barred(akin_comm *comm, const tallies *it, akin_evaluate_figures *figures) {
    int64_t count = 0;
    for (size_t i = 0; i < figures->targets; i++) count += it->barred[i] && it->times[i] == 0;
    akin_comm_sum_i64(comm, &count, 1);
    figures->not_recommendable = (size_t)count;
}

/* --- by category --- */

struct akin_evaluate_categories {
    size_t count;
    akin_labels *labels; /* for the names */
    akin_evaluate_category *category;
};

static akin_status create_categories(const tallies *it, const akin_table *table,
                                     akin_evaluate_categories **out) {
    akin_status status = AKIN_OK;
    akin_evaluate_categories *c = *out = akin_mem_zalloc(1, sizeof *c);
    if (!c) return AKIN_FAILED;
    c->category = akin_mem_alloc(it->categories, sizeof *c->category);
    if (!c->category) return AKIN_FAILED;
    AKIN_TRY(akin_labels_read(akin_table_file(table), 0, 0, &c->labels));
    for (size_t i = 0; i < it->categories; i++) {
        int64_t items = grade_of(it, 1 + i)[GRADE_LABELLED];
        if (items == 0) continue;
        akin_evaluate_category *one = &c->category[c->count++];
        *one = (akin_evaluate_category){
            akin_labels_category_name(c->labels, (int32_t)i), (size_t)items, {0}, 0};
        fill_precision(it, 1 + i, one->precision, &one->average_precision);
    }
done:
    return status;
}

size_t akin_evaluate_categories_count(const akin_evaluate_categories *categories) {
    return categories->count;
}

akin_evaluate_category akin_evaluate_categories_at(const akin_evaluate_categories *categories,
                                                   size_t index) {
    return categories->category[index];
}

void akin_evaluate_categories_free(akin_evaluate_categories *categories) {
    if (!categories) return;
    akin_labels_free(categories->labels);
    akin_mem_free(categories->category);
    akin_mem_free(categories);
}

/* --- all figures --- */

/* Collective; agreed. */
static akin_status measure_table(akin_comm *comm, const akin_table *table,
                                 const akin_evaluate_params *params,
                                 akin_evaluate_figures *figures) {
    akin_status status;
    tallies it = {.only_available = figures->only_available};
    akin_evaluate_categories *found = NULL;
    status = create_tallies(table, params->label, &it);
    if (status == AKIN_OK) status = tally_shard(comm, table, &it);
    AKIN_TRY(akin_agree(comm, status));
    akin_comm_sum_i64(comm, it.all, TALLIES + (1 + it.categories) * GRADES);
    akin_comm_sum_i64(comm, it.times, akin_table_targets(table));
    fill_figures(&it, table, figures);
    count_barred(comm, &it, figures);
    AKIN_TRY(akin_agree(comm, fill_hubs(&it, figures)));
    if (params->categories) AKIN_TRY(akin_agree(comm, create_categories(&it, table, &found)));
    if (params->categories) *params->categories = found, found = NULL;
done:
    akin_evaluate_categories_free(found);
    free_tallies(&it);
    return status;
}

/* What the rules of the table decide beforehand; nothing if another program made it. */
static akin_status read_rules(const akin_table *table, akin_evaluate_label label,
                              akin_evaluate_figures *figures) {
    char *options = NULL;
    akin_status status =
        akin_ncfile_get_attribute(akin_table_file(table), "akin_result_options", &options);
    if (status == AKIN_OK) status = akin_by_rule_precision(options, label, &figures->by_rule);
    if (status == AKIN_OK) status = akin_by_rule_available(options, &figures->only_available);
    akin_mem_free(options);
    return status;
}

/* Each rank on its own: the lists of a few items. Not collective. */
static akin_status measure_golden(const akin_table *table, const akin_evaluate_params *params) {
    akin_status status = akin_ids_read(akin_table_file(table), params->ids);
    if (status != AKIN_OK) return status;
    return akin_golden_measure(params->golden, table, *params->ids, params->golden_found);
}

akin_status akin_evaluate(akin_comm *comm, const akin_evaluate_params *params,
                          akin_evaluate_figures *figures) {
    akin_status status;
    akin_table *table = NULL, *against = NULL;
    if (params->categories) *params->categories = NULL;
    AKIN_TRY(akin_table_open(comm, params->table, &table));
    *figures = (akin_evaluate_figures){.items = akin_table_items(table),
                                       .k = akin_table_k(table),
                                       .of_two = akin_table_is_against(table),
                                       .products = akin_table_is_by_group(table),
                                       .targets = akin_table_targets(table),
                                       .churn = NAN};
    memcpy(figures->table_digest, akin_table_digest(table), AKIN_HASH_TEXT_SIZE);
    AKIN_TRY(akin_agree(comm, read_rules(table, params->label, figures)));
    AKIN_TRY(measure_table(comm, table, params, figures));
    figures->has_pairs = params->pairs != NULL;
    if (params->pairs)
        AKIN_TRY(akin_pairs_found(comm, table, params->pairs, &figures->pairs,
                                  &figures->pairs_found, &figures->pairs_unknown));
    if (params->golden) AKIN_TRY(akin_agree(comm, measure_golden(table, params)));
    if (params->against) {
        AKIN_TRY(akin_table_open(comm, params->against, &against));
        memcpy(figures->against_digest, akin_table_digest(against), AKIN_HASH_TEXT_SIZE);
        AKIN_TRY(akin_churn(comm, table, against, &figures->common, &figures->churn));
    }
done:
    akin_table_close(against);
    akin_table_close(table);
    return status;
}
