/* churn: how many of one table's neighbours another table lacks. */
#include "churn.h"

#include <akin/ids.h>
#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/table.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_ROWS 4096 /* rows of a table in memory at a time */

/* --- which row of one table corresponds to which of the other --- */

/* This rank's shard of the ids of a table's items, or targets, after the `count` rows that are
 * there. Not collective. */
static akin_status add_rows(const akin_comm *comm, const akin_table *table, bool targets,
                            akin_join_side side, akin_join_row *rows, size_t *count) {
    akin_labels *labels = NULL;
    size_t n = targets ? akin_table_targets(table) : akin_table_items(table);
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    size_t first = akin_shard_first(n, size, rank), mine = akin_shard_count(n, size, rank);
    akin_status status = (targets ? akin_labels_read_targets
                                  : akin_labels_read)(akin_table_file(table), first, mine, &labels);
    if (status != AKIN_OK) return status;
    for (size_t i = 0; i < mine; i++)
        rows[(*count)++] = akin_join_row_of(akin_labels_id(labels, i), first + i, side);
    akin_labels_free(labels);
    return AKIN_OK;
}

/* to_table [items, or targets, of other]: the row of the table with the same id, -1 = none; owned.
 * Collective; agreed. */
static akin_status join(akin_comm *comm, const akin_table *table, const akin_table *other,
                        bool targets, int32_t **to_table) {
    akin_status status = AKIN_FAILED;
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    size_t (*rows_of)(const akin_table *) = targets ? akin_table_targets : akin_table_items;
    size_t n = rows_of(other), count = 0, match_count = 0;
    akin_join_match *matches = NULL;
    akin_join_row *rows = akin_mem_alloc(akin_shard_count(rows_of(table), size, rank) +
                                             akin_shard_count(n, size, rank),
                                         sizeof *rows);
    int32_t *map = akin_mem_alloc(n, sizeof *map);
    if (rows && map) status = add_rows(comm, table, targets, AKIN_JOIN_FIRST, rows, &count);
    if (status == AKIN_OK) status = add_rows(comm, other, targets, AKIN_JOIN_SECOND, rows, &count);
    AKIN_TRY(akin_agree(comm, status));
    AKIN_TRY(akin_join(comm, rows, count, &matches, &match_count));
    for (size_t i = 0; i < n; i++) map[i] = -1;
    for (size_t i = 0; i < match_count; i++) map[matches[i].second] = matches[i].first;
    *to_table = map;
    map = NULL;
done:
    akin_mem_free(map);
    akin_mem_free(rows);
    akin_mem_free(matches);
    return status;
}

/* --- comparing lists --- */

/* What a rank needs to compare its shard of the table's rows with the other table's. */
typedef struct {
    const akin_table *table, *other;
    size_t first, count;              /* the shard */
    const int32_t *to_table;          /* [items of other] */
    const int32_t *neighbor_to_table; /* of its neighbours: the same, or [targets of other] */
    int32_t *other_row;               /* [count], -1 = the id is missing there */
    int32_t *neighbor, *counts, *other_neighbor, *other_counts; /* PIECE_ROWS rows of each table */
    int64_t *missing; /* [larger k + 1]: sum of m - |A and B| over items with max(|A|, |B|) = m:
                       * exact in any order */
    int64_t common;
} comparison;

static void free_comparison(comparison *it) {
    akin_mem_free(it->other_row);
    akin_mem_free(it->neighbor);
    akin_mem_free(it->counts);
    akin_mem_free(it->other_neighbor);
    akin_mem_free(it->other_counts);
    akin_mem_free(it->missing);
}

