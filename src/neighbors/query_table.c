/* query_table: a table's list of an item or product, and the place of another in it. */
#include "query_table.h"
#include "query_item.h"
#include <akin/ids.h>
#include <akin/mem.h>
#include <akin/table.h>
#include <string.h>

typedef struct {
    akin_table *table;
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

static void stop_looking(looking *l) {
    akin_ids_free(l->ids);
    akin_table_close(l->table);
}

/* On rank 0. */
static akin_status start_looking(akin_comm *comm, const akin_query_params *params, looking *l) {
    akin_status status;
    *l = (looking){0};
    AKIN_TRY(akin_table_open(akin_comm_alone(comm), params->table->path, &l->table));
    AKIN_TRY(akin_ids_read(akin_table_file(l->table), &l->ids));
    l->row = akin_ids_find(l->ids, params->id);
    l->other = params->why ? akin_ids_find_neighbor(l->ids, params->why) : 0;
    if (l->row < 0 || l->other < 0)
        status = akin_error_set(AKIN_INPUT, "%s has no row '%s'", params->table->path,
                                l->row < 0 ? params->id : params->why);
done:
    return status;
}

/* On rank 0. */
static akin_status look(akin_comm *comm, const akin_query_params *params, akin_query_place *out) {
    looking l;
    akin_status status;
    AKIN_TRY(start_looking(comm, params, &l));
    AKIN_TRY(find_rank(&l, out));
    if (akin_table_has_duplicates(l.table)) status = find_duplicate(&l, out);
done:
    stop_looking(&l);
    return status;
}

/* On rank 0. */
static akin_status read_list(akin_comm *comm, const akin_query_params *params, akin_answer **out) {
    looking l;
    akin_status status;
    akin_lists *lists = NULL;
    akin_list list = {0};
    const char **names = NULL;
    AKIN_TRY(start_looking(comm, params, &l));
    AKIN_TRY(akin_lists_create(l.table, &lists));
    AKIN_TRY(akin_lists_get(lists, (size_t)l.row, &list));
    if (!(names = akin_mem_alloc(list.count, sizeof *names))) AKIN_TRY(AKIN_FAILED);
    for (size_t e = 0; e < list.count; e++)
        names[e] = akin_ids_text(l.ids, (size_t)list.neighbor[e]);
    status =
        akin_query_answer_create(akin_table_targets(l.table), names, list.score, list.count, out);
done:
    akin_mem_free(names);
    akin_lists_free(lists);
    stop_looking(&l);
    return status;
}

akin_status akin_query_table_list(akin_comm *comm, const akin_query_params *params,
                                  akin_answer **out) {
    *out = NULL;
    return akin_agree(comm, akin_comm_rank(comm) == 0 ? read_list(comm, params, out) : AKIN_OK);
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
