/* label_attributes: the attributes of items inside labels. */
#include "label_attributes.h"

#include <akin/mem.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "attribute_"
#define KIND "akin_attribute_kind" /* of a variable: number, label or labels */

enum { TITLE = AKIN_ATTRIBUTE_NAME_MAX + sizeof PREFIX + sizeof "_length" };

/* The variables and dimensions of an attribute. */
typedef struct {
    char items[TITLE], names[TITLE], count[TITLE], length[TITLE], parts[TITLE], dims[2 * TITLE];
} titles;

static titles titles_of(const char *name) {
    titles t;
    const int most = AKIN_ATTRIBUTE_NAME_MAX;
    snprintf(t.items, sizeof t.items, PREFIX "%.*s", most, name);
    snprintf(t.names, sizeof t.names, PREFIX "%.*s_name", most, name);
    snprintf(t.count, sizeof t.count, PREFIX "%.*s_count", most, name);
    snprintf(t.length, sizeof t.length, PREFIX "%.*s_length", most, name);
    snprintf(t.parts, sizeof t.parts, PREFIX "%.*s_parts", most, name);
    snprintf(t.dims, sizeof t.dims, "%s,%s", t.count, t.length);
    return t;
}

static const char *const kinds[] = {"number", "label", "labels"};

const char *akin_attribute_kind_name(akin_attribute_kind kind) {
    return kinds[kind];
}

bool akin_attribute_kind_find(const char *name, size_t length, akin_attribute_kind *kind) {
    for (int k = 0; k < 3; k++)
        if (strlen(kinds[k]) == length && strncmp(kinds[k], name, length) == 0) {
            *kind = (akin_attribute_kind)k;
            return true;
        }
    return false;
}

bool akin_attribute_name_is_valid(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    static const char *const taken[] = {"category", "group", "available", "id"};
    size_t length = strlen(name);
    if (length == 0 || length > AKIN_ATTRIBUTE_NAME_MAX || strspn(name, letters) != length)
        return false;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(name, taken[i]) == 0) return false;
    return true;
}

/* --- in memory --- */

void akin_label_attributes_release(akin_label_attributes *attributes) {
    for (size_t a = 0; a < attributes->count; a++) {
        akin_mem_free(attributes->all[a].numbers);
        akin_mem_free(attributes->all[a].indices);
        akin_label_names_release(&attributes->all[a].names);
    }
    akin_mem_free(attributes->all);
    attributes->all = NULL;
    attributes->count = 0;
}

/* Without names yet; *out is borrowed until the next one. */
static akin_status append(akin_label_attributes *attributes, const char *name,
                          akin_attribute_kind kind, akin_label_attribute **out) {
    size_t items = attributes->items;
    akin_label_attribute *grown =
        akin_mem_resize(attributes->all, attributes->count, attributes->count + 1, sizeof *grown);
    if (!grown) return AKIN_FAILED;
    attributes->all = grown;
    *out = &grown[attributes->count++];
    **out = (akin_label_attribute){.kind = kind};
    strcpy((*out)->name, name);
    if (kind == AKIN_ATTRIBUTE_NUMBER) {
        float *numbers = (*out)->numbers = akin_mem_alloc(items, sizeof *numbers);
        if (!numbers) return AKIN_FAILED;
        for (size_t i = 0; i < items; i++) numbers[i] = NAN;
    } else {
        int32_t *indices = (*out)->indices = akin_mem_alloc(items, sizeof *indices);
        if (!indices) return AKIN_FAILED;
        for (size_t i = 0; i < items; i++) indices[i] = -1;
    }
    return AKIN_OK;
}

akin_status akin_label_attributes_add(akin_label_attributes *attributes, const char *name,
                                      akin_attribute_kind kind, size_t count,
                                      const char *const *values) {
    akin_label_attribute *added;
    AKIN_ASSERT(akin_attribute_name_is_valid(name));
    akin_status status = append(attributes, name, kind, &added);
    if (status != AKIN_OK || kind == AKIN_ATTRIBUTE_NUMBER) return status;
    return akin_label_names_set(&added->names, count, values);
}

/* --- reading --- */

/* Parts ascending and unique, so that two cells with the same labels are the same cell. */
static bool are_parts(const char *cell) {
    for (;;) {
        size_t length = strcspn(cell, "|");
        const char *next = cell + length + 1;
        if (length == 0) return false;
        if (cell[length] == '\0') return true;
        size_t second = strcspn(next, "|"), shorter = length < second ? length : second;
        int order = memcmp(cell, next, shorter);
        if (order > 0 || (order == 0 && length >= second)) return false;
        cell = next;
    }
}

static akin_status refuse(const akin_ncfile *file, const char *name, const char *what, size_t at) {
    return akin_error_set(AKIN_INPUT, "%s: %s %s %zu", akin_ncfile_path(file), name, what, at);
}

static akin_status read_numbers(const akin_ncfile *file, size_t first, size_t items,
                                akin_label_attribute *into) {
    const titles t = titles_of(into->name);
    akin_status status = akin_ncfile_expect(file, t.items, AKIN_NC_FLOAT, "item");
    if (status == AKIN_OK) status = akin_ncfile_get(file, t.items, first, items, into->numbers);
    for (size_t i = 0; i < items && status == AKIN_OK; i++)
        if (isinf(into->numbers[i]))
            status = refuse(file, t.items, "is infinite in row", first + i);
    return status;
}

