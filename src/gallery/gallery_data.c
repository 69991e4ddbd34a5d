/* gallery_data: the items and their neighbours as scripts. */
#include "gallery_data.h"
#include "gallery_ruled.h"
#include "gallery_scripts.h"
#include <akin/mem.h>
#include <akin/text.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

/* What the writers of both kinds of script share. */
typedef struct {
    akin_comm *comm;
    akin_gallery_folder *folder;
    const akin_table *table;
    const akin_gallery_rows *rows;
    const akin_gallery_missing *missing;
    akin_gallery_counts *counts;
    akin_text *text;
    int32_t *neighbor, *list_counts, *filled, *pinned; /* of AKIN_GALLERY_LIST items */
    int32_t *picture, *other; /* the same, for a table between products; else NULL */
    float *score;
    uint32_t *in;   /* [rows], number of lists that contain the row */
    int32_t *from;  /* [rows of lists, FROM]: who recommends it, best rank first; -1 = none */
    uint16_t *rank; /* their ranks, [as from] */
    uint8_t *own;   /* [as counts->worst]: neighbours of the category that those have */
    akin_gallery_ruled *ruled;
} writer;

enum { FROM = 12 };               /* most items listed that recommend an item */
enum { JUDGED = 10, MOST = 255 }; /* neighbours of a list that are judged; `own` of none */

/* --- the kinds of rows --- */

static size_t rows_of(const writer *w) {
    return w->rows->items + w->rows->targets;
}

/* The labels of a row, whose number is reduced to its place in them. */
static akin_labels *labels_of(const writer *w, size_t *row) {
    if (*row < w->rows->items) return w->rows->labels;
    *row -= w->rows->items;
    return w->rows->target_labels;
}

static const char *id_of(const writer *w, size_t row) {
    akin_labels *labels = labels_of(w, &row);
    return akin_labels_id(labels, row);
}

static int32_t category_of(const writer *w, size_t row) {
    akin_labels *labels = labels_of(w, &row);
    return akin_labels_category(labels)[row];
}

static bool is_unavailable(const writer *w, size_t row) {
    akin_labels *labels = labels_of(w, &row);
    return akin_labels_available(labels)[row] == 0;
}

static bool is_missing(const writer *w, size_t row) {
    size_t items = w->rows->items;
    return row < items
               ? w->missing->pictures[akin_gallery_rows_picture(w->rows, row)]
               : w->missing->targets[akin_gallery_rows_target_picture(w->rows, row - items)];
}

/* --- the index --- */

/* The numbers 0..count-1 of the rows, starting with `first`, for which `holds` is true, separated
 * by commas. */
static akin_status append_picked(writer *w, const char *key, size_t first, size_t count,
                                 bool (*holds)(const writer *, size_t)) {
    akin_status status = AKIN_OK;
    bool any = false;
    AKIN_TRY(akin_text_append(w->text, ",\n\"%s\":[", key));
    for (size_t i = 0; i < count; i++) {
        if (!holds(w, first + i)) continue;
        AKIN_TRY(akin_text_append(w->text, any ? ",%zu" : "%zu", i));
        any = true;
    }
    AKIN_TRY(akin_text_append(w->text, "]"));
done:
    return status;
}

/* [[number, id...]...]: the pictures of each product; -1 where one could not be read. */
static akin_status append_pictures(writer *w, size_t first, size_t count) {
    akin_status status = AKIN_OK;
    const size_t items = w->rows->items;
    if (!w->rows->shots.labels) return AKIN_OK;
    AKIN_TRY(akin_text_append(w->text, ",\n\"pictures\":["));
    for (size_t row = first; row < first + count; row++) {
        const akin_gallery_shots *shots = row < items ? &w->rows->shots : &w->rows->target_shots;
        const uint8_t *missing = row < items ? w->missing->pictures : w->missing->targets;
        const int32_t *begin = shots->first + (row < items ? row : row - items);
        AKIN_TRY(akin_text_append(w->text, row > first ? ",[" : "["));
        for (int32_t p = begin[0]; p < begin[1]; p++) {
            int32_t shown = shots->shown[p];
            AKIN_TRY(akin_text_append(w->text, p > begin[0] ? ",%d," : "%d,",
                                      missing[shown] ? -1 : (int)shown));
            AKIN_TRY(akin_text_append_json(w->text, akin_labels_id(shots->labels, (size_t)shown)));
        }
        AKIN_TRY(akin_text_append(w->text, "]"));
    }
    status = akin_text_append(w->text, "]");
done:
    return status;
}

