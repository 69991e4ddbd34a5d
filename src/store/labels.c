/* labels: what catalog.nc, embeddings.nc and table.nc all store for an item: id, category,
 * group, available. */
#include "label_attributes.h"

#include <akin/mem.h>
#include <string.h>

struct akin_labels {
    size_t count, id_length;
    char *ids; /* [count, id_length + 1] */
    int32_t *category, *group;
    int8_t *available;
    akin_label_names categories, groups;
    akin_label_attributes attributes;
};

akin_status akin_labels_create(size_t count, size_t id_length, akin_labels **out) {
    akin_status status = AKIN_OK;
    akin_labels *labels = akin_mem_zalloc(1, sizeof *labels);
    *out = NULL;
    if (!labels) return AKIN_FAILED;
    labels->count = labels->attributes.items = count;
    labels->id_length = id_length ? id_length : 1; /* a dimension is at least 1 */
    labels->ids = akin_mem_zalloc(count, labels->id_length + 1);
    labels->category = akin_mem_alloc(count, sizeof *labels->category);
    labels->group = akin_mem_alloc(count, sizeof *labels->group);
    labels->available = akin_mem_alloc(count, sizeof *labels->available);
    if (!labels->ids || !labels->category || !labels->group || !labels->available)
        AKIN_TRY(AKIN_FAILED);
    for (size_t i = 0; i < count; i++) {
        labels->category[i] = labels->group[i] = -1;
        labels->available[i] = 1;
    }
    *out = labels;
    return AKIN_OK;
done:
    akin_labels_free(labels);
    return status;
}

void akin_labels_free(akin_labels *labels) {
    if (!labels) return;
    akin_mem_free(labels->ids);
    akin_mem_free(labels->category);
    akin_mem_free(labels->group);
    akin_mem_free(labels->available);
    akin_label_names_release(&labels->categories);
    akin_label_names_release(&labels->groups);
    akin_label_attributes_release(&labels->attributes);
    akin_mem_free(labels);
}

akin_status akin_labels_set_category_names(akin_labels *labels, size_t count,
                                           const char *const *texts) {
    return akin_label_names_set(&labels->categories, count, texts);
}

akin_status akin_labels_set_group_names(akin_labels *labels, size_t count,
                                        const char *const *texts) {
    return akin_label_names_set(&labels->groups, count, texts);
}

akin_status akin_labels_copy_names(akin_labels *to, const akin_labels *from) {
    akin_status status = akin_label_names_copy(&to->categories, &from->categories);
    return status == AKIN_OK ? akin_label_names_copy(&to->groups, &from->groups) : status;
}

akin_status akin_labels_set_id(akin_labels *labels, size_t item, const char *id) {
    size_t length = strlen(id);
    AKIN_ASSERT(item < labels->count);
    if (length > labels->id_length)
        return akin_error_set(AKIN_INPUT, "id '%.40s...' has %zu bytes, but at most %zu fit", id,
                              length, labels->id_length);
    char *slot = labels->ids + item * (labels->id_length + 1);
    memset(slot, 0, labels->id_length + 1);
    memcpy(slot, id, length);
    return AKIN_OK;
}

static const akin_ncfile_field schema[] = {
    {"id", AKIN_NC_CHAR, "item,id_length", NULL, "identifier of the item"},
    {"category", AKIN_NC_INT, "item", "1", "category of the item"},
    {"category_name", AKIN_NC_CHAR, "category_count,name_length", NULL,
     "names of the categories, ascending"},
    {"group", AKIN_NC_INT, "item", "1", "group of the item"},
    {"group_name", AKIN_NC_CHAR, "group_count,name_length", NULL, "names of the groups, ascending"},
    {"available", AKIN_NC_BYTE, "item", "1", "whether the item can be recommended"},
    {0}};

/* --- reading --- */

static akin_status read_names(const akin_ncfile *file, akin_labels *labels) {
    akin_status status;
    AKIN_TRY(akin_label_names_read(file, "category_name", "category_count", "name_length",
                                   &labels->categories));
    AKIN_TRY(
        akin_label_names_read(file, "group_name", "group_count", "name_length", &labels->groups));
done:
    return status;
}

