/* gallery_changes: what changed since the table before, for the gallery's page. */
#include "gallery_changes.h"
#include "gallery_data.h"
#include <akin/ids.h>
#include <akin/lists.h>
#include <akin/mem.h>
#include <akin/publish_diff.h>
#include <akin/text.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#define SHOWN 12 /* neighbours of a list as it was */

typedef struct {
    const akin_table *before;
    akin_ids *ids, *before_ids;
    akin_publish_diff *change;
    akin_lists *lists; /* of the table before */
    akin_text *script;
    size_t most[AKIN_GALLERY_CHANGED], count; /* rows, most changed first */
} page;

/* Keeps the row among those that changed most; of equals the first rows. */
static void consider(page *p, size_t row) {
    float share = akin_publish_diff_share(p->change, row);
    size_t at = p->count;
    if (!(share > 0)) return;
    while (at > 0 && akin_publish_diff_share(p->change, p->most[at - 1]) < share) at--;
    if (at == AKIN_GALLERY_CHANGED) return;
    if (p->count < AKIN_GALLERY_CHANGED) p->count++;
    memmove(p->most + at + 1, p->most + at, (p->count - at - 1) * sizeof *p->most);
    p->most[at] = row;
}

static akin_status append_figures(page *p) {
    akin_publish_diff_figures it = akin_publish_diff_result(p->change);
    return akin_text_append(
        p->script,
        "akin.changed({\"before\":%zu,\"new\":%zu,\"gone\":%zu,\"changed\":%zu,\"churn\":%.6f",
        it.before, it.fresh, it.gone, it.changed, isnan(it.churn) ? 0 : it.churn);
}

static akin_status append_fresh(page *p) {
    akin_status status = AKIN_OK;
    size_t named = 0;
    AKIN_TRY(akin_text_append(p->script, ",\n\"new_rows\":["));
    for (size_t row = 0; row < akin_ids_count(p->ids) && named < AKIN_GALLERY_NAMED; row++)
        if (akin_publish_diff_of(p->change, row) == AKIN_PUBLISH_DIFF_FRESH)
            AKIN_TRY(akin_text_append(p->script, named++ > 0 ? ",%zu" : "%zu", row));
    AKIN_TRY(akin_text_append(p->script, "],\n\"gone_ids\":["));
    for (size_t i = 0; i < AKIN_GALLERY_NAMED && akin_publish_diff_gone(p->change, i); i++) {
        if (i > 0) AKIN_TRY(akin_text_append(p->script, ","));
        AKIN_TRY(akin_text_append_json(p->script, akin_publish_diff_gone(p->change, i)));
    }
    status = akin_text_append(p->script, "]");
done:
    return status;
}

/* [row, share of neighbours that changed, [[id, row now or -1, score, 1 if it is fill]...]] */
static akin_status append_list(page *p, size_t row) {
    akin_status status = AKIN_OK;
    akin_list list;
    int32_t fill;
    int64_t old = akin_ids_find(p->before_ids, akin_ids_text(p->ids, row));
    AKIN_TRY(akin_text_append(p->script, "\n[%zu,%.4f,[", row,
                              (double)akin_publish_diff_share(p->change, row)));
    AKIN_TRY(akin_lists_get(p->lists, (size_t)old, &list));
    AKIN_TRY(akin_table_filled(p->before, (size_t)old, 1, &fill));
    for (size_t i = 0; i < list.count && i < SHOWN; i++) {
        const char *id = akin_ids_text(p->before_ids, (size_t)list.neighbor[i]);
        AKIN_TRY(akin_text_append(p->script, i > 0 ? ",[" : "["));
        AKIN_TRY(akin_text_append_json(p->script, id));
        AKIN_TRY(akin_text_append(p->script, ",%lld,", (long long)akin_ids_find(p->ids, id)));
        AKIN_TRY(akin_gallery_score(p->script, p->before, list.score[i]));
        AKIN_TRY(akin_text_append(p->script, i + (size_t)fill >= list.count ? ",1]" : "]"));
    }
    status = akin_text_append(p->script, "]]");
done:
    return status;
}

static akin_status append_lists(page *p) {
    akin_status status = AKIN_OK;
    for (size_t row = 0; row < akin_ids_count(p->ids); row++)
        if (akin_publish_diff_of(p->change, row) == AKIN_PUBLISH_DIFF_CHANGED) consider(p, row);
    AKIN_TRY(akin_text_append(p->script, ",\n\"lists\":["));
    for (size_t i = 0; i < p->count; i++) {
        if (i > 0) AKIN_TRY(akin_text_append(p->script, ","));
        AKIN_TRY(append_list(p, p->most[i]));
    }
    status = akin_text_append(p->script, "]});\n");
done:
    return status;
}

akin_status akin_gallery_changes(akin_gallery_folder *folder, const akin_table *table,
                                 const akin_table *before) {
    akin_status status = AKIN_OK;
    page p = {.before = before};
    AKIN_TRY(akin_ids_read(akin_table_file(table), &p.ids));
    AKIN_TRY(akin_ids_read(akin_table_file(before), &p.before_ids));
    AKIN_TRY(akin_publish_diff_create(table, p.ids, &p.change));
    AKIN_TRY(akin_publish_diff_see_table(p.change, before, p.before_ids));
    AKIN_TRY(akin_lists_create(before, &p.lists));
    AKIN_TRY(akin_text_create(&p.script));
    AKIN_TRY(append_figures(&p));
    AKIN_TRY(append_fresh(&p));
    AKIN_TRY(append_lists(&p));
    status = akin_gallery_folder_put(folder, "data/changes.js", akin_text_bytes(p.script),
                                     akin_text_length(p.script));
done:
    akin_text_free(p.script);
    akin_lists_free(p.lists);
    akin_publish_diff_free(p.change);
    akin_ids_free(p.before_ids);
    akin_ids_free(p.ids);
    return status;
}