static akin_status read_indices(const akin_ncfile *file, size_t first, size_t items,
                                akin_label_attribute *into) {
    akin_status status;
    const titles t = titles_of(into->name);
    akin_label_names *names = &into->names;
    AKIN_TRY(akin_ncfile_expect(file, t.items, AKIN_NC_INT, "item"));
    AKIN_TRY(akin_ncfile_expect(file, t.names, AKIN_NC_CHAR, t.dims));
    AKIN_TRY(akin_label_names_read(file, t.names, t.count, t.length, names));
    AKIN_TRY(akin_ncfile_get(file, t.items, first, items, into->indices));
    for (size_t i = 0; i < items; i++)
        if (into->indices[i] < -1 || into->indices[i] >= (int64_t)names->count)
            AKIN_TRY(refuse(file, t.items, "is out of range in row", first + i));
    for (size_t i = 0; i < names->count && into->kind == AKIN_ATTRIBUTE_LABELS; i++)
        if (!are_parts(akin_label_names_at(names, (int32_t)i)))
            AKIN_TRY(refuse(file, t.names, "has labels that are not ascending in row", i));
done:
    return status;
}

/* The variable's word for its kind. */
static akin_status read_one(const akin_ncfile *file, size_t first, const char *title,
                            const char *word, akin_label_attributes *out) {
    const char *name = title + sizeof PREFIX - 1;
    akin_attribute_kind kind = AKIN_ATTRIBUTE_NUMBER;
    akin_label_attribute *added;
    if (!akin_attribute_name_is_valid(name) || !akin_attribute_kind_find(word, strlen(word), &kind))
        return akin_error_set(AKIN_INPUT, "%s: %s of kind '%s' is no attribute that akin %s knows",
                              akin_ncfile_path(file), title, word, AKIN_VERSION);
    akin_status status = append(out, name, kind, &added);
    if (status != AKIN_OK) return status;
    return kind == AKIN_ATTRIBUTE_NUMBER ? read_numbers(file, first, out->items, added)
                                         : read_indices(file, first, out->items, added);
}

akin_status akin_label_attributes_read(const akin_ncfile *file, size_t first,
                                       akin_label_attributes *out) {
    akin_status status = AKIN_OK;
    char *word = NULL;
    for (size_t v = 0; v < akin_ncfile_variable_count(file); v++) {
        const char *type, *dims, *title = akin_ncfile_variable_name(file, v, &type, &dims);
        if (strncmp(title, PREFIX, sizeof PREFIX - 1) != 0) continue;
        akin_mem_free(word);
        AKIN_TRY(akin_ncfile_get_variable_attribute(file, title, KIND, &word));
        if (word) AKIN_TRY(read_one(file, first, title, word, out)); /* else the names of one */
    }
done:
    akin_mem_free(word);
    return status;
}

/* --- writing --- */

/* The most labels in one cell; at least 1. */
static size_t most_parts(const akin_label_names *names) {
    size_t most = 1;
    for (size_t i = 0; i < names->count; i++) {
        size_t parts = 1;
        for (const char *c = akin_label_names_at(names, (int32_t)i); *c; c++) parts += *c == '|';
        if (parts > most) most = parts;
    }
    return most;
}

static void define_indices(const akin_label_attribute *it, const titles *t, akin_ncfile *file) {
    char comment[TITLE + 32];
    snprintf(comment, sizeof comment, "index into %s; -1 = none", t->names);
    akin_ncfile_dimension(file, t->count, akin_label_names_rows(&it->names));
    akin_ncfile_dimension(file, t->length, akin_label_names_length(&it->names));
    /* It makes a file with lists of labels another content than one with single labels. */
    if (it->kind == AKIN_ATTRIBUTE_LABELS)
        akin_ncfile_dimension(file, t->parts, most_parts(&it->names));
    akin_ncfile_variable(file, t->items, AKIN_NC_INT, "item", "attribute of the item", "1");
    akin_ncfile_attribute(file, t->items, "comment", comment);
    akin_ncfile_variable(file, t->names, AKIN_NC_CHAR, t->dims,
                         "values of the attribute, ascending", NULL);
}

void akin_label_attributes_define(const akin_label_attributes *attributes, akin_ncfile *file) {
    static const float none = NAN;
    for (size_t a = 0; a < attributes->count; a++) {
        const akin_label_attribute *it = &attributes->all[a];
        const titles t = titles_of(it->name);
        if (it->kind == AKIN_ATTRIBUTE_NUMBER) {
            akin_ncfile_variable(file, t.items, AKIN_NC_FLOAT, "item", "attribute of the item",
                                 "1");
            akin_ncfile_attribute_values(file, t.items, "_FillValue", 1, &none);
        } else {
            define_indices(it, &t, file);
        }
        akin_ncfile_attribute(file, t.items, KIND, kinds[it->kind]);
    }
}

akin_status akin_label_attributes_put(const akin_label_attributes *attributes, akin_ncfile *file,
                                      akin_comm *comm, size_t first) {
    akin_status status = AKIN_OK;
    for (size_t a = 0; a < attributes->count; a++) {
        const akin_label_attribute *it = &attributes->all[a];
        const titles t = titles_of(it->name);
        if (it->kind == AKIN_ATTRIBUTE_NUMBER) {
            akin_ncfile_put(file, t.items, first, attributes->items, it->numbers);
            continue;
        }
        akin_ncfile_put(file, t.items, first, attributes->items, it->indices);
        AKIN_TRY(akin_label_names_put(&it->names, file, comm, t.names,
                                      akin_label_names_length(&it->names)));
    }
done:
    return status;
}
