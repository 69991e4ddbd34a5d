/* gallery_changes: what changed since the previous table, for the gallery's page. */
#include "gallery_changes.h"
#include "gallery_data.h"
#include <akin/csv.h>
#include <akin/file.h>
#include <akin/ids.h>
#include <akin/labels.h>
#include <akin/mem.h>
#include <akin/publish_diff.h>
#include <akin/table.h>
#include <akin/text.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define SHOWN 12 /* neighbours shown of a previous list */
#define GONE_FOLDER "pictures/gone"

typedef struct {
    const akin_table *table, *before;
    akin_ids *ids, *before_ids;
    akin_publish_diff *change;
    akin_labels *before_labels;
    akin_lists *lists; /* of the previous table */
    akin_text *script;
    size_t most[AKIN_GALLERY_CHANGED], count; /* rows, most changed first */
    const akin_gallery_reuse *reuse;          /* NULL = none */
    akin_gallery_folder *folder;
} page;

/* Keeps the row if it is among those that changed most; ties go to the lower rows. */
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

/* Whether a folder's name is a night, "2026-03-01". */
static bool is_night(const char *name) {
    static const char form[] = "dddd-dd-dd";
    size_t i = 0;
    for (; form[i] && name[i]; i++)
        if (form[i] == 'd' ? name[i] < '0' || name[i] > '9' : name[i] != form[i]) return false;
    return !form[i] && !name[i];
}

/* The night of a table: the name of its folder, or else the day on which the file was written:
 * "2026-03-01"; "" unknown. */
static void day_of(const akin_table *table, char day[16]) {
    struct stat about;
    struct tm broken;
    char *folder = akin_file_folder(akin_ncfile_path(akin_table_file(table)));
    const char *name = folder ? akin_file_name(folder) : "";
    snprintf(day, 16, "%s", is_night(name) ? name : "");
    akin_mem_free(folder);
    if (*day) return;
    if (stat(akin_ncfile_path(akin_table_file(table)), &about) == 0 &&
        gmtime_r(&about.st_mtime, &broken))
        strftime(day, 16, "%Y-%m-%d", &broken);
}

/* Possible reasons why lists changed: items that became unavailable or available, and another
 * model. */
typedef struct {
    size_t withdrawn, back;
    bool model;
} causes;

static akin_status compare_models(const page *p, bool *differ) {
    akin_status status = AKIN_OK;
    char *now = NULL, *was = NULL;
    AKIN_TRY(akin_ncfile_get_attribute(akin_table_file(p->table), "input_model_digest", &now));
    AKIN_TRY(akin_ncfile_get_attribute(akin_table_file(p->before), "input_model_digest", &was));
    *differ = now && was && strcmp(now, was) != 0;
done:
    akin_mem_free(now);
    akin_mem_free(was);
    return status;
}

static akin_status find_causes(const page *p, causes *out) {
    akin_status status = AKIN_OK;
    size_t n = akin_ids_count(p->ids), before = akin_ids_count(p->before_ids);
    int8_t *now = akin_mem_alloc(n, 1), *was = akin_mem_alloc(before, 1);
    *out = (causes){0};
    if (!now || !was) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_ncfile_get(akin_table_file(p->table), "available", 0, n, now));
    AKIN_TRY(akin_ncfile_get(akin_table_file(p->before), "available", 0, before, was));
    for (size_t row = 0; row < n; row++) {
        int64_t old = akin_ids_find(p->before_ids, akin_ids_text(p->ids, row));
        out->withdrawn += old >= 0 && was[old] && !now[row];
        out->back += old >= 0 && !was[old] && now[row];
    }
    status = compare_models(p, &out->model);
done:
    akin_mem_free(now);
    akin_mem_free(was);
    return status;
}