static akin_status append_attributes(writer *w, size_t row, bool all);

static akin_status append_facts(writer *w, size_t first, size_t count) {
    akin_status status = AKIN_OK;
    if (!akin_gallery_ruled_any(w->ruled)) return AKIN_OK;
    AKIN_TRY(akin_text_append(w->text, ",\n\"facts\":["));
    for (size_t row = first; row < first + count; row++) {
        if (row > first) AKIN_TRY(akin_text_append(w->text, ","));
        AKIN_TRY(append_attributes(w, row, false));
    }
    status = akin_text_append(w->text, "]");
done:
    return status;
}

static akin_status write_index(void *context, size_t first, size_t count) {
    akin_status status = AKIN_OK;
    writer *w = context;
    AKIN_TRY(akin_text_append(w->text, "akin.index(%zu,{\"id\":[", first));
    for (size_t i = 0; i < count; i++) {
        if (i > 0) AKIN_TRY(akin_text_append_bytes(w->text, ",", 1));
        AKIN_TRY(akin_text_append_json(w->text, id_of(w, first + i)));
    }
    AKIN_TRY(akin_text_append(w->text, "],\n\"category\":["));
    for (size_t i = 0; i < count; i++)
        AKIN_TRY(akin_text_append(w->text, i > 0 ? ",%d" : "%d", (int)category_of(w, first + i)));
    AKIN_TRY(akin_text_append(w->text, "]"));
    AKIN_TRY(append_picked(w, "unavailable", first, count, is_unavailable));
    AKIN_TRY(append_picked(w, "missing", first, count, is_missing));
    AKIN_TRY(append_facts(w, first, count));
    AKIN_TRY(append_pictures(w, first, count));
    AKIN_TRY(akin_text_append(w->text, "});\n"));
    for (size_t row = first; row < first + count && row < w->rows->items; row++)
        w->counts->unavailable += is_unavailable(w, row);
done:
    return status;
}

/* --- the lists --- */

static void count_score(const writer *w, int64_t *bins, float score) {
    double at = ((double)score + 1) / 2;
    if (akin_table_is_calibrated(w->table))
        at = score < 1 ? -log10(1 - (double)score) / AKIN_GALLERY_DECADES : 1;
    int bin = at > 0 ? (int)(at * AKIN_GALLERY_BINS) : 0;
    bins[bin < AKIN_GALLERY_BINS ? bin : AKIN_GALLERY_BINS - 1]++;
}

akin_status akin_gallery_score(akin_text *text, const akin_table *table, float score) {
    bool fine = akin_table_is_calibrated(table); /* most neighbours are above the 99th percentile */
    double most = fine ? 0.999999 : 0.9999;
    return akin_text_append(text, "%.*f", fine ? 6 : 4,
                            score < 1 && (double)score > most ? most : (double)score);
}

/* The position in `from` of an item; only the rank that writes the item's list has one. */
static size_t place_of(const writer *w, size_t row) {
    size_t size = (size_t)akin_comm_size(w->comm);
    return row / AKIN_GALLERY_LIST / size * AKIN_GALLERY_LIST + row % AKIN_GALLERY_LIST;
}

static bool is_own(const writer *w, size_t row) {
    return row / AKIN_GALLERY_LIST % (size_t)akin_comm_size(w->comm) ==
           (size_t)akin_comm_rank(w->comm);
}

/* Keeps the FROM items in whose lists it ranks best; ties go to the first. */
static void consider(writer *w, size_t item, size_t by, size_t rank) {
    int32_t *from = w->from + place_of(w, item) * FROM;
    uint16_t *ranks = w->rank + place_of(w, item) * FROM;
    size_t at = 0;
    while (at < FROM && from[at] >= 0 && ranks[at] <= rank) at++;
    if (at == FROM) return;
    memmove(from + at + 1, from + at, (FROM - at - 1) * sizeof *from);
    memmove(ranks + at + 1, ranks + at, (FROM - at - 1) * sizeof *ranks);
    from[at] = (int32_t)by;
    ranks[at] = (uint16_t)(rank < UINT16_MAX ? rank : UINT16_MAX);
}

/* The first row that lists can contain. */
static size_t offset_of(const writer *w) {
    return w->rows->targets > 0 ? w->rows->items : 0;
}

/* Keeps the WORST rows of each category whose lists have the fewest neighbours of it; ties go to
 * the first. */
