/* labels: what catalog.nc, embeddings.nc and table.nc all store for an item: id, category,
 * group, available. */
#include <akin/labels.h>

#include <akin/mem.h>
#include <akin/text.h>
#include <string.h>

#define NAME_BYTES_MAX (1u << 16) /* per name, in a file that is read */

/* Names of categories or of groups, ascending bytewise, each NUL-terminated in a slot of length
 * + 1 bytes. */
typedef struct {
    char *slots;
    size_t count, length;
} names;

struct akin_labels {
    size_t count, id_length;
    char *ids; /* [count, id_length + 1] */
    int32_t *category, *group;
    int8_t *available;
    names categories, groups;
};

akin_status akin_labels_create(size_t count, size_t id_length, akin_labels **out) {
    akin_status status = AKIN_OK;
    akin_labels *labels = akin_mem_zalloc(1, sizeof *labels);
    *out = NULL;
    if (!labels) return AKIN_FAILED;
    labels->count = count;
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
    akin_mem_free(labels->categories.slots);
    akin_mem_free(labels->groups.slots);
    akin_mem_free(labels);
}

static akin_status set_names(names *kept, size_t count, const char *const *texts) {
    size_t length = 1;
    for (size_t i = 0; i < count; i++)
        if (strlen(texts[i]) > length) length = strlen(texts[i]);
    char *slots = akin_mem_zalloc(count, length + 1);
    if (!slots) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) {
        AKIN_ASSERT(*texts[i] && (i == 0 || strcmp(texts[i - 1], texts[i]) < 0));
        strcpy(slots + i * (length + 1), texts[i]);
    }
    akin_mem_free(kept->slots);
    *kept = (names){slots, count, length};
    return AKIN_OK;
}

akin_status akin_labels_set_category_names(akin_labels *labels, size_t count,
                                           const char *const *texts) {
    return set_names(&labels->categories, count, texts);
}

akin_status akin_labels_set_group_names(akin_labels *labels, size_t count,
                                        const char *const *texts) {
    return set_names(&labels->groups, count, texts);
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

/* Expands rows [count, length] of a char variable to NUL-terminated slots of length + 1 bytes;
 * checks for UTF-8. */
static akin_status read_texts(const akin_ncfile *file, const char *variable, size_t first,
                              size_t count, size_t length, char *slots) {
    akin_status status = akin_ncfile_get(file, variable, first, count, slots);
    if (status != AKIN_OK) return status;
    for (size_t i = count;
         i-- > 0;) { /* from the last, so that nothing still needed is overwritten */
        char *slot = slots + i * (length + 1);
        memmove(slot, slots + i * length, length);
        slot[length] = '\0';
    }
    for (size_t i = 0; i < count; i++) {
        const char *slot = slots + i * (length + 1);
        if (!akin_text_is_utf8(slot, strlen(slot)))
            return akin_error_set(AKIN_INPUT, "%s: %s of row %zu is not UTF-8",
                                  akin_ncfile_path(file), variable, first + i);
    }
    return AKIN_OK;
}

static akin_status read_names(const akin_ncfile *file, const char *variable, const char *dimension,
                              names *out) {
    akin_status status;
    size_t count, length;
    AKIN_TRY(akin_ncfile_length(file, dimension, &count));
    AKIN_TRY(akin_ncfile_length(file, "name_length", &length));
    if (length > NAME_BYTES_MAX)
        AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: name_length is %zu, too long",
                                akin_ncfile_path(file), length));
    *out = (names){akin_mem_alloc(count, length + 1), count, length};
    if (!out->slots) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(read_texts(file, variable, 0, count, length, out->slots));
    if (count == 1 && *out->slots == '\0') out->count = 0; /* "none" */
    for (size_t i = 0; i < out->count; i++) {
        const char *slot = out->slots + i * (length + 1);
        if (*slot == '\0' || (i > 0 && strcmp(slot - (length + 1), slot) >= 0))
            AKIN_TRY(akin_error_set(AKIN_INPUT, "%s: %s %zu is empty or out of order",
                                    akin_ncfile_path(file), variable, i));
    }
done:
    return status;
}

