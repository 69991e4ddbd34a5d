/* upcoming: see upcoming.h. */
#include "upcoming.h"
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <string.h>

struct akin_upcoming {
    const akin_source *source;
    akin_labels *last; /* NULL: no table to add to */
    size_t *rows;      /* [count]: of last [kept], then of the source; owned */
    size_t kept, count;
    size_t columns[AKIN_SOURCE_ATTRIBUTES_MAX]; /* those attributes in last; SIZE_MAX: not there */
};

static akin_status read_labels(const akin_ncfile *file, akin_upcoming *u) {
    size_t count;
    const akin_source_attributes *all = akin_source_attributes_of(u->source);
    akin_status status = akin_ncfile_length(file, "item", &count);
    if (status == AKIN_OK) status = akin_labels_read(file, 0, count, &u->last);
    if (status != AKIN_OK) return status;
    for (size_t a = 0; a < all->count; a++) {
        size_t column = akin_labels_find_attribute(u->last, all->of[a].name);
        bool same =
            column != SIZE_MAX && akin_labels_attribute_kind(u->last, column) == all->of[a].kind;
        u->columns[a] = same ? column : SIZE_MAX;
    }
    return AKIN_OK;
}

/* Whether a row of the last table has a row of the source, accepted or not, in its place. */
static akin_status find_replaced(const akin_ncfile *file, const akin_source *source,
                                 bool *replaced) {
    akin_ids *ids = NULL;
    akin_status status = akin_ids_read(file, &ids);
    for (size_t row = 0; status == AKIN_OK && row < akin_source_rows(source); row++) {
        int64_t at = akin_ids_find(ids, akin_source_get(source, row).id);
        if (at >= 0) replaced[at] = true;
    }
    akin_ids_free(ids);
    return status;
}

static akin_status keep_last(akin_upcoming *u, const char *path) {
    akin_status status;
    akin_ncfile *file = NULL;
    bool *replaced = NULL;
    AKIN_TRY(akin_ncfile_peek(path, "embeddings", &file));
    AKIN_TRY(read_labels(file, u));
    size_t count = akin_labels_count(u->last);
    replaced = akin_mem_zalloc(count, sizeof *replaced);
    u->rows = akin_mem_alloc(count + akin_source_valid(u->source), sizeof *u->rows);
    if (!replaced || !u->rows) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(find_replaced(file, u->source, replaced));
    for (size_t row = 0; row < count; row++)
        if (!replaced[row]) u->rows[u->kept++] = row;
done:
    akin_mem_free(replaced);
    akin_ncfile_close(file);
    return status;
}

/* What is added is little: there, a file that is missing is looked for. */
static akin_status take_source(akin_upcoming *u) {
    size_t valid = akin_source_valid(u->source);
    const size_t *order = akin_source_order(u->source);
    if (!u->rows) u->rows = akin_mem_alloc(valid + 1, sizeof *u->rows);
    if (!u->rows) return AKIN_FAILED;
    u->count = u->kept;
    for (size_t i = 0; i < valid; i++)
        if (!u->last || akin_source_is_there(u->source, order[i])) u->rows[u->count++] = order[i];
    return AKIN_OK;
}

akin_status akin_upcoming_create(const akin_source *source, const char *last, akin_upcoming **out) {
    akin_status status = AKIN_OK;
    akin_upcoming *u = akin_mem_zalloc(1, sizeof *u);
    *out = NULL;
    if (!u) return AKIN_FAILED;
    u->source = source;
    if (last) AKIN_TRY(keep_last(u, last));
    AKIN_TRY(take_source(u));
    *out = u, u = NULL;
done:
    akin_upcoming_free(u);
    return status;
}

void akin_upcoming_free(akin_upcoming *u) {
    if (!u) return;
    akin_labels_free(u->last);
    akin_mem_free(u->rows);
    akin_mem_free(u);
}

size_t akin_upcoming_count(const akin_upcoming *u) {
    return u->count;
}

bool akin_upcoming_is_added(const akin_upcoming *u) {
    return u->last != NULL;
}

static bool is_kept(const akin_upcoming *u, size_t i) {
    return i < u->kept;
}

const char *akin_upcoming_id(const akin_upcoming *u, size_t i) {
    size_t row = u->rows[i];
    return is_kept(u, i) ? akin_labels_id(u->last, row) : akin_source_get(u->source, row).id;
}

const char *akin_upcoming_category(const akin_upcoming *u, size_t i) {
    size_t row = u->rows[i];
    return is_kept(u, i) ? akin_labels_category_name(u->last, akin_labels_category(u->last)[row])
                         : akin_source_get(u->source, row).category;
}

const char *akin_upcoming_group(const akin_upcoming *u, size_t i) {
    size_t row = u->rows[i];
    return is_kept(u, i) ? akin_labels_group_name(u->last, akin_labels_group(u->last)[row])
                         : akin_source_get(u->source, row).group;
}

const char *akin_upcoming_product(const akin_upcoming *u, size_t i) {
    const char *group = akin_upcoming_group(u, i);
    return *group ? group : akin_upcoming_id(u, i);
}

const char *akin_upcoming_label(const akin_upcoming *u, size_t i, size_t attribute) {
    size_t row = u->rows[i], column = u->columns[attribute];
    if (!is_kept(u, i)) return akin_source_label(u->source, row, attribute);
    if (column == SIZE_MAX) return "";
    return akin_labels_attribute_value(u->last, column,
                                       akin_labels_attribute_values(u->last, column)[row]);
}

const akin_source_attributes *akin_upcoming_attributes(const akin_upcoming *u) {
    return akin_source_attributes_of(u->source);
}

akin_status akin_upcoming_names(const akin_upcoming *u, akin_upcoming_name *name, akin_ids **out) {
    const char **texts = akin_mem_alloc(u->count, sizeof *texts);
    if (!texts) return AKIN_FAILED;
    for (size_t i = 0; i < u->count; i++) texts[i] = name(u, i);
    akin_status status = akin_ids_create(u->count, texts, out);
    akin_mem_free(texts);
    return status;
}
