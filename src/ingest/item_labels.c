/* item_labels: the labels of the accepted rows of a source, for catalog.nc. Every rank goes through
 * all rows, because it needs all names, but keeps only those of its shard. */
#include "item_labels.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char **names; /* [count] ascending, distinct; borrowed texts */
    size_t count;
} name_list;

/* Items [first, first + count) of all. */
typedef struct {
    const akin_source *source;
    size_t items, first, count;
    size_t *rows; /* [items], of the source */
    name_list names;
    akin_labels *labels;
} making;

typedef const char *(*text_of)(const making *m, size_t row, size_t attribute);

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The distinct texts of all items. */
static void collect(making *m, text_of text, size_t attribute) {
    name_list *list = &m->names;
    size_t kept = 0;
    list->count = 0;
    for (size_t i = 0; i < m->items; i++) {
        const char *name = text(m, m->rows[i], attribute);
        bool again = list->count > 0 && list->names[list->count - 1] == name;
        if (*name && !again) list->names[list->count++] = name;
    }
    if (list->count > 0) qsort(list->names, list->count, sizeof *list->names, by_text);
    for (size_t i = 0; i < list->count; i++)
        if (i == 0 || strcmp(list->names[i], list->names[kept - 1]) != 0)
            list->names[kept++] = list->names[i];
    list->count = kept;
}

static int32_t index_of(const name_list *list, const char *name) {
    const char **found = *name && list->count > 0 ? bsearch(&name, list->names, list->count,
                                                            sizeof *list->names, by_text)
                                                  : NULL;
    return found ? (int32_t)(found - list->names) : -1;
}

/* The items' indices among the collected names. */
static void fill(const making *m, text_of text, size_t attribute, int32_t *indices) {
    for (size_t i = 0; i < m->count; i++)
        indices[i] = index_of(&m->names, text(m, m->rows[m->first + i], attribute));
}

static const char *category_of(const making *m, size_t row, size_t attribute) {
    (void)attribute;
    return akin_source_get(m->source, row).category;
}

static const char *group_of(const making *m, size_t row, size_t attribute) {
    (void)attribute;
    return akin_source_get(m->source, row).group;
}

static const char *label_of(const making *m, size_t row, size_t attribute) {
    return akin_source_label(m->source, row, attribute);
}

static akin_status add_names(making *m) {
    akin_status status = AKIN_OK;
    collect(m, category_of, 0);
    if (m->names.count == 0)
        akin_log_info("ingest: no item has a category: --same-category and the precision of "
                      "evaluate need a column `category` in the CSV, or folders");
    AKIN_TRY(akin_labels_set_category_names(m->labels, m->names.count, m->names.names));
    fill(m, category_of, 0, akin_labels_category(m->labels));
    collect(m, group_of, 0);
    AKIN_TRY(akin_labels_set_group_names(m->labels, m->names.count, m->names.names));
    fill(m, group_of, 0, akin_labels_group(m->labels));
done:
    return status;
}

static akin_status add_attribute(making *m, size_t a) {
    const akin_source_attribute *it = &akin_source_attributes_of(m->source)->of[a];
    bool number = it->kind == AKIN_ATTRIBUTE_NUMBER;
    m->names.count = 0;
    if (!number) collect(m, label_of, a);
    akin_status status =
        akin_labels_add_attribute(m->labels, it->name, it->kind, m->names.count, m->names.names);
    if (status != AKIN_OK) return status;
    if (!number) fill(m, label_of, a, akin_labels_attribute_values(m->labels, a));
    for (size_t i = 0; i < m->count && number; i++)
        akin_labels_attribute_numbers(m->labels, a)[i] =
            akin_source_number(m->source, m->rows[m->first + i], a);
    return AKIN_OK;
}

static akin_status make(making *m) {
    akin_status status = AKIN_OK;
    size_t longest = 0;
    for (size_t i = 0; i < m->items; i++) {
        size_t length = strlen(akin_source_get(m->source, m->rows[i]).id);
        if (length > longest) longest = length;
    }
    AKIN_TRY(akin_labels_create(m->count, longest, &m->labels));
    for (size_t i = 0; i < m->count; i++) {
        akin_source_row row = akin_source_get(m->source, m->rows[m->first + i]);
        AKIN_TRY(akin_labels_set_id(m->labels, i, row.id));
        akin_labels_available(m->labels)[i] = row.available;
    }
    AKIN_TRY(add_names(m));
    for (size_t a = 0; a < akin_source_attributes_of(m->source)->count; a++)
        AKIN_TRY(add_attribute(m, a));
done:
    return status;
}

akin_status akin_item_labels_create(const akin_source *source, const int64_t *accepted,
                                    size_t items, size_t first, size_t count, akin_labels **out) {
    akin_status status = AKIN_FAILED;
    making m = {.source = source, .items = items, .first = first, .count = count};
    const size_t *order = akin_source_order(source);
    size_t item = 0;
    *out = NULL;
    m.rows = akin_mem_alloc(items, sizeof *m.rows);
    m.names.names = akin_mem_alloc(items, sizeof *m.names.names);
    if (!m.rows || !m.names.names) goto done;
    for (size_t place = 0; place < akin_source_valid(source); place++)
        if ((uint64_t)accepted[place / 64] >> place % 64 & 1) m.rows[item++] = order[place];
    status = make(&m);
    if (status == AKIN_OK) *out = m.labels, m.labels = NULL;
done:
    akin_labels_free(m.labels);
    akin_mem_free(m.names.names);
    akin_mem_free(m.rows);
    return status;
}