/* prefix: of the variables' names. */
static akin_status check_values(const akin_ncfile *file, const akin_labels *labels,
                                const char *prefix, size_t first) {
    const char *wrong = NULL;
    size_t row = 0;
    for (size_t i = 0; i < labels->count && !wrong; i++) {
        row = first + i;
        if (labels->category[i] < -1 || labels->category[i] >= (int64_t)labels->categories.count)
            wrong = "category";
        if (labels->group[i] < -1 || labels->group[i] >= (int64_t)labels->groups.count)
            wrong = "group";
        if (labels->available[i] != 0 && labels->available[i] != 1) wrong = "available";
        if (labels->ids[i * (labels->id_length + 1)] == '\0') wrong = "id";
    }
    if (!wrong) return AKIN_OK;
    return akin_error_set(AKIN_INPUT, "%s: %s%s of row %zu is out of range", akin_ncfile_path(file),
                          prefix, wrong, row);
}

akin_status akin_labels_read(const akin_ncfile *file, size_t first, size_t count,
                             akin_labels **out) {
    akin_status status;
    akin_labels *labels = NULL;
    size_t id_length;
    *out = NULL;
    AKIN_TRY(akin_ncfile_check_schema(file, schema));
    AKIN_TRY(akin_ncfile_length(file, "id_length", &id_length));
    AKIN_TRY(akin_labels_create(count, id_length, &labels));
    AKIN_TRY(read_names(file, labels));
    AKIN_TRY(akin_label_texts_read(file, "id", first, count, id_length, labels->ids));
    AKIN_TRY(akin_ncfile_get(file, "category", first, count, labels->category));
    AKIN_TRY(akin_ncfile_get(file, "group", first, count, labels->group));
    AKIN_TRY(akin_ncfile_get(file, "available", first, count, labels->available));
    AKIN_TRY(check_values(file, labels, "", first));
    AKIN_TRY(akin_label_attributes_read(file, first, &labels->attributes));
    *out = labels;
    return AKIN_OK;
done:
    akin_labels_free(labels);
    return status;
}

akin_status akin_labels_read_targets(const akin_ncfile *file, size_t first, size_t count,
                                     akin_labels **out) {
    akin_status status;
    akin_labels *labels = NULL;
    size_t id_length;
    *out = NULL;
    AKIN_TRY(akin_ncfile_length(file, "target_id_length", &id_length));
    AKIN_TRY(akin_labels_create(count, id_length, &labels));
    AKIN_TRY(read_names(file, labels));
    AKIN_TRY(akin_label_texts_read(file, "target_id", first, count, id_length, labels->ids));
    AKIN_TRY(akin_ncfile_get(file, "target_category", first, count, labels->category));
    AKIN_TRY(akin_ncfile_get(file, "target_group", first, count, labels->group));
    AKIN_TRY(akin_ncfile_get(file, "target_available", first, count, labels->available));
    AKIN_TRY(check_values(file, labels, "target_", first));
    *out = labels;
    return AKIN_OK;
done:
    akin_labels_free(labels);
    return status;
}

/* --- writing --- */

static size_t name_length(const akin_labels *labels) {
    size_t a = labels->categories.length, b = labels->groups.length, longer = a > b ? a : b;
    return longer ? longer : 1;
}

void akin_labels_define(const akin_labels *labels, akin_ncfile *file) {
    static const int8_t flags[2] = {0, 1};
    akin_ncfile_dimension(file, "id_length", labels->id_length);
    akin_ncfile_dimension(file, "category_count", akin_label_names_rows(&labels->categories));
    akin_ncfile_dimension(file, "group_count", akin_label_names_rows(&labels->groups));
    akin_ncfile_dimension(file, "name_length", name_length(labels));
    akin_ncfile_define(file, schema);
    akin_ncfile_attribute(file, "category", "comment", "index into category_name; -1 = none");
    akin_ncfile_attribute(file, "group", "comment", "index into group_name; -1 = none");
    akin_ncfile_attribute_values(file, "available", "flag_values", 2, flags);
    akin_ncfile_attribute(file, "available", "flag_meanings", "unavailable available");
    akin_label_attributes_define(&labels->attributes, file);
}

