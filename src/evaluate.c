/* evaluate: measures a recommendation table: precision by label, coverage, churn against another table.
 *
 * Floor 3 (stages); looks down to error, mem, comm, hash, shard, ncfile, table, churn.
 */
#include <akin/evaluate.h>

#include <akin/churn.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/shard.h>
#include <akin/table.h>
#include <math.h>
#include <string.h>

#define PIECE_ROWS 4096                   /* rows of a table in memory at a time */
#define SCORE_SCALE ((double)(1ll << 28)) /* scores are summed as integers: room for 3e10 of them */

const int akin_evaluate_depths[AKIN_EVALUATE_DEPTHS] = {1, 5, 10};

static double share(int64_t part, double whole) {
    return whole > 0 ? (double)part / whole : NAN;
}

/* --- precision and coverage --- */

enum { TALLY_LABELLED, TALLY_COVERED, TALLY_FULL, TALLY_NEIGHBORS, TALLY_SCORE, TALLY_HITS, TALLIES = 5 + 3 };

/* One item's neighbours [held]; labels [items]. */
static void tally_item(int64_t *tally, const int32_t *labels, size_t row, size_t k, size_t held,
                       const int32_t *neighbor, const float *score) {
    tally[TALLY_COVERED] += held > 0;
    tally[TALLY_FULL] += held == k;
    tally[TALLY_NEIGHBORS] += (int64_t)held;
    for (size_t j = 0; j < held; j++) tally[TALLY_SCORE] += llrint((double)score[j] * SCORE_SCALE);
    if (labels[row] < 0) return;
    tally[TALLY_LABELLED]++;
    for (size_t j = 0; j < held; j++)
        for (int d = 0; d < AKIN_EVALUATE_DEPTHS; d++)
            tally[TALLY_HITS + d] += j < (size_t)akin_evaluate_depths[d] && labels[neighbor[j]] == labels[row];
}

/* A part of a table, read piece by piece; allocated once. */
typedef struct {
    int32_t *neighbor, *counts;
    float *score;
} piece;

static void free_piece(piece *it) {
    akin_mem_free(it->neighbor);
    akin_mem_free(it->counts);
    akin_mem_free(it->score);
}

static akin_status create_piece(size_t k, piece *out) {
    *out = (piece){akin_mem_alloc(PIECE_ROWS * k, sizeof *out->neighbor),
                   akin_mem_alloc(PIECE_ROWS, sizeof *out->counts), akin_mem_alloc(PIECE_ROWS * k, sizeof *out->score)};
    return out->neighbor && out->counts && out->score ? AKIN_OK : AKIN_FAILED;
}

/* This rank's shard into tally. Not collective. */
static akin_status tally_shard(const akin_comm *comm, const akin_table *table, const int32_t *labels, int64_t *tally) {
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
            tally_item(tally, labels, row + i, k, (size_t)rows.counts[i], rows.neighbor + i * k, rows.score + i * k);
        row += count;
    }
done:
    free_piece(&rows);
    return status;
}

/* The probability that an item drawn from the others has the label of a labelled item. */
static akin_status find_chance(const int32_t *labels, size_t n, size_t names, double *chance) {
    uint64_t *held = akin_mem_zalloc(names, sizeof *held);
    if (!held) return AKIN_FAILED;
    double pairs = 0, labelled = 0;
    for (size_t i = 0; i < n; i++)
        if (labels[i] >= 0) held[labels[i]]++;
    for (size_t c = 0; c < names; c++) {
        pairs += (double)held[c] * ((double)held[c] - 1);
        labelled += (double)held[c];
    }
    *chance = labelled > 0 && n > 1 ? pairs / (labelled * (double)(n - 1)) : NAN;
    akin_mem_free(held);
    return AKIN_OK;
}

/* Labels of all items, checked against the number of names. Not collective. */
static akin_status read_labels(const akin_table *table, akin_evaluate_label label, int32_t **out, size_t *names) {
    akin_status status;
    static const struct {
        const char *variable, *dimension;
    } which[] = {{"category", "category_count"}, {"group", "group_count"}};
    const akin_ncfile *file = akin_table_file(table);
    size_t n = akin_table_items(table);
    int32_t *labels = akin_mem_alloc(n, sizeof *labels);
    if (!labels) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_ncfile_expect(file, which[label].variable, AKIN_NC_INT, "item"));
    AKIN_TRY(akin_ncfile_length(file, which[label].dimension, names));
    AKIN_TRY(akin_ncfile_get(file, which[label].variable, 0, n, labels));
    for (size_t i = 0; i < n; i++)
        if (labels[i] < -1 || labels[i] >= (int64_t)*names)
            AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: %s of row %zu is out of range", akin_ncfile_path(file),
                                    which[label].variable, i));
    *out = labels;
    return AKIN_OK;
done:
    akin_mem_free(labels);
    return status;
}

static akin_status measure_table(akin_comm *comm, const akin_table *table, akin_evaluate_label label,
                                 akin_evaluate_figures *figures) {
    akin_status status;
    int32_t *labels = NULL;
    size_t names = 0;
    int64_t tally[TALLIES] = {0};
    status = read_labels(table, label, &labels, &names);
    if (status == AKIN_OK) status = find_chance(labels, akin_table_items(table), names, &figures->chance);
    if (status == AKIN_OK) status = tally_shard(comm, table, labels, tally);
    AKIN_TRY(akin_agree(comm, status));
    akin_comm_sum_i64(comm, tally, TALLIES);
    double items = (double)figures->items;
    figures->labelled = (size_t)tally[TALLY_LABELLED];
    for (int d = 0; d < AKIN_EVALUATE_DEPTHS; d++)
        figures->precision[d] = share(tally[TALLY_HITS + d], (double)tally[TALLY_LABELLED] * akin_evaluate_depths[d]);
    figures->coverage = share(tally[TALLY_COVERED], items);
    figures->full_coverage = share(tally[TALLY_FULL], items);
    figures->mean_count = share(tally[TALLY_NEIGHBORS], items);
    figures->mean_score = share(tally[TALLY_SCORE], (double)tally[TALLY_NEIGHBORS] * SCORE_SCALE);
done:
    akin_mem_free(labels);
    return status;
}

akin_status akin_evaluate(akin_comm *comm, const akin_evaluate_params *params, akin_evaluate_figures *figures) {
    akin_status status;
    akin_table *table = NULL, *against = NULL;
    AKIN_TRY(akin_table_open(comm, params->table, &table));
    *figures = (akin_evaluate_figures){.items = akin_table_items(table), .k = akin_table_k(table), .churn = NAN};
    memcpy(figures->table_digest, akin_table_digest(table), AKIN_HASH_TEXT_SIZE);
    AKIN_TRY(measure_table(comm, table, params->label, figures));
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
