/* publish_diff: the changes that publishing a table would make, compared with the published one. */
#include <akin/mem.h>
#include <akin/publish_diff.h>
#include <akin/table.h>
#include <math.h>
#include <string.h>

struct akin_publish_diff {
    const akin_ids *ids;
    akin_lists *lists;
    uint8_t *marks; /* [items] akin_publish_diff_mark */
    float *shares;  /* [items] contribution of each to churn */
    size_t seen, common, changed, counted;
    bool blind;   /* counted, not stored */
    double churn; /* sum over common */
    int32_t *rows;
    size_t room, k; /* room: of rows, two lists; k: the new table's, 0 if there are no lists */
    char *gone;     /* ids with their NULs */
    size_t gone_used, gone_capacity, *gone_at, gone_count, gone_room;
};

akin_status akin_publish_diff_create(const akin_table *table, const akin_ids *ids,
                                     akin_publish_diff **out) {
    akin_status status = AKIN_OK;
    akin_publish_diff *change = akin_mem_zalloc(1, sizeof *change);
    *out = NULL;
    if (!change) return AKIN_FAILED;
    change->ids = ids;
    change->marks = akin_mem_zalloc(akin_ids_count(ids), 1);
    change->shares = akin_mem_zalloc(akin_ids_count(ids), sizeof *change->shares);
    if (!change->marks || !change->shares) AKIN_TRY(AKIN_FAILED);
    if (table) change->k = akin_table_k(table);
    if (table) AKIN_TRY(akin_lists_create(table, &change->lists));
    *out = change;
    change = NULL;
done:
    akin_publish_diff_free(change);
    return status;
}

void akin_publish_diff_free(akin_publish_diff *change) {
    if (!change) return;
    akin_lists_free(change->lists);
    akin_mem_free(change->marks);
    akin_mem_free(change->shares);
    akin_mem_free(change->rows);
    akin_mem_free(change->gone);
    akin_mem_free(change->gone_at);
    akin_mem_free(change);
}

static akin_status keep_gone(akin_publish_diff *change, const char *id) {
    size_t length = strlen(id) + 1;
    if (change->gone_count == change->gone_room) {
        size_t room = 2 * change->gone_room + 64;
        size_t *grown = akin_mem_resize(change->gone_at, change->gone_count, room, sizeof *grown);
        if (!grown) return AKIN_FAILED;
        change->gone_at = grown;
        change->gone_room = room;
    }
    if (change->gone_used + length > change->gone_capacity) {
        size_t capacity = 2 * change->gone_capacity + length + 1024;
        char *grown = akin_mem_resize(change->gone, change->gone_used, capacity, 1);
        if (!grown) return AKIN_FAILED;
        change->gone = grown;
        change->gone_capacity = capacity;
    }
    memcpy(change->gone + change->gone_used, id, length);
    change->gone_at[change->gone_count++] = change->gone_used;
    change->gone_used += length;
    return AKIN_OK;
}

static akin_status reserve_rows(akin_publish_diff *change, size_t count) {
    if (count <= change->room) return AKIN_OK;
    int32_t *grown = akin_mem_resize(change->rows, 0, count, sizeof *grown);
    if (!grown) return AKIN_FAILED;
    change->rows = grown;
    change->room = count;
    return AKIN_OK;
}

/* Compares the published list, whose `count` neighbours have the first rows of change->rows, with
 * the new one: whether it is identical, and how much of it is lost. */
static void compare(akin_publish_diff *change, const akin_list *list, size_t count,
                    const float *score, bool *same, double *lost) {
    size_t longer = count > list->count ? count : list->count;
    int32_t *before = change->rows, *now = change->rows + count;
    *same = count == list->count, *lost = 0;
    for (size_t i = 0; i < count && *same; i++)
        *same = before[i] == list->neighbor[i] && (!score || score[i] == list->score[i]);
    if (*same || longer == 0) return;
    memcpy(now, list->neighbor, list->count * sizeof *now);
    *lost = 1 - (double)akin_lists_common(before, count, now, list->count) / (double)longer;
}

/* A published list whose item is also in the new table; the rows of its neighbours are in
 * change->rows, which has room for k more. */
