/* labels_join: merges the labels of two catalogues. */
#include "label_kinds.h"
#include <akin/mem.h>
#include <math.h>
#include <string.h>

/* The names of both, ascending, each once, and where those of either stand among them. */
typedef struct {
    const char **names; /* [count], borrowed */
    size_t count;
    int32_t *place[2]; /* [names of one] */
} merged;

static void release(merged *m) {
    akin_mem_free(m->names);
    akin_mem_free(m->place[0]);
    akin_mem_free(m->place[1]);
    *m = (merged){0};
}

static akin_status merge(const akin_labels *const labels[2], const size_t which[2],
                         const size_t counts[2], akin_label_name_at *name, merged *out) {
    size_t at[2] = {0, 0};
    *out = (merged){.names = akin_mem_alloc(counts[0] + counts[1], sizeof *out->names)};
    for (int s = 0; s < 2; s++) out->place[s] = akin_mem_alloc(counts[s], sizeof **out->place);
    if (!out->names || !out->place[0] || !out->place[1]) return AKIN_FAILED;
    while (at[0] < counts[0] || at[1] < counts[1]) {
        const char *a = at[0] < counts[0] ? name(labels[0], which[0], (int32_t)at[0]) : NULL;
        const char *b = at[1] < counts[1] ? name(labels[1], which[1], (int32_t)at[1]) : NULL;
        int order = !a ? 1 : !b ? -1 : strcmp(a, b);
        if (order <= 0) out->place[0][at[0]++] = (int32_t)out->count;
        if (order >= 0) out->place[1][at[1]++] = (int32_t)out->count;
        out->names[out->count++] = order <= 0 ? a : b;
    }
    return AKIN_OK;
}

/* Indices of some items, in the merged names. */
static void move_indices(const merged *m, int side, const int32_t *from, size_t count,
                         int32_t *to) {
    for (size_t i = 0; i < count; i++) to[i] = from[i] < 0 ? -1 : m->place[side][from[i]];
}

typedef struct {
    akin_labels *side[2];
    size_t count[2]; /* the rows taken of each */
    akin_labels *out;
} joining;

static akin_status join_ids(const joining *j) {
    akin_status status = AKIN_OK;
    for (size_t s = 0, row = 0; s < 2; s++)
        for (size_t i = 0; i < j->count[s] && status == AKIN_OK; i++, row++) {
            status = akin_labels_set_id(j->out, row, akin_labels_id(j->side[s], i));
            akin_labels_available(j->out)[row] = akin_labels_available(j->side[s])[i];
        }
    return status;
}

static akin_status join_names(const joining *j, const akin_label_kind *kind) {
    akin_status status;
    merged m;
    const akin_labels *const labels[2] = {j->side[0], j->side[1]};
    const size_t which[2] = {0, 0}, counts[2] = {kind->count(labels[0]), kind->count(labels[1])};
    AKIN_TRY(merge(labels, which, counts, kind->name, &m));
    AKIN_TRY(kind->set_names(j->out, m.count, m.names));
    for (int s = 0; s < 2; s++)
        move_indices(&m, s, kind->indices(j->side[s]), j->count[s],
                     kind->indices(j->out) + (s ? j->count[0] : 0));
done:
    release(&m);
    return status;
}

/* Attribute a of one side and b of the other. */
static akin_status join_attribute(const joining *j, size_t a, size_t b) {
    akin_status status;
    merged m = {0};
    const akin_labels *const labels[2] = {j->side[0], j->side[1]};
    const size_t which[2] = {a, b};
    const char *name = akin_labels_attribute_name(labels[0], a);
    akin_attribute_kind kind = akin_labels_attribute_kind(labels[0], a);
    size_t to = akin_labels_attributes(j->out);
    if (kind != AKIN_ATTRIBUTE_NUMBER) {
        const size_t counts[2] = {akin_labels_attribute_value_count(labels[0], a),
                                  akin_labels_attribute_value_count(labels[1], b)};
        AKIN_TRY(merge(labels, which, counts, akin_labels_attribute_value, &m));
    }
    AKIN_TRY(akin_labels_add_attribute(j->out, name, kind, m.count, m.names));
    for (int s = 0; s < 2; s++) {
        size_t first = s ? j->count[0] : 0;
        if (kind == AKIN_ATTRIBUTE_NUMBER && j->count[s] > 0)
            memcpy(akin_labels_attribute_numbers(j->out, to) + first,
                   akin_labels_attribute_numbers(j->side[s], which[s]),
                   j->count[s] * sizeof(float));
        else if (j->count[s] > 0)
            move_indices(&m, s, akin_labels_attribute_values(j->side[s], which[s]), j->count[s],
                         akin_labels_attribute_values(j->out, to) + first);
    }
done:
    release(&m);
    return status;
}

static akin_status join_attributes(const joining *j) {
    akin_status status = AKIN_OK;
    for (size_t a = 0; a < akin_labels_attributes(j->side[0]) && status == AKIN_OK; a++) {
        size_t b =
            akin_labels_find_attribute(j->side[1], akin_labels_attribute_name(j->side[0], a));
        if (b == SIZE_MAX ||
            akin_labels_attribute_kind(j->side[0], a) != akin_labels_attribute_kind(j->side[1], b))
            continue;
        status = join_attribute(j, a, b);
    }
    return status;
}

akin_status akin_labels_join(akin_labels *a, size_t a_count, akin_labels *b, size_t b_count,
                             akin_labels **out) {
    akin_status status;
    size_t a_length = akin_labels_id_length(a), b_length = akin_labels_id_length(b);
    joining j = {{a, b}, {a_count, b_count}, NULL};
    *out = NULL;
    AKIN_TRY(
        akin_labels_create(a_count + b_count, a_length > b_length ? a_length : b_length, &j.out));
    AKIN_TRY(join_ids(&j));
    for (int k = 0; k < AKIN_LABEL_KINDS; k++) AKIN_TRY(join_names(&j, &akin_label_kinds[k]));
    AKIN_TRY(join_attributes(&j));
    *out = j.out, j.out = NULL;
done:
    akin_labels_free(j.out);
    return status;
}
