/* gallery_ranks: the ranks that neighbours would have without rules. */
#include "gallery_ranks.h"
#include "gallery_data.h"
#include "gallery_scripts.h"
#include <akin/mem.h>
#include <akin/text.h>

typedef struct {
    akin_comm *comm;
    akin_gallery_folder *folder;
    const akin_table *table;
    akin_table *plain, *unboosted; /* unboosted: NULL = scores have no boosts */
    akin_lists *lists, *plain_lists, *unboosted_lists;
    float *boost; /* [targets] */
    akin_text *script;
} work;

/* Starts with 1; 0 = not in the list. */
static akin_status find_rank(akin_lists *lists, size_t item, int32_t neighbor, size_t *rank) {
    akin_list list;
    akin_status status = akin_lists_get(lists, item, &list);
    *rank = 0;
    for (size_t e = 0; status == AKIN_OK && e < list.count && *rank == 0; e++)
        if (list.neighbor[e] == neighbor) *rank = e + 1;
    return status;
}

static akin_status append_item(work *w, size_t item) {
    akin_status status = AKIN_OK;
    akin_list list;
    size_t offset = akin_table_is_against(w->table) ? akin_table_items(w->table) : 0;
    AKIN_TRY(akin_lists_get(w->lists, item, &list));
    AKIN_TRY(akin_text_append(w->script, "["));
    for (size_t e = 0; e < list.count; e++) {
        size_t plain, unboosted = e + 1;
        AKIN_TRY(find_rank(w->plain_lists, item, list.neighbor[e], &plain));
        if (w->unboosted)
            AKIN_TRY(find_rank(w->unboosted_lists, item, list.neighbor[e], &unboosted));
        AKIN_TRY(akin_text_append(w->script, "%s[%zu,%zu,%.9g]", e > 0 ? "," : "", plain, unboosted,
                                  (double)w->boost[(size_t)list.neighbor[e] - offset]));
    }
    status = akin_text_append(w->script, "]");
done:
    return status;
}

static akin_status write_ranks(void *context, size_t first, size_t count) {
    akin_status status;
    work *w = context;
    AKIN_TRY(akin_text_append(w->script, "akin.ranks(%zu,%zu,[", first, akin_table_k(w->plain)));
    for (size_t i = 0; i < count; i++) {
        AKIN_TRY(akin_text_append(w->script, i > 0 ? ",\n" : "\n"));
        AKIN_TRY(append_item(w, first + i));
    }
    status = akin_text_append(w->script, "]);\n");
done:
    return status;
}

static akin_status write_all(work *w, const akin_gallery_longer *longer) {
    akin_status status;
    akin_comm *alone = akin_comm_alone(w->comm);
    size_t n = akin_table_items(w->table), targets = akin_table_targets(w->table);
    AKIN_TRY(akin_table_open(alone, longer->plain, &w->plain));
    AKIN_TRY(akin_lists_create(w->plain, &w->plain_lists));
    AKIN_TRY(akin_lists_create(w->table, &w->lists));
    if (longer->unboosted) {
        AKIN_TRY(akin_table_open(alone, longer->unboosted, &w->unboosted));
        AKIN_TRY(akin_lists_create(w->unboosted, &w->unboosted_lists));
    }
    w->boost = akin_mem_alloc(targets, sizeof *w->boost);
    if (!w->boost) return AKIN_FAILED;
    AKIN_TRY(akin_table_boost(w->table, 0, targets, w->boost));
    AKIN_TRY(akin_text_create(&w->script));
    const akin_gallery_scripts scripts = {w->comm,           w->folder, "data/ranks", n,
                                          AKIN_GALLERY_LIST, w->script, write_ranks,  w};
    AKIN_TRY(akin_gallery_scripts_fan(&scripts));
    status = akin_gallery_scripts_write(&scripts, 0, 1);
done:
    return status;
}

akin_status akin_gallery_ranks(akin_comm *comm, akin_gallery_folder *folder,
                               const akin_table *table, const akin_gallery_longer *longer,
                               bool *done) {
    work w = {.comm = comm, .folder = folder, .table = table};
    *done = longer->plain != NULL;
    akin_status status = *done ? write_all(&w, longer) : AKIN_OK;
    akin_lists_free(w.lists);
    akin_lists_free(w.plain_lists);
    akin_lists_free(w.unboosted_lists);
    akin_table_close(w.plain);
    akin_table_close(w.unboosted);
    akin_mem_free(w.boost);
    akin_text_free(w.script);
    return status;
}