static akin_status prepare(const akin_comm *comm, size_t depth, comparison *it) {
    size_t n = akin_table_items(it->table), other_n = akin_table_items(it->other);
    it->first = akin_shard_first(n, akin_comm_size(comm), akin_comm_rank(comm));
    it->count = akin_shard_count(n, akin_comm_size(comm), akin_comm_rank(comm));
    it->other_row = akin_mem_alloc(it->count, sizeof *it->other_row);
    it->neighbor = akin_mem_alloc(PIECE_ROWS * akin_table_k(it->table), sizeof *it->neighbor);
    it->counts = akin_mem_alloc(PIECE_ROWS, sizeof *it->counts);
    it->other_neighbor =
        akin_mem_alloc(PIECE_ROWS * akin_table_k(it->other), sizeof *it->other_neighbor);
    it->other_counts = akin_mem_alloc(PIECE_ROWS, sizeof *it->other_counts);
    it->missing = akin_mem_zalloc(depth, sizeof *it->missing);
    if (!it->other_row || !it->neighbor || !it->counts || !it->other_neighbor ||
        !it->other_counts || !it->missing)
        return AKIN_FAILED;
    for (size_t i = 0; i < it->count; i++) it->other_row[i] = -1;
    for (size_t j = other_n; j-- > 0;) { /* from the last, so that the first row of an id remains */
        int64_t mine = (int64_t)it->to_table[j] - (int64_t)it->first;
        if (it->to_table[j] >= 0 && mine >= 0 && mine < (int64_t)it->count)
            it->other_row[mine] = (int32_t)j;
    }
    return AKIN_OK;
}

/* One id's lists: row i of the piece of this table, row j of that of the other. */
static void compare_lists(comparison *it, size_t i, size_t j) {
    int32_t *a = it->neighbor + i * akin_table_k(it->table),
            *b = it->other_neighbor + j * akin_table_k(it->other);
    size_t a_count = (size_t)it->counts[i], b_count = (size_t)it->other_counts[j];
    for (size_t c = 0; c < b_count; c++) b[c] = it->neighbor_to_table[b[c]];
    size_t longer = a_count > b_count ? a_count : b_count;
    it->missing[longer] += (int64_t)(longer - akin_lists_common(a, a_count, b, b_count));
    it->common++;
}

/* Rows [at, at + count) of the shard; rows that are consecutive in the other table are read at
 * once. */
static akin_status compare_piece(comparison *it, size_t at, size_t count) {
    akin_status status;
    const int32_t *other = it->other_row + at;
    AKIN_TRY(akin_table_rows(it->table, it->first + at, count, it->neighbor, NULL, it->counts));
    for (size_t i = 0, run; i < count; i += run) {
        run = 1;
        if (other[i] < 0) continue;
        while (i + run < count && other[i + run] == other[i] + (int32_t)run) run++;
        AKIN_TRY(akin_table_rows(it->other, (size_t)other[i], run, it->other_neighbor, NULL,
                                 it->other_counts));
        for (size_t r = 0; r < run; r++) compare_lists(it, i + r, r);
    }
done:
    return status;
}

static akin_status compare_shard(comparison *it) {
    for (size_t at = 0; at < it->count; at += PIECE_ROWS) {
        size_t left = it->count - at;
        akin_status status = compare_piece(it, at, left < PIECE_ROWS ? left : PIECE_ROWS);
        if (status != AKIN_OK) return status;
    }
    return AKIN_OK;
}

akin_status akin_churn(akin_comm *comm, const akin_table *table, const akin_table *other,
                       size_t *common, double *churn) {
    akin_status status;
    int32_t *to_table = NULL, *neighbors = NULL;
    comparison it = {.table = table, .other = other};
    size_t k = akin_table_k(table), other_k = akin_table_k(other),
           depth = (k > other_k ? k : other_k) + 1;
    if (akin_table_is_against(table) != akin_table_is_against(other))
        AKIN_TRY(akin_error_set(AKIN_INPUT,
                                "%s and %s: one is a table between two catalogues, the other is "
                                "not; compare tables of one kind",
                                akin_ncfile_path(akin_table_file(table)),
                                akin_ncfile_path(akin_table_file(other))));
    AKIN_TRY(join(comm, table, other, false, &to_table));
    if (akin_table_is_against(table)) AKIN_TRY(join(comm, table, other, true, &neighbors));
    it.to_table = to_table;
    it.neighbor_to_table = neighbors ? neighbors : to_table;
    status = prepare(comm, depth, &it);
    if (status == AKIN_OK) status = compare_shard(&it);
    AKIN_TRY(akin_agree(comm, status));
    akin_comm_sum_i64(comm, it.missing, depth);
    akin_comm_sum_i64(comm, &it.common, 1);
    double total = 0;
    for (size_t m = 1; m < depth; m++) total += (double)it.missing[m] / (double)m;
    *common = (size_t)it.common;
    *churn = it.common ? total / (double)it.common : NAN;
done:
    free_comparison(&it);
    akin_mem_free(to_table);
    akin_mem_free(neighbors);
    return status;
}
