/* labels_take: a selection of rows as separate labels, as if there had been no others. */
#include "label_kinds.h"
#include <akin/mem.h>
#include <string.h>

typedef struct {
    akin_comm *comm;
    akin_labels *from, *out;
    const size_t *rows; /* [count], of from */
    size_t count;
} taking;

/* Of all names those that a row of any rank has, and where each is among them. */
typedef struct {
    const char **names; /* [count], borrowed */
    size_t count;
    int64_t *place; /* [all names] */
} used_names;

static void release(used_names *used) {
    akin_mem_free(used->names);
    akin_mem_free(used->place);
    *used = (used_names){0};
}

/* Collective; agreed. */
static akin_status find_used(const taking *t, const int32_t *indices, size_t all,
                             akin_label_name_at *name, size_t which, used_names *used) {
    akin_status status;
    *used = (used_names){.names = akin_mem_alloc(all, sizeof *used->names),
                         .place = akin_mem_zalloc(all, sizeof *used->place)};
    AKIN_TRY(akin_agree(t->comm, used->names && used->place ? AKIN_OK : AKIN_FAILED));
    for (size_t i = 0; i < t->count; i++)
        if (indices[t->rows[i]] >= 0) used->place[indices[t->rows[i]]] = 1;
    if (all > 0) akin_comm_max_i64(t->comm, used->place, all);
    for (size_t old = 0; old < all; old++) {
        if (used->place[old] == 0) continue;
        used->names[used->count] = name(t->from, which, (int32_t)old);
        used->place[old] = (int64_t)used->count++;
    }
done:
    return status;
}

static void take_indices(const taking *t, const used_names *used, const int32_t *from,
                         int32_t *to) {
    for (size_t i = 0; i < t->count; i++) {
        int32_t old = from[t->rows[i]];
        to[i] = old < 0 ? -1 : (int32_t)used->place[old];
    }
}

/* Ids as long as the longest of any rank. Collective; agreed. */
static akin_status create(taking *t) {
    akin_status status;
    int64_t longest = 0;
    for (size_t i = 0; i < t->count; i++) {
        int64_t length = (int64_t)strlen(akin_labels_id(t->from, t->rows[i]));
        if (length > longest) longest = length;
    }
    akin_comm_max_i64(t->comm, &longest, 1);
    status = akin_labels_create(t->count, (size_t)longest, &t->out);
    for (size_t i = 0; i < t->count && status == AKIN_OK; i++) {
        akin_labels_available(t->out)[i] = akin_labels_available(t->from)[t->rows[i]];
        status = akin_labels_set_id(t->out, i, akin_labels_id(t->from, t->rows[i]));
    }
    return akin_agree(t->comm, status);
}

/* Collective; agreed. */
static akin_status take_names(taking *t, const akin_label_kind *kind) {
    akin_status status;
    used_names used;
    AKIN_TRY(find_used(t, kind->indices(t->from), kind->count(t->from), kind->name, 0, &used));
    take_indices(t, &used, kind->indices(t->from), kind->indices(t->out));
    AKIN_TRY(akin_agree(t->comm, kind->set_names(t->out, used.count, used.names)));
done:
    release(&used);
    return status;
}

/* Collective; agreed. */
static akin_status take_attribute(taking *t, size_t a) {
    akin_status status = AKIN_OK;
    used_names used = {0};
    const char *name = akin_labels_attribute_name(t->from, a);
    akin_attribute_kind kind = akin_labels_attribute_kind(t->from, a);
    bool number = kind == AKIN_ATTRIBUTE_NUMBER;
    if (!number)
        AKIN_TRY(find_used(t, akin_labels_attribute_values(t->from, a),
                           akin_labels_attribute_value_count(t->from, a),
                           akin_labels_attribute_value, a, &used));
    AKIN_TRY(
        akin_agree(t->comm, akin_labels_add_attribute(t->out, name, kind, used.count, used.names)));
    if (!number)
        take_indices(t, &used, akin_labels_attribute_values(t->from, a),
                     akin_labels_attribute_values(t->out, a));
    for (size_t i = 0; i < t->count && number; i++)
        akin_labels_attribute_numbers(t->out, a)[i] =
            akin_labels_attribute_numbers(t->from, a)[t->rows[i]];
done:
    release(&used);
    return status;
}

static akin_status add_like(akin_labels *from, size_t a, akin_labels *to) {
    size_t count = akin_labels_attribute_value_count(from, a);
    const char **values = akin_mem_alloc(count, sizeof *values);
    if (!values) return AKIN_FAILED;
    for (size_t v = 0; v < count; v++) values[v] = akin_labels_attribute_value(from, a, (int32_t)v);
    akin_status status =
        akin_labels_add_attribute(to, akin_labels_attribute_name(from, a),
                                  akin_labels_attribute_kind(from, a), count, values);
    akin_mem_free(values);
    return status;
}

akin_status akin_labels_create_like(akin_labels *from, size_t count, size_t id_length,
                                    akin_labels **out) {
    akin_status status;
    akin_labels *labels = NULL;
    *out = NULL;
    AKIN_TRY(akin_labels_create(count, id_length, &labels));
    AKIN_TRY(akin_labels_copy_names(labels, from));
    for (size_t a = 0; a < akin_labels_attributes(from); a++) AKIN_TRY(add_like(from, a, labels));
    *out = labels, labels = NULL;
done:
    akin_labels_free(labels);
    return status;
}

akin_status akin_labels_take(akin_comm *comm, akin_labels *from, const size_t *rows, size_t count,
                             akin_labels **out) {
    akin_status status;
    taking t = {.comm = comm, .from = from, .rows = rows, .count = count};
    *out = NULL;
    AKIN_TRY(create(&t));
    for (int k = 0; k < AKIN_LABEL_KINDS; k++) AKIN_TRY(take_names(&t, &akin_label_kinds[k]));
    for (size_t a = 0; a < akin_labels_attributes(from); a++) AKIN_TRY(take_attribute(&t, a));
    *out = t.out, t.out = NULL;
done:
    akin_labels_free(t.out);
    return status;
}
