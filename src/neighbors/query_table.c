/* query_table: the place of one item or product in a table's list of another. */
#include "query_table.h"
#include <akin/ids.h>
#include <akin/mem.h>
#include <akin/table.h>
#include <string.h>

typedef struct {
    const akin_table *table;
    akin_ids *ids;
    int64_t row, other; /* rows of the ids */
} looking;

static akin_status find_rank(const looking *l, akin_query_place *out) {
    akin_status status;
    akin_lists *lists = NULL;
    akin_list list = {0};
    int32_t pinned, filled;
    AKIN_TRY(akin_lists_create(l->table, &lists));
    AKIN_TRY(akin_lists_get(lists, (size_t)l->row, &list));
    AKIN_TRY(akin_table_pinned(l->table, (size_t)l->row, 1, &pinned));
    AKIN_TRY(akin_table_filled(l->table, (size_t)l->row, 1, &filled));
    for (size_t e = 0; e < list.count && out->rank == 0; e++)
        if (list.neighbor[e] == l->other) out->rank = e + 1;
    out->pinned = out->rank > 0 && out->rank <= (size_t)pinned;
    out->filled = out->rank > list.count - (size_t)filled;
done:
    akin_lists_free(lists);
    return status;
}

/* Rows of duplicates are those of items, or of targets. */
static akin_status find_duplicate(const looking *l, akin_query_place *out) {
    akin_status status;
    bool against = akin_table_is_against(l->table);
    const size_t first = against ? akin_ids_count(l->ids) : 0;
    int32_t of, mine = -1;
    AKIN_TRY(akin_table_duplicates(l->table, (size_t)l->other - first, 1, &of));
    if (!against) AKIN_TRY(akin_table_duplicates(l->table, (size_t)l->row, 1, &mine));
    out->collapsed = of >= 0 || (int64_t)mine == l->other;
    if (of < 0) return AKIN_OK;
    out->duplicate_of = akin_mem_text(akin_ids_text(l->ids, first + (size_t)of));
    if (!out->duplicate_of) return AKIN_FAILED;
done:
    return status;
}

/* On rank 0. */
static akin_status look(akin_comm *comm, const akin_query_params *params, akin_query_place *out) {
    akin_status status;
    akin_table *table = NULL;
    looking l = {0};
    AKIN_TRY(akin_table_open(akin_comm_alone(comm), params->table->path, &table));
    AKIN_TRY(akin_ids_read(akin_table_file(table), &l.ids));
    l.table = table;
    l.row = akin_ids_find(l.ids, params->id);
    l.other = akin_ids_find_neighbor(l.ids, params->why);
    if (l.row < 0 || l.other < 0)
        AKIN_TRY(akin_error_set(AKIN_INPUT, "%s has no row '%s'", params->table->path,
                                l.row < 0 ? params->id : params->why));
    AKIN_TRY(find_rank(&l, out));
    if (akin_table_has_duplicates(table)) status = find_duplicate(&l, out);
done:
    akin_ids_free(l.ids);
    akin_table_close(table);
    return status;
}

akin_status akin_query_table_place(akin_comm *comm, const akin_query_params *params,
                                   akin_query_place *out) {
    akin_status status;
    void *name = NULL;
    size_t length = 0;
    *out = (akin_query_place){0};
    AKIN_TRY(akin_agree(comm, akin_comm_rank(comm) == 0 ? look(comm, params, out) : AKIN_OK));
    name = out->duplicate_of;
    if (name) length = strlen(name) + 1;
    akin_comm_broadcast(comm, out, sizeof *out, 0);
    out->duplicate_of = NULL;
    AKIN_TRY(akin_comm_share(comm, &name, &length, 0));
    if (length > 0) out->duplicate_of = name, name = NULL;
done:
    akin_mem_free(name);
    return status;
}
