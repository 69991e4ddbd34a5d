/* study_pairs: see study_pairs.h. */
#include "study_pairs.h"
#include "study_rows.h"
#include <akin/ids.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* --- rank 0 --- */

static akin_status read_pairs(const akin_catalog *catalog, const char *path, akin_id_pairs *out) {
    akin_status status;
    AKIN_TRY(akin_id_pairs_read(path, akin_catalog_file(catalog), out));
    if (out->unknown > 0)
        akin_log_warning("train: --pairs %s: %zu of %zu rows name an item that is not in the "
                         "catalogue, or the same one twice: passed over",
                         path, out->unknown, out->rows);
    if (out->count == 0)
        AKIN_TRY(akin_error_set(
            AKIN_INPUT, "--pairs %s: no pair of items of the catalogue; write id,id rows", path));
done:
    if (status != AKIN_OK) akin_id_pairs_release(out);
    return status;
}

/* Keeps evenly spaced pairs if there are more than fit. */
static void thin(akin_id_pairs *list, size_t most) {
    if (list->count <= most) return;
    for (size_t i = 0; i < most; i++) list->pairs[i] = list->pairs[i * list->count / most];
    list->count = most;
}

/* Broadcasts the pairs: *pairs [*count], owned. Collective; agreed. */
static akin_status share_pairs(akin_comm *comm, const akin_catalog *catalog, const char *path,
                               size_t most, akin_id_pair **pairs, size_t *count) {
    akin_status status = AKIN_OK;
    akin_id_pairs list = {0};
    void *bytes = NULL;
    size_t size = 0;
    if (akin_comm_rank(comm) == 0) status = read_pairs(catalog, path, &list);
    AKIN_TRY(akin_agree(comm, status));
    thin(&list, most);
    if (akin_comm_rank(comm) == 0) {
        bytes = list.pairs;
        size = list.count * sizeof **pairs;
        list.pairs = NULL;
    }
    AKIN_TRY(akin_comm_share(comm, &bytes, &size, 0));
    *pairs = bytes;
    *count = size / sizeof **pairs;
    bytes = NULL;
done:
    akin_mem_free(bytes);
    akin_id_pairs_release(&list);
    return status;
}

static akin_status check_labels(const akin_catalog *catalog, const char *label,
                                const int32_t *labels, size_t items) {
    akin_status status;
    const akin_ncfile *file = akin_catalog_file(catalog);
    size_t names;
    AKIN_TRY(akin_ncfile_length(
        file, strcmp(label, "group") == 0 ? "group_count" : "category_count", &names));
    for (size_t i = 0; i < items; i++)
        if (labels[i] < -1 || labels[i] >= (int64_t)names)
            return akin_error_set(AKIN_INPUT, "%s: %s of row %zu is out of range",
                                  akin_ncfile_path(file), label, i);
done:
    return status;
}

/* Broadcasts the rows of whole labels: *rows [*count], owned; NULL, 0: not needed. Collective; agreed. */
static akin_status share_together(akin_comm *comm, const akin_catalog *catalog, const char *label,
                                  size_t most, size_t **rows, size_t *count) {
    akin_status status = AKIN_OK;
    size_t items = akin_catalog_items(catalog), *found = NULL, size = 0;
    int32_t *labels = NULL;
    void *bytes = NULL;
    if (akin_comm_rank(comm) == 0) {
        labels = akin_mem_alloc(items, sizeof *labels);
        status = labels ? akin_ncfile_get(akin_catalog_file(catalog), label, 0, items, labels)
                        : AKIN_FAILED;
        if (status == AKIN_OK) status = check_labels(catalog, label, labels, items);
        if (status == AKIN_OK)
            status = akin_study_rows_together(labels, items, most, &found, &size);
    }
    AKIN_TRY(akin_agree(comm, status));
    bytes = found;
    found = NULL;
    size *= sizeof **rows;
    AKIN_TRY(akin_comm_share(comm, &bytes, &size, 0));
    *rows = bytes;
    *count = size / sizeof **rows;
    bytes = NULL;
done:
    akin_mem_free(labels);
    akin_mem_free(found);
    akin_mem_free(bytes);
    return status;
}

/* --- the same on all ranks --- */

static int ascending(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static size_t unique(size_t *rows, size_t count) {
    size_t kept = 0;
    if (count > 0) qsort(rows, count, sizeof *rows, ascending);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || rows[kept - 1] != rows[i]) rows[kept++] = rows[i];
    return kept;
}

static size_t place_of(const akin_study_list *list, size_t row) {
    const size_t *at = bsearch(&row, list->rows, list->count, sizeof row, ascending);
    AKIN_ASSERT(at);
    return (size_t)(at - list->rows);
}

/* first [count]: rows to select, owned by the caller; the others are spread. */
static akin_status fill(akin_study_list *list, const size_t *first, size_t count, size_t items,
                        size_t most) {
    size_t others = most - count;
    if (others > items) others = items;
    list->rows = akin_mem_alloc(count + others, sizeof *list->rows);
    if (!list->rows) return AKIN_FAILED;
    if (count > 0) memcpy(list->rows, first, count * sizeof *first);
    for (size_t i = 0; i < others; i++)
        list->rows[count + i] = akin_study_rows_spread(items, others, i);
    list->count = unique(list->rows, count + others);
    return AKIN_OK;
}

static akin_status place_pairs(akin_study_list *list, const akin_id_pair *pairs, size_t count) {
    list->pairs = akin_mem_alloc(count, sizeof *list->pairs);
    if (!list->pairs) return AKIN_FAILED;
    list->pair_count = count;
    for (size_t i = 0; i < count; i++)
        list->pairs[i] = (akin_study_pair){.first = place_of(list, pairs[i].first),
                                           .second = place_of(list, pairs[i].second),
                                           .weight = pairs[i].weight};
    return AKIN_OK;
}

/* The items of pairs and others. */
static akin_status fill_by_pairs(akin_study_list *list, const akin_id_pair *pairs, size_t count,
                                 size_t items, size_t most) {
    akin_status status = AKIN_FAILED;
    size_t *rows = akin_mem_alloc(2 * count, sizeof *rows);
    if (!rows) goto done;
    for (size_t i = 0; i < count; i++) {
        rows[2 * i] = pairs[i].first;
        rows[2 * i + 1] = pairs[i].second;
    }
    AKIN_TRY(fill(list, rows, 2 * count, items, most));
    AKIN_TRY(place_pairs(list, pairs, count));
done:
    akin_mem_free(rows);
    return status;
}

akin_status akin_study_list_make(akin_comm *comm, const akin_catalog *catalog, const char *path,
                                 const char *label, size_t most, akin_study_list *out) {
    akin_status status = AKIN_OK;
    akin_id_pair *pairs = NULL;
    size_t *rows = NULL, count = 0, items = akin_catalog_items(catalog);
    *out = (akin_study_list){0};
    if (path) AKIN_TRY(share_pairs(comm, catalog, path, most / 3, &pairs, &count));
    if (label && !path) AKIN_TRY(share_together(comm, catalog, label, most, &rows, &count));
    out->together = count > 0;
    AKIN_TRY(akin_agree(comm, pairs ? fill_by_pairs(out, pairs, count, items, most)
                                    : fill(out, rows, count, items, most)));
done:
    akin_mem_free(pairs);
    akin_mem_free(rows);
    if (status != AKIN_OK) akin_study_list_free(out);
    return status;
}

void akin_study_list_free(akin_study_list *list) {
    akin_mem_free(list->rows);
    akin_mem_free(list->pairs);
    *list = (akin_study_list){0};
}
