/* gallery_duplicates: items that look the same, grouped in sets. */
#include "gallery_duplicates.h"
#include <akin/csv.h>
#include <akin/ids.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/table.h>
#include <akin/text.h>
#include <stdint.h>
#include <stdlib.h>

static const float same = 1; /* score of duplicates, if the table has none: bit-identical vectors */

/* A duplicate, and the size of its set. */
typedef struct {
    int32_t kept, row;
    size_t size;
} member;

/* With two catalogues, duplicates are targets, which come after the items. */
static size_t offset_of(const akin_table *table) {
    return akin_table_is_against(table) ? akin_table_items(table) : 0;
}

/* In each set the first available one stands for it, if there is one. Of what the table itself
 * collapsed, it has decided which one is recommended. */
static akin_status prefer_available(const akin_table *table, int32_t *of) {
    akin_status status = AKIN_OK;
    size_t n = akin_table_targets(table);
    int8_t *available = akin_mem_alloc(n, sizeof *available);
    int32_t *instead = akin_mem_alloc(n, sizeof *instead); /* of an unavailable one; -1 = none */
    if (!available || !instead) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_ncfile_get(akin_table_file(table), "available", 0, n, available));
    for (size_t i = 0; i < n; i++) instead[i] = -1;
    for (size_t i = 0; i < n; i++)
        if (of[i] >= 0 && available[i] && !available[of[i]] && instead[of[i]] < 0)
            instead[of[i]] = (int32_t)i;
    for (size_t i = 0; i < n; i++)
        if (of[i] >= 0 && instead[of[i]] >= 0)
            of[i] = instead[of[i]] == (int32_t)i ? -1 : instead[of[i]];
    for (size_t i = 0; i < n; i++)
        if (instead[i] >= 0) of[i] = instead[i];
done:
    akin_mem_free(available);
    akin_mem_free(instead);
    return status;
}

static akin_status look_through(const akin_table *table, int32_t *of) {
    akin_status status = AKIN_OK;
    akin_lists *lists = NULL;
    size_t n = akin_table_targets(table);
    for (size_t i = 0; i < n; i++) of[i] = -1;
    if (akin_table_is_calibrated(table) || akin_table_is_against(table)) return AKIN_OK;
    AKIN_TRY(akin_lists_create(table, &lists));
    for (size_t i = 0; i < n; i++) {
        akin_list list;
        AKIN_TRY(akin_lists_get(lists, i, &list));
        for (size_t e = 0; e < list.count; e++) {
            int32_t other = list.neighbor[e];
            if (list.score[e] < same || other >= (int32_t)i) continue;
            int32_t kept = of[other] >= 0 ? of[other] : other;
            if (of[i] < 0 || kept < of[i]) of[i] = kept;
        }
    }
    status = prefer_available(table, of);
done:
    akin_lists_free(lists);
    return status;
}

static int by_set(const void *x, const void *y) {
    const member *a = x, *b = y;
    if (a->size != b->size) return a->size > b->size ? -1 : 1;
    if (a->kept != b->kept) return a->kept < b->kept ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* The members of all sets, the largest set first. */
static akin_status sort_sets(const int32_t *of, size_t n, member **out, size_t *count,
                             size_t *sets) {
    akin_status status = AKIN_OK;
    size_t *size = akin_mem_zalloc(n, sizeof *size);
    if (!size) return AKIN_FAILED;
    *count = *sets = 0;
    for (size_t i = 0; i < n; i++)
        if (of[i] >= 0) {
            *sets += size[of[i]]++ == 0;
            ++*count;
        }
    member *all = *out = akin_mem_alloc(*count, sizeof *all);
    if (!all) AKIN_TRY(AKIN_FAILED);
    for (size_t i = 0, at = 0; i < n; i++)
        if (of[i] >= 0) all[at++] = (member){of[i], (int32_t)i, size[of[i]]};
    qsort(all, *count, sizeof *all, by_set);
done:
    akin_mem_free(size);
    return status;
}

/* offset: the place of these rows among those of the page. */
static akin_status append_sets(akin_text *script, const member *all, size_t count, size_t offset) {
    akin_status status = AKIN_OK;
    for (size_t at = 0, sets = 0; at < count; at += all[at].size, sets++) {
        AKIN_TRY(akin_text_append(script, "%s\n[%zu,%zu,[", sets > 0 ? "," : "",
                                  (size_t)all[at].kept + offset, all[at].size));
        for (size_t m = 0; m < all[at].size && m < AKIN_GALLERY_MEMBERS; m++)
            AKIN_TRY(
                akin_text_append(script, m > 0 ? ",%zu" : "%zu", (size_t)all[at + m].row + offset));
        AKIN_TRY(akin_text_append(script, "]]"));
    }
    status = akin_text_append(script, "]});\n");
done:
    return status;
}

/* All duplicates, as a CSV file. */
static akin_status write_csv(akin_gallery_folder *folder, const akin_table *table,
                             const member *all, size_t count) {
    akin_status status = AKIN_OK;
    akin_ids *ids = NULL;
    akin_text *csv = NULL;
    AKIN_TRY(akin_ids_read(akin_table_file(table), &ids));
    AKIN_TRY(akin_text_create(&csv));
    AKIN_TRY(akin_text_append(csv, "kept,duplicate\n"));
    for (size_t i = 0; i < count; i++) {
        size_t offset = offset_of(table);
        AKIN_TRY(akin_csv_append(csv, akin_ids_text(ids, (size_t)all[i].kept + offset)));
        AKIN_TRY(akin_text_append(csv, ","));
        AKIN_TRY(akin_csv_append(csv, akin_ids_text(ids, (size_t)all[i].row + offset)));
        AKIN_TRY(akin_text_append(csv, "\n"));
    }
    status = akin_gallery_folder_put(folder, "duplicates.csv", akin_text_bytes(csv),
                                     akin_text_length(csv));
done:
    akin_text_free(csv);
    akin_ids_free(ids);
    return status;
}

akin_status akin_gallery_duplicates(akin_gallery_folder *folder, const akin_table *table,
                                    size_t *found) {
    akin_status status = AKIN_OK;
    size_t n = akin_table_targets(table), sets = 0;
    member *all = NULL;
    akin_text *script = NULL;
    int32_t *of = akin_mem_alloc(n, sizeof *of);
    *found = 0;
    if (!of) return AKIN_FAILED;
    AKIN_TRY(akin_table_has_duplicates(table) ? akin_table_duplicates(table, 0, n, of)
                                              : look_through(table, of));
    AKIN_TRY(sort_sets(of, n, &all, found, &sets));
    if (*found == 0) goto done;
    AKIN_TRY(akin_text_create(&script));
    AKIN_TRY(akin_text_append(
        script, "akin.duplicates({\"collapsed\":%s,\"items\":%zu,\"sets\":%zu,\"shown\":[",
        akin_table_has_duplicates(table) ? "true" : "false", *found, sets));
    AKIN_TRY(append_sets(script, all, *found, offset_of(table)));
    AKIN_TRY(akin_gallery_folder_put(folder, "data/duplicates.js", akin_text_bytes(script),
                                     akin_text_length(script)));
    status = write_csv(folder, table, all, *found);
done:
    akin_mem_free(of);
    akin_mem_free(all);
    akin_text_free(script);
    return status;
}
