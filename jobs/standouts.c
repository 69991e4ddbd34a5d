/* standouts: categories whose lists are not what a shop expects, as evaluate reports them. */
#include "standouts.h"
#include <akin/evaluate.h>
#include <akin/labels.h>
#include <akin/log.h>
#include <akin/ncfile.h>
#include <akin/table.h>

static akin_status read_names(const char *path, akin_labels **out) {
    akin_ncfile *file = NULL;
    akin_status status = akin_ncfile_peek(path, "table", &file);
    if (status == AKIN_OK) status = akin_labels_read(file, 0, 1, out);
    akin_ncfile_close(file);
    return status;
}

/* Rank 0. */
static akin_status tell(const char *path, const akin_table *table, const char *against,
                        akin_json *report) {
    akin_status status = AKIN_OK;
    akin_labels *labels = NULL, *before = NULL;
    akin_outliers found;
    akin_json *list = NULL;
    char text[AKIN_OUTLIER_TEXT];
    bool products = akin_table_is_by_group(table);
    AKIN_TRY(akin_labels_read(akin_table_file(table), 0, akin_table_items(table), &labels));
    if (akin_labels_category_count(labels) == 0) goto done;
    if (against) AKIN_TRY(read_names(against, &before));
    AKIN_TRY(akin_outliers_find(table, labels, &found));
    for (size_t i = 0; i < found.count; i++) {
        const akin_outlier *it = &found.worst[i];
        akin_outlier_text(it, labels, products, akin_outlier_is_new(it, labels, before), text);
        akin_log_warning(
            "evaluate: %s: %s; look at its lists, and train again if the model has not seen such "
            "%s",
            path, text, products ? "products" : "items");
    }
    AKIN_TRY(akin_outliers_json(&found, labels, before, &list));
    akin_json_set_integer(report, "lists_leaving_category", (long long)found.leaving);
    akin_json_set_integer(report, "outlier_categories", (long long)found.count);
    akin_json_set_node(report, "outliers", &list);
done:
    akin_json_free(list);
    akin_labels_free(labels);
    akin_labels_free(before);
    return status;
}

akin_status akin_standouts_tell(akin_comm *comm, const char *path, const char *against,
                                akin_json *report) {
    akin_status status = AKIN_OK;
    akin_table *table = NULL;
    AKIN_TRY(akin_table_open(comm, path, &table));
    status =
        akin_agree(comm, akin_comm_rank(comm) == 0 ? tell(path, table, against, report) : AKIN_OK);
done:
    akin_table_close(table);
    return status;
}