static akin_status append_figures(page *p) {
    akin_status status = AKIN_OK;
    akin_publish_diff_figures it = akin_publish_diff_result(p->change);
    char made[16], made_before[16];
    causes why;
    AKIN_TRY(find_causes(p, &why));
    day_of(p->table, made);
    day_of(p->before, made_before);
    status = akin_text_append(
        p->script,
        "{\"before\":%zu,\"new\":%zu,\"gone\":%zu,\"changed\":%zu,\"churn\":%.6f,"
        "\"made\":\"%s\",\"made_before\":\"%s\",\"withdrawn\":%zu,\"back\":%zu,\"model\":%s",
        it.before, it.fresh, it.gone, it.changed, isnan(it.churn) ? 0 : it.churn, made, made_before,
        why.withdrawn, why.back, why.model ? "true" : "false");
done:
    return status;
}

/* --- all changes, as a CSV file --- */

static akin_status append_row(akin_text *csv, const char *what, const char *id, double share) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_text_append(csv, "%s,", what));
    AKIN_TRY(akin_csv_append(csv, id));
    status = isnan(share) ? akin_text_append(csv, ",\n") : akin_text_append(csv, ",%.4f\n", share);
done:
    return status;
}

static akin_status write_csv(page *p, akin_gallery_folder *folder) {
    akin_status status = AKIN_OK;
    akin_text *csv = NULL;
    AKIN_TRY(akin_text_create(&csv));
    AKIN_TRY(akin_text_append(csv, "change,id,share\n"));
    for (size_t row = 0; row < akin_ids_count(p->ids); row++) {
        akin_publish_diff_mark mark = akin_publish_diff_of(p->change, row);
        if (mark == AKIN_PUBLISH_DIFF_SAME) continue;
        AKIN_TRY(append_row(
            csv, mark == AKIN_PUBLISH_DIFF_FRESH ? "new" : "changed", akin_ids_text(p->ids, row),
            mark == AKIN_PUBLISH_DIFF_FRESH ? NAN
                                            : (double)akin_publish_diff_share(p->change, row)));
    }
    for (size_t i = 0; akin_publish_diff_gone(p->change, i); i++)
        AKIN_TRY(append_row(csv, "gone", akin_publish_diff_gone(p->change, i), NAN));
    status =
        akin_gallery_folder_put(folder, "changes.csv", akin_text_bytes(csv), akin_text_length(csv));
done:
    akin_text_free(csv);
    return status;
}

/* --- the page --- */

/* Links the pictures that an earlier gallery has of removed items; returns the numbers of those
 * found. */
static akin_status append_gone_pictures(page *p) {
    akin_status status = AKIN_OK;
    bool any = false;
    if (!p->reuse || !akin_publish_diff_gone(p->change, 0)) return AKIN_OK;
    AKIN_TRY(akin_gallery_folder_fan(p->folder, GONE_FOLDER, AKIN_GALLERY_NAMED));
    for (size_t i = 0; i < AKIN_GALLERY_NAMED && akin_publish_diff_gone(p->change, i); i++) {
        char name[AKIN_GALLERY_NAME_SIZE];
        bool done = false;
        akin_gallery_name(name, GONE_FOLDER, i, ".jpg");
        AKIN_TRY(akin_gallery_reuse_take_last(p->reuse, akin_publish_diff_gone(p->change, i),
                                              p->folder, name, &done));
        if (!done) continue;
        AKIN_TRY(akin_text_append(p->script, any ? ",%zu" : "%zu", i));
        any = true;
    }
done:
    return status;
}