static akin_status check_values(const akin_ncfile *file, const akin_labels *labels, size_t first) {
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
    return akin_error_set(AKIN_INPUT, "%s: %s of row %zu is out of range", akin_ncfile_path(file),
                          wrong, row);
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
    AKIN_TRY(read_names(file, "category_name", "category_count", &labels->categories));
    AKIN_TRY(read_names(file, "group_name", "group_count", &labels->groups));
    AKIN_TRY(read_texts(file, "id", first, count, id_length, labels->ids));
    AKIN_TRY(akin_ncfile_get(file, "category", first, count, labels->category));
    AKIN_TRY(akin_ncfile_get(file, "group", first, count, labels->group));
    AKIN_TRY(akin_ncfile_get(file, "available", first, count, labels->available));
    AKIN_TRY(check_values(file, labels, first));
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

static size_t at_least_one(size_t count) {
    return count ? count : 1;
}

void akin_labels_define(const akin_labels *labels, akin_ncfile *file) {
    static const int8_t flags[2] = {0, 1};
    akin_ncfile_dimension(file, "id_length", labels->id_length);
    akin_ncfile_dimension(file, "category_count", at_least_one(labels->categories.count));
    akin_ncfile_dimension(file, "group_count", at_least_one(labels->groups.count));
    akin_ncfile_dimension(file, "name_length", name_length(labels));
    akin_ncfile_define(file, schema);
    akin_ncfile_attribute(file, "category", "comment", "index into category_name; -1 = none");
    akin_ncfile_attribute(file, "group", "comment", "index into group_name; -1 = none");
    akin_ncfile_attribute_values(file, "available", "flag_values", 2, flags);
    akin_ncfile_attribute(file, "available", "flag_meanings", "unavailable available");
}

/* Writes texts in slots of `stride` bytes as rows of `length` bytes; no text is longer than
 * that. */
static akin_status put_texts(akin_ncfile *file, akin_comm *comm, const char *variable, size_t first,
                             size_t count, const char *slots, size_t stride, size_t length) {
    akin_status status;
    char *rows = akin_mem_zalloc(count, length);
    AKIN_TRY(akin_agree(comm, rows ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < count; i++)
        memcpy(rows + i * length, slots + i * stride, strlen(slots + i * stride));
    akin_ncfile_put(file, variable, first, count, rows);
done:
    akin_mem_free(rows);
    return status;
}

static akin_status put_names(akin_ncfile *file, akin_comm *comm, const char *variable,
                             const names *kept, size_t length) {
    size_t count = akin_comm_rank(comm) == 0 ? at_least_one(kept->count) : 0;
    return put_texts(file, comm, variable, 0, count, kept->count ? kept->slots : "",
                     kept->length + 1, length);
}

akin_status akin_labels_put(const akin_labels *labels, akin_ncfile *file, akin_comm *comm,
                            size_t first) {
    akin_status status;
    size_t count = labels->count;
    AKIN_TRY(put_texts(file, comm, "id", first, count, labels->ids, labels->id_length + 1,
                       labels->id_length));
    akin_ncfile_put(file, "category", first, count, labels->category);
    AKIN_TRY(put_names(file, comm, "category_name", &labels->categories, name_length(labels)));
    akin_ncfile_put(file, "group", first, count, labels->group);
    AKIN_TRY(put_names(file, comm, "group_name", &labels->groups, name_length(labels)));
    akin_ncfile_put(file, "available", first, count, labels->available);
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

static const char *name_at(const names *kept, int32_t index) {
    AKIN_ASSERT(index >= -1 && index < (int64_t)kept->count);
    return index < 0 ? "" : kept->slots + (size_t)index * (kept->length + 1);
}

size_t akin_labels_category_count(const akin_labels *labels) {
    return labels->categories.count;
}

const char *akin_labels_category_name(const akin_labels *labels, int32_t index) {
    return name_at(&labels->categories, index);
}

size_t akin_labels_group_count(const akin_labels *labels) {
    return labels->groups.count;
}

const char *akin_labels_group_name(const akin_labels *labels, int32_t index) {
    return name_at(&labels->groups, index);
}
