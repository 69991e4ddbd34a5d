/* gallery_rows: the rows that a page shows. */
#include "gallery_rows.h"
#include <akin/embeddings.h>
#include <akin/ids.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <stdbool.h>
#include <string.h>

/* --- products --- */

static akin_status check_embeddings(const akin_table *table, const akin_embeddings *embeddings,
                                    const char *path) {
    if (akin_ncfile_has_text(akin_table_file(table), "input_embeddings_digest",
                             akin_embeddings_digest(embeddings)))
        return AKIN_OK;
    return akin_error_set(AKIN_INPUT, "%s is not what %s was made from", path,
                          akin_ncfile_path(akin_table_file(table)));
}

/* The pictures of each product: a group's items, or an item without a group. */
static akin_status sort_pictures(akin_gallery_rows *rows, const akin_ids *products,
                                 const char *path) {
    akin_labels *pictures = rows->pictures;
    size_t n = akin_labels_count(pictures);
    int32_t *of = akin_mem_alloc(n, sizeof *of),
            *first = rows->first = akin_mem_zalloc(rows->items + 2, sizeof *first);
    rows->shown = akin_mem_alloc(n, sizeof *rows->shown);
    akin_status status = of && first && rows->shown ? AKIN_OK : AKIN_FAILED;
    for (size_t i = 0; i < n && status == AKIN_OK; i++) {
        int32_t group = akin_labels_group(pictures)[i];
        int64_t row = akin_ids_find(products, group >= 0 ? akin_labels_group_name(pictures, group)
                                                         : akin_labels_id(pictures, i));
        if (row < 0)
            status = akin_error_set(AKIN_INPUT, "%s: the item \"%s\" is of no product of the table",
                                    path, akin_labels_id(pictures, i));
        else
            of[i] = (int32_t)row, first[row + 2]++;
    }
    for (size_t r = 0; r < rows->items && status == AKIN_OK; r++) first[r + 2] += first[r + 1];
    for (size_t i = 0; i < n && status == AKIN_OK; i++) /* first[r + 1] becomes the end of r */
        rows->shown[first[of[i] + 1]++] = (int32_t)i;
    akin_mem_free(of);
    return status;
}

/* Collective; agreed. */
static akin_status read_pictures(akin_comm *comm, const akin_table *table, const char *path,
                                 akin_gallery_rows *rows) {
    akin_status status;
    akin_embeddings *embeddings = NULL;
    akin_ids *products = NULL;
    if (!path)
        return akin_error_option(
            "embeddings",
            "%s: a table between products (--by group): give the embeddings that it was made from "
            "with --embeddings, to find the pictures of each product",
            akin_ncfile_path(akin_table_file(table)));
    AKIN_TRY(akin_embeddings_open(comm, path, &embeddings));
    akin_status local = check_embeddings(table, embeddings, path);
    if (local == AKIN_OK)
        local = akin_labels_read(akin_embeddings_file(embeddings), 0,
                                 akin_embeddings_items(embeddings), &rows->pictures);
    if (local == AKIN_OK) local = akin_ids_read(akin_table_file(table), &products);
    if (local == AKIN_OK) local = sort_pictures(rows, products, path);
    AKIN_TRY(akin_agree(comm, local));
done:
    akin_ids_free(products);
    akin_embeddings_close(embeddings);
    return status;
}

/* --- targets --- */

/* Collective; agreed. */
static akin_status read_targets(akin_comm *comm, const akin_table *table, const char *path,
                                akin_gallery_rows *rows) {
    akin_status status;
    akin_embeddings *embeddings = NULL;
    size_t count = rows->targets = akin_table_targets(table);
    AKIN_TRY(akin_agree(
        comm, akin_labels_read_targets(akin_table_file(table), 0, count, &rows->target_labels)));
    if (!path) goto done;
    AKIN_TRY(akin_embeddings_open(comm, path, &embeddings));
    if (akin_ncfile_has_text(akin_table_file(table), "input_against_digest",
                             akin_embeddings_digest(embeddings)) &&
        akin_embeddings_items(embeddings) == count)
        AKIN_TRY(akin_agree(comm, akin_labels_read(akin_embeddings_file(embeddings), 0, count,
                                                   &rows->target_facts)));
done:
    akin_embeddings_close(embeddings);
    return status;
}

/* --- all --- */

akin_status akin_gallery_rows_read(akin_comm *comm, const akin_table *table,
                                   const akin_gallery_made_from *from, akin_gallery_rows *out) {
    akin_status status;
    *out = (akin_gallery_rows){.items = akin_table_items(table)};
    if (akin_table_is_by_group(table) && akin_table_is_against(table))
        return akin_error_set(AKIN_USAGE,
                              "%s: a table between products of two catalogues (--by group with "
                              "--against), which the gallery does not show: leave it out",
                              akin_ncfile_path(akin_table_file(table)));
    AKIN_TRY(akin_agree(
        comm, akin_labels_read(akin_table_file(table), 0, akin_table_items(table), &out->labels)));
    if (akin_table_is_by_group(table)) AKIN_TRY(read_pictures(comm, table, from->embeddings, out));
    if (akin_table_is_against(table))
        AKIN_TRY(read_targets(comm, table, from->target_embeddings, out));
done:
    return status;
}

void akin_gallery_rows_release(akin_gallery_rows *rows) {
    akin_labels_free(rows->labels);
    akin_labels_free(rows->target_labels);
    akin_labels_free(rows->target_facts);
    akin_labels_free(rows->pictures);
    akin_mem_free(rows->first);
    akin_mem_free(rows->shown);
    *rows = (akin_gallery_rows){0};
}

akin_labels *akin_gallery_rows_pictured(const akin_gallery_rows *rows) {
    return rows->pictures ? rows->pictures : rows->labels;
}

size_t akin_gallery_rows_pictures(const akin_gallery_rows *rows) {
    return akin_labels_count(akin_gallery_rows_pictured(rows));
}

size_t akin_gallery_rows_picture(const akin_gallery_rows *rows, size_t item) {
    return rows->pictures ? (size_t)rows->shown[rows->first[item]] : item;
}

static bool same_ids(const akin_labels *a, const akin_labels *b) {
    size_t n = akin_labels_count(a);
    if (n != akin_labels_count(b)) return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(akin_labels_id(a, i), akin_labels_id(b, i)) != 0) return false;
    return true;
}

bool akin_gallery_rows_alike(const akin_gallery_rows *a, const akin_gallery_rows *b) {
    if (a->targets && b->targets && !same_ids(a->target_labels, b->target_labels)) return false;
    return same_ids(akin_gallery_rows_pictured(a), akin_gallery_rows_pictured(b));
}