static akin_status append_gone(page *p) {
    akin_status status = AKIN_OK;
    const char *id;
    AKIN_TRY(akin_text_append(p->script, "],\n\"gone_ids\":["));
    for (size_t i = 0; i < AKIN_GALLERY_NAMED && (id = akin_publish_diff_gone(p->change, i)); i++) {
        if (i > 0) AKIN_TRY(akin_text_append(p->script, ","));
        AKIN_TRY(akin_text_append_json(p->script, id));
    }
    AKIN_TRY(akin_text_append(p->script, "],\n\"gone_categories\":["));
    for (size_t i = 0; i < AKIN_GALLERY_NAMED && (id = akin_publish_diff_gone(p->change, i)); i++) {
        int32_t category = akin_labels_category(p->before_labels)[akin_ids_find(p->before_ids, id)];
        if (i > 0) AKIN_TRY(akin_text_append(p->script, ","));
        AKIN_TRY(akin_text_append_json(p->script,
                                       akin_labels_category_name(p->before_labels, category)));
    }
    AKIN_TRY(akin_text_append(p->script, "],\n\"gone_pictures\":["));
    AKIN_TRY(append_gone_pictures(p));
    status = akin_text_append(p->script, "]");
done:
    return status;
}

static akin_status append_fresh(page *p) {
    akin_status status = AKIN_OK;
    size_t named = 0;
    AKIN_TRY(akin_text_append(p->script, ",\n\"new_rows\":["));
    for (size_t row = 0; row < akin_ids_count(p->ids) && named < AKIN_GALLERY_NAMED; row++)
        if (akin_publish_diff_of(p->change, row) == AKIN_PUBLISH_DIFF_FRESH)
            AKIN_TRY(akin_text_append(p->script, named++ > 0 ? ",%zu" : "%zu", row));
    status = append_gone(p);
done:
    return status;
}

/* [row, share of neighbours that changed, [[id, current row or -1, score, 1 if filled in]...]] */
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
        AKIN_TRY(
            akin_text_append(p->script, ",%lld,", (long long)akin_ids_find_neighbor(p->ids, id)));
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

/* The options of the other table, for a comparison. */
static akin_status append_settings(page *p) {
    akin_status status = AKIN_OK;
    char *options = NULL;
    AKIN_TRY(
        akin_ncfile_get_attribute(akin_table_file(p->before), "akin_result_options", &options));
    AKIN_TRY(akin_text_append(p->script,
                              ",\n\"digest\":\"%s\",\"settings\":", akin_table_digest(p->before)));
    status = akin_text_append_json(p->script, options ? options : "");
done:
    akin_mem_free(options);
    return status;
}

akin_status akin_gallery_changes(akin_gallery_folder *folder, const akin_table *table,
                                 const akin_table *before, akin_gallery_other other,
                                 const akin_gallery_reuse *reuse) {
    akin_status status = AKIN_OK;
    bool beside = other == AKIN_GALLERY_BESIDE;
    page p = {.table = table, .before = before, .reuse = reuse, .folder = folder};
    AKIN_TRY(akin_ids_read(akin_table_file(table), &p.ids));
    AKIN_TRY(akin_ids_read(akin_table_file(before), &p.before_ids));
    AKIN_TRY(akin_labels_read(akin_table_file(before), 0, akin_ids_count(p.before_ids),
                              &p.before_labels));
    AKIN_TRY(akin_publish_diff_create(table, p.ids, &p.change));
    AKIN_TRY(akin_publish_diff_see_table(p.change, before, p.before_ids));
    AKIN_TRY(akin_lists_create(before, &p.lists));
    AKIN_TRY(akin_text_create(&p.script));
    AKIN_TRY(akin_text_append(p.script, beside ? "akin.beside(" : "akin.changed("));
    AKIN_TRY(append_figures(&p));
    if (beside) AKIN_TRY(append_settings(&p));
    AKIN_TRY(append_fresh(&p));
    AKIN_TRY(append_lists(&p));
    AKIN_TRY(akin_gallery_folder_put(folder, beside ? "data/beside.js" : "data/changes.js",
                                     akin_text_bytes(p.script), akin_text_length(p.script)));
    if (!beside) status = write_csv(&p, folder);
done:
    akin_text_free(p.script);
    akin_lists_free(p.lists);
    akin_publish_diff_free(p.change);
    akin_labels_free(p.before_labels);
    akin_ids_free(p.before_ids);
    akin_ids_free(p.ids);
    return status;
}
