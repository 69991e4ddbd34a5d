/* lists: the neighbours of a table's items, read in blocks on demand. */
#include <akin/mem.h>
#include <akin/table.h>
#include <stdlib.h>

#define BLOCK_VALUES ((size_t)1 << 18) /* neighbours in memory */

struct akin_lists {
    const akin_table *table;
    size_t k, room, first, count; /* rows [first, first + count) are in memory */
    int32_t *neighbor, *counts;
    float *score;
};

akin_status akin_lists_create(const akin_table *table, akin_lists **out) {
    akin_lists *lists = akin_mem_zalloc(1, sizeof *lists);
    *out = NULL;
    if (!lists) return AKIN_FAILED;
    size_t k = akin_table_k(table), items = akin_table_items(table);
    size_t room = k < BLOCK_VALUES ? BLOCK_VALUES / k : 1;
    *lists = (akin_lists){.table = table, .k = k, .room = room < items ? room : items};
    lists->neighbor = akin_mem_alloc(lists->room * k, sizeof *lists->neighbor);
    lists->counts = akin_mem_alloc(lists->room, sizeof *lists->counts);
    lists->score = akin_mem_alloc(lists->room * k, sizeof *lists->score);
    if (!lists->neighbor || !lists->counts || !lists->score) {
        akin_lists_free(lists);
        return AKIN_FAILED;
    }
    *out = lists;
    return AKIN_OK;
}

static akin_status read_from(akin_lists *lists, size_t row) {
    size_t left = akin_table_items(lists->table) - row,
           count = row == lists->first + lists->count ? lists->room : 1;
    if (count > left) count = left;
    lists->first = row;
    lists->count = 0;
    akin_status status =
        akin_table_rows(lists->table, row, count, lists->neighbor, lists->score, lists->counts);
    if (status == AKIN_OK) lists->count = count;
    size_t offset = akin_table_is_against(lists->table) ? akin_table_items(lists->table) : 0;
    for (size_t e = 0; offset > 0 && e < lists->count * lists->k; e++)
        if (lists->neighbor[e] >= 0) lists->neighbor[e] += (int32_t)offset;
    return status;
}

bool akin_lists_peek(const akin_lists *lists, size_t row, akin_list *out) {
    if (row < lists->first || row >= lists->first + lists->count) return false;
    size_t at = row - lists->first;
    *out = (akin_list){row, (size_t)lists->counts[at], lists->neighbor + at * lists->k,
                       lists->score + at * lists->k};
    return true;
}

akin_status akin_lists_get(akin_lists *lists, size_t row, akin_list *out) {
    if (akin_lists_peek(lists, row, out)) return AKIN_OK;
    akin_status status = read_from(lists, row);
    if (status == AKIN_OK) (void)akin_lists_peek(lists, row, out);
    return status;
}

static int compare_rows(const void *left, const void *right) {
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

size_t akin_lists_common(int32_t *a, size_t a_count, int32_t *b, size_t b_count) {
    size_t both = 0;
    if (a_count == 0 || b_count == 0) return 0;
    qsort(a, a_count, sizeof *a, compare_rows);
    qsort(b, b_count, sizeof *b, compare_rows);
    for (size_t i = 0, j = 0; i < a_count && j < b_count;) {
        int order = compare_rows(&a[i], &b[j]);
        both += order == 0 && a[i] >= 0;
        i += order <= 0;
        j += order >= 0;
    }
    return both;
}

void akin_lists_free(akin_lists *lists) {
    if (!lists) return;
    akin_mem_free(lists->neighbor);
    akin_mem_free(lists->counts);
    akin_mem_free(lists->score);
    akin_mem_free(lists);
}