static void judge(writer *w, size_t row, const int32_t *neighbor, size_t count) {
    int32_t category = category_of(w, row);
    if (category < 0) return;
    int32_t *worst = w->counts->worst + (size_t)category * AKIN_GALLERY_WORST;
    uint8_t *fewest = w->own + (size_t)category * AKIN_GALLERY_WORST;
    uint8_t own = 0;
    for (size_t r = 0; r < count && r < JUDGED; r++)
        own += category_of(w, (size_t)neighbor[r] + offset_of(w)) == category;
    size_t at = AKIN_GALLERY_WORST;
    while (at > 0 && own < fewest[at - 1]) at--;
    if (at == AKIN_GALLERY_WORST) return;
    size_t behind = AKIN_GALLERY_WORST - 1 - at;
    memmove(worst + at + 1, worst + at, behind * sizeof *worst);
    memmove(fewest + at + 1, fewest + at, behind * sizeof *fewest);
    worst[at] = (int32_t)row;
    fewest[at] = own;
}

/* One pass over all lists, on every rank. */
static akin_status turn_around(writer *w) {
    akin_status status = AKIN_OK;
    size_t n = akin_table_items(w->table), k = akin_table_k(w->table);
    for (size_t first = 0; first < n; first += AKIN_GALLERY_LIST) {
        size_t count = n - first < AKIN_GALLERY_LIST ? n - first : AKIN_GALLERY_LIST;
        AKIN_TRY(akin_table_rows(w->table, first, count, w->neighbor, NULL, w->list_counts));
        for (size_t i = 0; i < count; i++) {
            judge(w, first + i, w->neighbor + i * k, (size_t)w->list_counts[i]);
            for (size_t r = 0; r < (size_t)w->list_counts[i]; r++) {
                size_t item = (size_t)w->neighbor[i * k + r] + offset_of(w);
                w->in[item]++;
                if (is_own(w, item)) consider(w, item, first + i, r);
            }
        }
        akin_comm_poll(w->comm);
    }
done:
    return status;
}

static akin_status append_from(writer *w, size_t row) {
    akin_status status = AKIN_OK;
    const int32_t *from = w->from + place_of(w, row) * FROM;
    AKIN_TRY(akin_text_append(w->text, ",%u,[", (unsigned)w->in[row]));
    for (size_t i = 0; i < FROM && from[i] >= 0; i++)
        AKIN_TRY(akin_text_append(w->text, i > 0 ? ",%d" : "%d", (int)from[i]));
    status = akin_text_append(w->text, "]");
done:
    return status;
}

/* {"brand":"Acme","price":12.5}: the attributes that the item has, or only those that rules use. */
static akin_status append_attributes(writer *w, size_t row, bool all) {
    akin_status status = AKIN_OK;
    bool any = false, of_target = row >= w->rows->items;
    akin_labels *labels = of_target ? w->rows->target_facts : w->rows->labels;
    if (of_target) row -= w->rows->items;
    if (of_target && w->rows->target_shots.labels) { /* a product has those of its first picture */
        labels = w->rows->target_shots.labels;
        row = akin_gallery_rows_target_picture(w->rows, row);
    }
    AKIN_TRY(akin_text_append(w->text, "{"));
    for (size_t a = 0; labels && a < akin_labels_attributes(labels); a++) {
        if (!all && !akin_gallery_ruled_is(w->ruled, akin_labels_attribute_name(labels, a)))
            continue;
        bool number = akin_labels_attribute_kind(labels, a) == AKIN_ATTRIBUTE_NUMBER;
        double value = number ? (double)akin_labels_attribute_numbers(labels, a)[row] : 0;
        int32_t index = number ? 0 : akin_labels_attribute_values(labels, a)[row];
        if (!isfinite(value) || index < 0) continue;
        AKIN_TRY(akin_text_append(
            w->text, any ? ",\"%s\":" : "\"%s\":", akin_labels_attribute_name(labels, a)));
        AKIN_TRY(
            number ? akin_text_append(w->text, "%.7g", value)
                   : akin_text_append_json(w->text, akin_labels_attribute_value(labels, a, index)));
        any = true;
    }
    status = akin_text_append(w->text, "}");
done:
    return status;
}

static akin_status append_group(writer *w, size_t row) {
    akin_labels *labels = labels_of(w, &row);
    const char *group = akin_labels_group_name(labels, akin_labels_group(labels)[row]);
    return *group ? akin_text_append_json(w->text, group) : akin_text_append(w->text, "null");
}