static akin_status see_row(akin_publish_diff *change, size_t row, size_t count,
                           const float *score) {
    akin_list list;
    bool same = true;
    double lost = 0;
    akin_status status = change->lists ? akin_lists_get(change->lists, row, &list) : AKIN_OK;
    if (status != AKIN_OK) return status;
    if (change->lists) compare(change, &list, count, score, &same, &lost);
    change->seen++;
    change->common++;
    change->changed += !same;
    change->churn += lost;
    change->shares[row] = (float)lost;
    change->marks[row] = same ? AKIN_PUBLISH_DIFF_SAME : AKIN_PUBLISH_DIFF_CHANGED;
    return AKIN_OK;
}

akin_status akin_publish_diff_see(akin_publish_diff *change, const char *id, size_t count,
                                  const char *const *neighbors, const float *score) {
    int64_t row = akin_ids_find(change->ids, id);
    if (row >= 0 && change->marks[row] != AKIN_PUBLISH_DIFF_FRESH) return AKIN_OK;
    change->seen += row < 0;
    if (row < 0) return keep_gone(change, id);
    if (reserve_rows(change, count + change->k) != AKIN_OK) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++)
        change->rows[i] = (int32_t)akin_ids_find_neighbor(change->ids, neighbors[i]);
    return see_row(change, (size_t)row, count, score);
}

void akin_publish_diff_see_same(akin_publish_diff *change, size_t row) {
    if (change->marks[row] != AKIN_PUBLISH_DIFF_FRESH) return;
    change->marks[row] = AKIN_PUBLISH_DIFF_SAME;
    change->seen++;
    change->common++;
}

void akin_publish_diff_count(akin_publish_diff *change, size_t items) {
    change->counted = items;
}

void akin_publish_diff_count_blindly(akin_publish_diff *change, size_t items) {
    change->counted = items;
    change->blind = true;
}

/* Each id is looked up once; then lists are compared by row. */
akin_status akin_publish_diff_see_table(akin_publish_diff *change, const akin_table *before,
                                        const akin_ids *before_ids) {
    akin_status status = AKIN_OK;
    akin_lists *lists = NULL;
    size_t k = akin_table_k(before), n = akin_table_items(before),
           total = akin_ids_total(before_ids);
    int32_t *now = akin_mem_alloc(total, sizeof *now);
    if (!now || reserve_rows(change, k + change->k) != AKIN_OK) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_lists_create(before, &lists));
    for (size_t row = 0; row < total; row++) {
        const char *id = akin_ids_text(before_ids, row);
        now[row] = (int32_t)(row < n ? akin_ids_find(change->ids, id)
                                     : akin_ids_find_neighbor(change->ids, id));
    }
    for (size_t row = 0; row < n; row++) {
        akin_list list;
        AKIN_TRY(akin_lists_get(lists, row, &list));
        if (now[row] >= 0 && change->marks[now[row]] != AKIN_PUBLISH_DIFF_FRESH) continue;
        for (size_t i = 0; i < list.count; i++) change->rows[i] = now[list.neighbor[i]];
        if (now[row] >= 0)
            AKIN_TRY(see_row(change, (size_t)now[row], list.count, list.score));
        else
            AKIN_TRY(keep_gone(change, akin_ids_text(before_ids, row)));
        change->seen += now[row] < 0;
    }
done:
    akin_lists_free(lists);
    akin_mem_free(now);
    return status;
}

akin_publish_diff_figures akin_publish_diff_result(const akin_publish_diff *change) {
    size_t n = akin_ids_count(change->ids),
           before = change->seen > change->counted ? change->seen : change->counted;
    size_t common = change->blind ? (before < n ? before : n) : change->common,
           gone = before - common;
    akin_publish_diff_figures figures = {
        .before = before,
        .common = common,
        .gone = gone,
        .fresh = n - common,
        .changed = change->changed,
        .churn = change->lists && change->common ? change->churn / (double)change->common : NAN,
        .shrink = before ? (double)gone / (double)before : NAN};
    return figures;
}

akin_publish_diff_mark akin_publish_diff_of(const akin_publish_diff *change, size_t row) {
    return change->marks[row];
}

float akin_publish_diff_share(const akin_publish_diff *change, size_t row) {
    return change->shares[row];
}

const char *akin_publish_diff_gone(const akin_publish_diff *change, size_t index) {
    return index < change->gone_count ? change->gone + change->gone_at[index] : NULL;
}

size_t akin_publish_diff_gone_seen(const akin_publish_diff *change) {
    return change->gone_count;
}
