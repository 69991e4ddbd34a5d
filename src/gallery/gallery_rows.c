/* gallery_rows: the rows that a page shows. */
#include "gallery_rows.h"
#include <akin/embeddings.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/text.h>
#include <stdbool.h>
#include <string.h>

/* --- products --- */

/* What products of one catalogue are made of. */
typedef struct {
    const char *path, *option,
        *digest;           /* the embeddings, their option, their attribute of the table */
    akin_labels *products; /* in the order of their names */
} shots_source;

static akin_status check_embeddings(const akin_table *table, const akin_embeddings *embeddings,
                                    const shots_source *from) {
    if (akin_ncfile_has_text(akin_table_file(table), from->digest,
                             akin_embeddings_digest(embeddings)))
        return AKIN_OK;
    return akin_error_set(AKIN_INPUT, "%s is not what %s was made from", from->path,
                          akin_ncfile_path(akin_table_file(table)));
}

static const char *product_at(const void *products, size_t row) {
    return akin_labels_id(products, row);
}

/* The pictures of each product: a group's items, or an item without a group. */
static akin_status sort_pictures(const shots_source *from, akin_gallery_shots *out) {
    akin_labels *pictures = out->labels;
    size_t n = akin_labels_count(pictures), products = akin_labels_count(from->products);
    int32_t *of = akin_mem_alloc(n, sizeof *of),
            *first = out->first = akin_mem_zalloc(products + 2, sizeof *first);
    out->shown = akin_mem_alloc(n, sizeof *out->shown);
    akin_status status = of && first && out->shown ? AKIN_OK : AKIN_FAILED;
    for (size_t i = 0; i < n && status == AKIN_OK; i++) {
        int32_t group = akin_labels_group(pictures)[i];
        int64_t row = akin_text_search(group >= 0 ? akin_labels_group_name(pictures, group)
                                                  : akin_labels_id(pictures, i),
                                       product_at, from->products, products);
        if (row < 0)
            status = akin_error_set(AKIN_INPUT, "%s: the item \"%s\" is of no product of the table",
                                    from->path, akin_labels_id(pictures, i));
        else
            of[i] = (int32_t)row, first[row + 2]++;
    }
    for (size_t r = 0; r < products && status == AKIN_OK; r++) first[r + 2] += first[r + 1];
    for (size_t i = 0; i < n && status == AKIN_OK; i++) /* first[r + 1] becomes the end of r */
        out->shown[first[of[i] + 1]++] = (int32_t)i;
    akin_mem_free(of);
    return status;
}

/* Collective; agreed. */
static akin_status read_shots(akin_comm *comm, const akin_table *table, const shots_source *from,
                              akin_gallery_shots *out) {
    akin_status status;
    akin_embeddings *embeddings = NULL;
    if (!from->path)
        return akin_error_option(
            from->option,
            "%s: a table between products (--by group): give the embeddings that it was made from "
            "with --%s, to find the pictures of each product",
            akin_ncfile_path(akin_table_file(table)), from->option);
    AKIN_TRY(akin_embeddings_open(comm, from->path, &embeddings));
    akin_status local = check_embeddings(table, embeddings, from);
    if (local == AKIN_OK)
        local = akin_labels_read(akin_embeddings_file(embeddings), 0,
                                 akin_embeddings_items(embeddings), &out->labels);
    if (local == AKIN_OK) local = sort_pictures(from, out);
    AKIN_TRY(akin_agree(comm, local));
done:
    akin_embeddings_close(embeddings);
    return status;
}

/* Collective; agreed. */
static akin_status read_products(akin_comm *comm, const akin_table *table,
                                 const akin_gallery_made_from *from, akin_gallery_rows *rows) {
    akin_status status;
    const shots_source own = {from->embeddings, "embeddings", "input_embeddings_digest",
                              rows->labels},
                       other = {from->target_embeddings, "target-embeddings",
                                "input_against_digest", rows->target_labels};
    AKIN_TRY(read_shots(comm, table, &own, &rows->shots));
    if (rows->target_labels) status = read_shots(comm, table, &other, &rows->target_shots);
done:
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
    if (!path || akin_table_is_by_group(table))
        goto done; /* products have those of their pictures */
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
    AKIN_TRY(akin_agree(
        comm, akin_labels_read(akin_table_file(table), 0, akin_table_items(table), &out->labels)));
    if (akin_table_is_against(table))
        AKIN_TRY(read_targets(comm, table, from->target_embeddings, out));
    if (akin_table_is_by_group(table)) AKIN_TRY(read_products(comm, table, from, out));
done:
    return status;
}

static void release_shots(akin_gallery_shots *shots) {
    akin_labels_free(shots->labels);
    akin_mem_free(shots->first);
    akin_mem_free(shots->shown);
}

void akin_gallery_rows_release(akin_gallery_rows *rows) {
    akin_labels_free(rows->labels);
    akin_labels_free(rows->target_labels);
    akin_labels_free(rows->target_facts);
    release_shots(&rows->shots);
    release_shots(&rows->target_shots);
    *rows = (akin_gallery_rows){0};
}

akin_labels *akin_gallery_rows_pictured(const akin_gallery_rows *rows) {
    return rows->shots.labels ? rows->shots.labels : rows->labels;
}

akin_labels *akin_gallery_rows_target_pictured(const akin_gallery_rows *rows) {
    return rows->target_shots.labels ? rows->target_shots.labels : rows->target_labels;
}

size_t akin_gallery_rows_pictures(const akin_gallery_rows *rows) {
    return akin_labels_count(akin_gallery_rows_pictured(rows));
}

size_t akin_gallery_rows_target_pictures(const akin_gallery_rows *rows) {
    return rows->targets > 0 ? akin_labels_count(akin_gallery_rows_target_pictured(rows)) : 0;
}

static size_t picture_of(const akin_gallery_shots *shots, size_t row) {
    return shots->labels ? (size_t)shots->shown[shots->first[row]] : row;
}

size_t akin_gallery_rows_picture(const akin_gallery_rows *rows, size_t item) {
    return picture_of(&rows->shots, item);
}

size_t akin_gallery_rows_target_picture(const akin_gallery_rows *rows, size_t target) {
    return picture_of(&rows->target_shots, target);
}

akin_status akin_gallery_rows_pairs(const akin_gallery_rows *rows, const akin_table *table,
                                    size_t first, size_t count, int32_t *picture, int32_t *other) {
    size_t own = akin_gallery_rows_pictures(rows),
           others = rows->targets > 0 ? akin_gallery_rows_target_pictures(rows) : own;
    return akin_table_pictures(table, first, count, own, others, picture, other);
}

static bool same_ids(const akin_labels *a, const akin_labels *b) {
    size_t n = akin_labels_count(a);
    if (n != akin_labels_count(b)) return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(akin_labels_id(a, i), akin_labels_id(b, i)) != 0) return false;
    return true;
}

bool akin_gallery_rows_alike(const akin_gallery_rows *a, const akin_gallery_rows *b) {
    if (a->targets && b->targets &&
        !same_ids(akin_gallery_rows_target_pictured(a), akin_gallery_rows_target_pictured(b)))
        return false;
    return same_ids(akin_gallery_rows_pictured(a), akin_gallery_rows_pictured(b));
}