/* [[picture, the neighbour's picture]...] of entry i. */
static akin_status append_pairs(writer *w, size_t i, size_t count) {
    akin_status status = AKIN_OK;
    size_t at = i * akin_table_k(w->table);
    AKIN_TRY(akin_text_append(w->text, ",["));
    for (size_t e = at; e < at + count; e++)
        AKIN_TRY(akin_text_append(w->text, e > at ? ",[%d,%d]" : "[%d,%d]", (int)w->picture[e],
                                  (int)w->other[e]));
    status = akin_text_append(w->text, "]");
done:
    return status;
}

/* Entry i of the rows read, for this row; the last `filled` neighbours were filled in, the first
 * `pinned` ones are pinned. */
static akin_status append_list(writer *w, size_t row, size_t i) {
    akin_status status = AKIN_OK;
    size_t k = akin_table_k(w->table), count = (size_t)w->list_counts[i],
           fill = (size_t)w->filled[i];
    const int32_t *neighbor = w->neighbor + i * k;
    const float *score = w->score + i * k;
    float best = -1; /* not always the first one: boosts and diversity change the order */
    AKIN_TRY(akin_text_append(w->text, "["));
    AKIN_TRY(append_group(w, row));
    AKIN_TRY(akin_text_append(w->text, ",["));
    for (size_t e = 0; e < count; e++)
        AKIN_TRY(
            akin_text_append(w->text, e > 0 ? ",%zu" : "%zu", (size_t)neighbor[e] + offset_of(w)));
    AKIN_TRY(akin_text_append(w->text, "],["));
    for (size_t e = 0; e < count; e++) {
        if (e > 0) AKIN_TRY(akin_text_append(w->text, ","));
        AKIN_TRY(akin_gallery_score(w->text, w->table, score[e]));
        count_score(w, w->counts->all, score[e]);
        if (e + fill < count && score[e] > best) best = score[e];
    }
    if (count > fill) count_score(w, w->counts->best, best);
    AKIN_TRY(akin_text_append(w->text, "],%zu", fill));
    AKIN_TRY(append_from(w, row));
    AKIN_TRY(akin_text_append(w->text, ","));
    AKIN_TRY(append_attributes(w, row, true));
    AKIN_TRY(akin_text_append(w->text, ",%d", (int)w->pinned[i]));
    if (w->picture) AKIN_TRY(append_pairs(w, i, count));
    status = akin_text_append(w->text, "]");
done:
    return status;
}

/* The entry of a target, which has no list. */
static akin_status append_target(writer *w, size_t row) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_text_append(w->text, "["));
    AKIN_TRY(append_group(w, row));
    AKIN_TRY(akin_text_append(w->text, ",[],[],0"));
    AKIN_TRY(append_from(w, row));
    AKIN_TRY(akin_text_append(w->text, ","));
    AKIN_TRY(append_attributes(w, row, true));
    status = akin_text_append(w->text, ",0]");
done:
    return status;
}

/* The lists of these items. */
static akin_status read_lists(writer *w, size_t first, size_t count) {
    akin_status status;
    AKIN_TRY(akin_table_rows(w->table, first, count, w->neighbor, w->score, w->list_counts));
    AKIN_TRY(akin_table_filled(w->table, first, count, w->filled));
    AKIN_TRY(akin_table_pinned(w->table, first, count, w->pinned));
    if (w->picture)
        AKIN_TRY(akin_gallery_rows_pairs(w->rows, w->table, first, count, w->picture, w->other));
done:
    return status;
}

static akin_status write_lists(void *context, size_t first, size_t count) {
    akin_status status = AKIN_OK;
    writer *w = context;
    size_t left = first < w->rows->items ? w->rows->items - first : 0,
           listed = left < count ? left : count;
    if (listed > 0) AKIN_TRY(read_lists(w, first, listed));
    AKIN_TRY(akin_text_append(w->text, "akin.list(%zu,[", first));
    for (size_t i = 0; i < count; i++) {
        AKIN_TRY(akin_text_append(w->text, i > 0 ? ",\n" : "\n"));
        AKIN_TRY(i < listed ? append_list(w, first + i, i) : append_target(w, first + i));
    }
    AKIN_TRY(akin_text_append(w->text, "]);\n"));
done:
    return status;
}

static akin_gallery_scripts index_of(writer *w) {
    return (akin_gallery_scripts){
        w->comm, w->folder, "data/index", rows_of(w), AKIN_GALLERY_INDEX, w->text, write_index, w};
}

static akin_gallery_scripts lists_of(writer *w) {
    return (akin_gallery_scripts){w->comm,           w->folder, "data/lists", rows_of(w),
                                  AKIN_GALLERY_LIST, w->text,   write_lists,  w};
}