akin_status akin_labels_put_ids(const akin_labels *labels, akin_ncfile *file, akin_comm *comm,
                                const char *variable, size_t first) {
    const akin_label_texts ids = {labels->ids, labels->count, labels->id_length + 1,
                                  labels->id_length};
    return akin_label_texts_put(file, comm, variable, first, ids);
}

akin_status akin_labels_put(const akin_labels *labels, akin_ncfile *file, akin_comm *comm,
                            size_t first) {
    akin_status status;
    size_t count = labels->count;
    AKIN_TRY(akin_labels_put_ids(labels, file, comm, "id", first));
    akin_ncfile_put(file, "category", first, count, labels->category);
    AKIN_TRY(akin_label_names_put(&labels->categories, file, comm, "category_name",
                                  name_length(labels)));
    akin_ncfile_put(file, "group", first, count, labels->group);
    AKIN_TRY(akin_label_names_put(&labels->groups, file, comm, "group_name", name_length(labels)));
    akin_ncfile_put(file, "available", first, count, labels->available);
    AKIN_TRY(akin_label_attributes_put(&labels->attributes, file, comm, first));
done:
    return status;
}

/* --- one item --- */

size_t akin_labels_count(const akin_labels *labels) {
    return labels->count;
}

size_t akin_labels_id_length(const akin_labels *labels) {
    return labels->id_length;
}

const char *akin_labels_id(const akin_labels *labels, size_t item) {
    AKIN_ASSERT(item < labels->count);
    return labels->ids + item * (labels->id_length + 1);
}

int32_t *akin_labels_category(akin_labels *labels) {
    return labels->category;
}

int32_t *akin_labels_group(akin_labels *labels) {
    return labels->group;
}

int8_t *akin_labels_available(akin_labels *labels) {
    return labels->available;
}

size_t akin_labels_category_count(const akin_labels *labels) {
    return labels->categories.count;
}

const char *akin_labels_category_name(const akin_labels *labels, int32_t index) {
    return akin_label_names_at(&labels->categories, index);
}

size_t akin_labels_group_count(const akin_labels *labels) {
    return labels->groups.count;
}

const char *akin_labels_group_name(const akin_labels *labels, int32_t index) {
    return akin_label_names_at(&labels->groups, index);
}

/* --- attributes --- */

akin_status akin_labels_add_attribute(akin_labels *labels, const char *name,
                                      akin_attribute_kind kind, size_t count,
                                      const char *const *values) {
    return akin_label_attributes_add(&labels->attributes, name, kind, count, values);
}

size_t akin_labels_attributes(const akin_labels *labels) {
    return labels->attributes.count;
}

static akin_label_attribute *attribute_at(const akin_labels *labels, size_t a) {
    AKIN_ASSERT(a < labels->attributes.count);
    return &labels->attributes.all[a];
}

size_t akin_labels_find_attribute(const akin_labels *labels, const char *name) {
    for (size_t a = 0; a < labels->attributes.count; a++)
        if (strcmp(labels->attributes.all[a].name, name) == 0) return a;
    return SIZE_MAX;
}

const char *akin_labels_attribute_name(const akin_labels *labels, size_t a) {
    return attribute_at(labels, a)->name;
}

akin_attribute_kind akin_labels_attribute_kind(const akin_labels *labels, size_t a) {
    return attribute_at(labels, a)->kind;
}

float *akin_labels_attribute_numbers(akin_labels *labels, size_t a) {
    return attribute_at(labels, a)->numbers;
}

int32_t *akin_labels_attribute_values(akin_labels *labels, size_t a) {
    return attribute_at(labels, a)->indices;
}

size_t akin_labels_attribute_value_count(const akin_labels *labels, size_t a) {
    return attribute_at(labels, a)->names.count;
}

const char *akin_labels_attribute_value(const akin_labels *labels, size_t a, int32_t index) {
    return akin_label_names_at(&attribute_at(labels, a)->names, index);
}
