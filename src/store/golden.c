/* golden: see golden.h. */
#include <akin/golden.h>

#include <akin/csv.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/table.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int32_t item, neighbor;
} pair;

typedef struct {
    akin_members *known;
    akin_golden *out;
    pair *pairs;
    size_t count, room;
} reading;

static akin_status name_unknown(akin_golden *out, const char *id) {
    for (size_t i = 0; i < out->name_count; i++)
        if (strcmp(akin_text_bytes(out->names[i]), id) == 0) return AKIN_OK;
    if (out->name_count == AKIN_GOLDEN_NAMED) return AKIN_OK;
    akin_status status = akin_text_create(&out->names[out->name_count]);
    if (status != AKIN_OK) return status;
    return akin_text_append_bytes(out->names[out->name_count++], id, strlen(id));
}

static akin_status add(reading *r, pair one) {
    if (r->count == r->room) {
        size_t room = r->room > 0 ? 2 * r->room : 256;
        pair *more = akin_mem_resize(r->pairs, r->count, room, sizeof *more);
        if (!more) return AKIN_FAILED;
        r->pairs = more;
        r->room = room;
    }
    r->pairs[r->count++] = one;
    return AKIN_OK;
}

static akin_status take_pair(void *context, size_t row, const char *const *texts) {
    akin_status status = AKIN_OK;
    reading *r = context;
    const int64_t found[2] = {akin_members_find(r->known, texts[0]),
                              akin_members_find_neighbor(r->known, texts[1])};
    bool same = found[0] >= 0 && found[0] == found[1];
    if (found[0] >= 0 && found[1] >= 0 && !same)
        return add(r, (pair){(int32_t)found[0], (int32_t)found[1]});
    if (row == 1 && found[0] < 0 && found[1] < 0) return AKIN_OK; /* a header */
    r->out->unknown++;
    r->out->same += same;
    for (int f = 0; f < 2; f++)
        if (found[f] < 0) AKIN_TRY(name_unknown(r->out, texts[f]));
done:
    return status;
}

static int by_rows(const void *a, const void *b) {
    const pair *x = a, *y = b;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    return (x->neighbor > y->neighbor) - (x->neighbor < y->neighbor);
}

static bool is_worse(akin_golden_item a, akin_golden_item b) {
    double x = (double)a.found / (double)a.pairs, y = (double)b.found / (double)b.pairs;
    if (x != y) return x < y;
    return a.pairs != b.pairs ? a.pairs > b.pairs : a.row < b.row;
}

/* Into the list of the worst, which stays sorted. */
static void keep_worst(akin_golden *out, akin_golden_item item) {
    size_t at = out->worst_count;
    if (item.found == item.pairs) return;
    while (at > 0 && is_worse(item, out->worst[at - 1])) at--;
    if (at == AKIN_GOLDEN_WORST) return;
    if (out->worst_count < AKIN_GOLDEN_WORST) out->worst_count++;
    memmove(out->worst + at + 1, out->worst + at, (out->worst_count - at - 1) * sizeof *out->worst);
    out->worst[at] = item;
}

/* pairs [count] of one item, its neighbours [held]. */
static void count_item(akin_golden *out, const pair *pairs, size_t count, const int32_t *neighbor,
                       size_t held) {
    akin_golden_item item = {.row = (size_t)pairs[0].item};
    for (size_t p = 0; p < count; p++) {
        if (p > 0 && pairs[p].neighbor == pairs[p - 1].neighbor) continue;
        bool is = false;
        for (size_t j = 0; j < held; j++) is = is || neighbor[j] == pairs[p].neighbor;
        item.pairs++;
        item.found += is;
    }
    out->pairs += item.pairs;
    out->found += item.found;
    keep_worst(out, item);
}

static akin_status count_all(const reading *r, const akin_table *table) {
    akin_status status = AKIN_OK;
    akin_lists *lists = NULL;
    AKIN_TRY(akin_lists_create(table, &lists));
    for (size_t p = 0, end; p < r->count; p = end) {
        for (end = p + 1; end < r->count && r->pairs[end].item == r->pairs[p].item;) end++;
        akin_list list;
        AKIN_TRY(akin_lists_get(lists, (size_t)r->pairs[p].item, &list));
        count_item(r->out, r->pairs + p, end - p, list.neighbor, list.count);
    }
done:
    akin_lists_free(lists);
    return status;
}

akin_status akin_golden_measure(const char *path, const akin_table *table, const akin_ids *ids,
                                akin_golden *out) {
    akin_status status;
    static const char *const columns[AKIN_CSV_PAIR_TEXTS] = {"id", "neighbor"};
    reading r = {.out = out};
    *out = (akin_golden){0};
    AKIN_TRY(akin_members_read(akin_table_file(table), ids, &r.known));
    AKIN_TRY(akin_csv_read_pairs(path, columns, take_pair, &r));
    if (r.count > 0) qsort(r.pairs, r.count, sizeof *r.pairs, by_rows);
    AKIN_TRY(count_all(&r, table));
done:
    akin_mem_free(r.pairs);
    akin_members_free(r.known);
    if (status != AKIN_OK) akin_golden_release(out);
    return status;
}

void akin_golden_release(akin_golden *golden) {
    for (size_t i = 0; i < golden->name_count; i++) akin_text_free(golden->names[i]);
    *golden = (akin_golden){0};
}

double akin_golden_share(const akin_golden *golden) {
    return golden->pairs > 0 ? (double)golden->found / (double)golden->pairs : NAN;
}

/* Why pairs are passed over. */
static akin_status append_reasons(const akin_golden *golden, akin_text *out) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < golden->name_count; i++)
        AKIN_TRY(akin_text_append(out, "%s%s", i > 0 ? ", " : "; the table lacks these ids: ",
                                  akin_text_bytes(golden->names[i])));
    if (golden->name_count == AKIN_GOLDEN_NAMED) AKIN_TRY(akin_text_append(out, ", ..."));
    if (golden->same > 0)
        status = akin_text_append(out, "; %zu because both ids are of one item or product",
                                  golden->same);
done:
    return status;
}

void akin_golden_tell_unknown(const akin_golden *golden, const char *path, const char *table) {
    akin_text *reasons = NULL;
    if (golden->unknown == 0 || akin_text_create(&reasons) != AKIN_OK) return;
    if (append_reasons(golden, reasons) == AKIN_OK)
        akin_log_warning("%s: %zu pair%s passed over in %s%s", path, golden->unknown,
                         golden->unknown == 1 ? " is" : "s are", akin_file_name(table),
                         akin_text_bytes(reasons));
    akin_text_free(reasons);
}