static akin_status make_folders(writer *w) {
    const akin_gallery_scripts index = index_of(w), lists = lists_of(w);
    akin_status status = akin_gallery_scripts_fan(&index);
    return status == AKIN_OK ? akin_gallery_scripts_fan(&lists) : status;
}

/* Script s by rank s % size. Not collective. */
static akin_status write_scripts(writer *w) {
    const akin_gallery_scripts index = index_of(w), lists = lists_of(w);
    size_t rank = (size_t)akin_comm_rank(w->comm), size = (size_t)akin_comm_size(w->comm);
    akin_status status = akin_gallery_scripts_write(&index, rank, size);
    return status == AKIN_OK ? akin_gallery_scripts_write(&lists, rank, size) : status;
}

static akin_status write_own(writer *w) {
    akin_status status = AKIN_FAILED;
    size_t values = AKIN_GALLERY_LIST * akin_table_k(w->table);
    w->neighbor = akin_mem_alloc(values, sizeof *w->neighbor);
    w->score = akin_mem_alloc(values, sizeof *w->score);
    w->list_counts = akin_mem_alloc(AKIN_GALLERY_LIST, sizeof *w->list_counts);
    w->filled = akin_mem_alloc(AKIN_GALLERY_LIST, sizeof *w->filled);
    w->pinned = akin_mem_alloc(AKIN_GALLERY_LIST, sizeof *w->pinned);
    bool pairs = w->rows->shots.labels != NULL;
    if (pairs) w->picture = akin_mem_alloc(values, sizeof *w->picture);
    if (pairs) w->other = akin_mem_alloc(values, sizeof *w->other);
    size_t own = (place_of(w, rows_of(w)) + AKIN_GALLERY_LIST) * FROM;
    size_t worst = akin_labels_category_count(w->rows->labels) * AKIN_GALLERY_WORST;
    w->counts->worst = akin_mem_alloc(worst, sizeof *w->counts->worst);
    w->own = akin_mem_alloc(worst, sizeof *w->own);
    w->in = akin_mem_zalloc(rows_of(w), sizeof *w->in);
    w->from = akin_mem_alloc(own, sizeof *w->from);
    w->rank = akin_mem_zalloc(own, sizeof *w->rank);
    if (!w->neighbor || !w->score || !w->list_counts || !w->filled || !w->pinned || !w->in ||
        !w->from || !w->rank || !w->own || !w->counts->worst ||
        (pairs && (!w->picture || !w->other)))
        goto done;
    memset(w->from, 0xFF, own * sizeof *w->from); /* -1 */
    memset(w->counts->worst, 0xFF, worst * sizeof *w->counts->worst);
    memset(w->own, MOST, worst);
    AKIN_TRY(akin_gallery_ruled_read(w->table, w->rows, &w->ruled));
    AKIN_TRY(akin_text_create(&w->text));
    AKIN_TRY(turn_around(w));
    AKIN_TRY(write_scripts(w));
done:
    akin_mem_free(w->neighbor);
    akin_mem_free(w->score);
    akin_mem_free(w->list_counts);
    akin_mem_free(w->filled);
    akin_mem_free(w->pinned);
    akin_mem_free(w->picture);
    akin_mem_free(w->other);
    akin_mem_free(w->in);
    akin_mem_free(w->from);
    akin_mem_free(w->rank);
    akin_mem_free(w->own);
    akin_gallery_ruled_free(w->ruled);
    akin_text_free(w->text);
    return status;
}

akin_status akin_gallery_data(akin_comm *comm, akin_gallery_folder *folder, const akin_table *table,
                              const akin_gallery_rows *rows, const akin_gallery_missing *missing,
                              akin_gallery_counts *counts) {
    akin_status status = AKIN_OK;
    writer w = {.comm = comm,
                .folder = folder,
                .table = table,
                .rows = rows,
                .missing = missing,
                .counts = counts};
    *counts = (akin_gallery_counts){0};
    AKIN_TRY(akin_agree(comm, akin_comm_rank(comm) == 0 ? make_folders(&w) : AKIN_OK));
    AKIN_TRY(akin_agree(comm, write_own(&w)));
    akin_comm_sum_i64(comm, counts->all, AKIN_GALLERY_BINS);
    akin_comm_sum_i64(comm, counts->best, AKIN_GALLERY_BINS);
    akin_comm_sum_i64(comm, &counts->unavailable, 1);
done:
    return status;
}
