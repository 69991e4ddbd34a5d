/* pairs_found: see pairs_found.h. */
#include "pairs_found.h"
#include <akin/ids.h>
#include <akin/mem.h>
#include <akin/shard.h>

typedef struct {
    const akin_table *table;
    akin_id_pairs list;
    int32_t *neighbor, *counts; /* of one row: [k], [1] */
    float *score;               /* [k] */
} work;

static akin_status has(const work *w, size_t row, size_t other, bool *is) {
    akin_status status = akin_table_rows(w->table, row, 1, w->neighbor, w->score, w->counts);
    *is = false;
    for (int32_t i = 0; status == AKIN_OK && i < w->counts[0]; i++)
        *is = *is || (size_t)w->neighbor[i] == other;
    return status;
}

static akin_status prepare(work *w, const char *path) {
    akin_status status;
    size_t k = akin_table_k(w->table);
    if (akin_table_is_against(w->table))
        AKIN_TRY(akin_error_set(AKIN_USAGE,
                                "--pairs: pairs are of one catalogue, %s is a table "
                                "between two",
                                akin_ncfile_path(akin_table_file(w->table))));
    AKIN_TRY(akin_id_pairs_read(path, akin_table_file(w->table), &w->list));
    w->neighbor = akin_mem_alloc(k, sizeof *w->neighbor);
    w->score = akin_mem_alloc(k, sizeof *w->score);
    w->counts = akin_mem_alloc(1, sizeof *w->counts);
    if (!w->neighbor || !w->score || !w->counts) status = AKIN_FAILED;
done:
    return status;
}

/* This rank's share of the pairs. Not collective. */
static akin_status count_found(akin_comm *comm, const work *w, int64_t *found) {
    akin_status status = AKIN_OK;
    int size = akin_comm_size(comm), rank = akin_comm_rank(comm);
    size_t first = akin_shard_first(w->list.count, size, rank);
    size_t count = akin_shard_count(w->list.count, size, rank);
    for (size_t p = first; p < first + count; p++) {
        const akin_id_pair *pair = &w->list.pairs[p];
        bool is;
        AKIN_TRY(has(w, pair->first, pair->second, &is));
        if (!is) AKIN_TRY(has(w, pair->second, pair->first, &is));
        *found += is;
        akin_comm_poll(comm);
    }
done:
    return status;
}

akin_status akin_pairs_found(akin_comm *comm, const akin_table *table, const char *path,
                             size_t *count, size_t *found, size_t *unknown) {
    akin_status status;
    work w = {.table = table};
    int64_t sum = 0;
    AKIN_TRY(akin_agree(comm, prepare(&w, path)));
    AKIN_TRY(akin_agree(comm, count_found(comm, &w, &sum)));
    akin_comm_sum_i64(comm, &sum, 1);
    *count = w.list.count;
    *found = (size_t)sum;
    *unknown = w.list.unknown;
done:
    akin_id_pairs_release(&w.list);
    akin_mem_free(w.neighbor);
    akin_mem_free(w.score);
    akin_mem_free(w.counts);
    return status;
}
