/* id_pairs: see ids.h. */
#include <akin/csv.h>
#include <akin/ids.h>
#include <akin/mem.h>
#include <stdlib.h>
#include <string.h>

#define MOST_WEIGHT 1e9

typedef struct {
    const char *path;
    const akin_members *known;
    akin_id_pairs *out;
    size_t room;
} reading;

static akin_status add(reading *r, akin_id_pair pair) {
    akin_id_pairs *out = r->out;
    if (out->count == r->room) {
        size_t room = r->room > 0 ? 2 * r->room : 256;
        akin_id_pair *more = akin_mem_alloc(room, sizeof *more);
        if (!more) return AKIN_FAILED;
        if (out->count > 0) memcpy(more, out->pairs, out->count * sizeof *more);
        akin_mem_free(out->pairs);
        out->pairs = more;
        r->room = room;
    }
    out->pairs[out->count++] = pair;
    return AKIN_OK;
}

/* A weight that is missing is 1. */
static akin_status read_weight(const char *path, size_t row, const char *text, double *weight) {
    *weight = 1;
    if (*text == '\0' || (akin_text_to_real(text, weight) && *weight > 0 && *weight <= MOST_WEIGHT))
        return AKIN_OK;
    return akin_error_set(AKIN_INPUT,
                          "%s row %zu: \"%.40s\" is not a weight; write a number above 0", path,
                          row, text);
}

static akin_status take_pair(void *context, size_t row, const char *const *texts) {
    reading *r = context;
    double weight;
    int64_t a = akin_members_find(r->known, texts[0]), b = akin_members_find(r->known, texts[1]);
    if (row == 1 && a < 0 && b < 0) return AKIN_OK; /* a header */
    r->out->rows++;
    akin_status status = read_weight(r->path, row, texts[2], &weight);
    if (status != AKIN_OK) return status;
    if (a < 0 || b < 0 || a == b) {
        r->out->unknown++;
        return AKIN_OK;
    }
    return add(r, (akin_id_pair){(size_t)(a < b ? a : b), (size_t)(a < b ? b : a), weight});
}

static int by_rows(const void *a, const void *b) {
    const akin_id_pair *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    if (x->second != y->second) return x->second < y->second ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight); /* so that sums have one order */
}

static void add_up(akin_id_pairs *list) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        akin_id_pair *last = kept > 0 ? &list->pairs[kept - 1] : NULL;
        if (last && last->first == list->pairs[i].first && last->second == list->pairs[i].second)
            last->weight += list->pairs[i].weight;
        else
            list->pairs[kept++] = list->pairs[i];
    }
    list->count = kept;
}

static const char *const columns[AKIN_CSV_PAIR_TEXTS] = {"id", "neighbor", "weight"};

akin_status akin_id_pairs_read(const char *path, const akin_ncfile *file, akin_id_pairs *out) {
    akin_status status;
    akin_ids *ids = NULL;
    akin_members *known = NULL;
    *out = (akin_id_pairs){0};
    AKIN_TRY(akin_ids_read(file, &ids));
    AKIN_TRY(akin_members_read(file, ids, &known));
    reading r = {.path = path, .known = known, .out = out};
    AKIN_TRY(akin_csv_read_pairs(path, columns, take_pair, &r));
    if (out->count > 0) qsort(out->pairs, out->count, sizeof *out->pairs, by_rows);
    add_up(out);
done:
    akin_members_free(known);
    akin_ids_free(ids);
    if (status != AKIN_OK) akin_id_pairs_release(out);
    return status;
}

/* The first row may be a header with other names. */
static akin_status check_pair(void *path, size_t row, const char *const *texts) {
    double weight;
    return row == 1 ? AKIN_OK : read_weight(path, row, texts[2], &weight);
}

akin_status akin_id_pairs_check(const char *path) {
    return akin_csv_read_pairs(path, columns, check_pair, (void *)path);
}

void akin_id_pairs_release(akin_id_pairs *list) {
    akin_mem_free(list->pairs);
    *list = (akin_id_pairs){0};
}
