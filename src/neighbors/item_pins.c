/* item_pins: pinned neighbours, which come first in their lists. */
#include "item_pins.h"
#include "id_rows.h"
#include "pair_file.h"
#include <akin/labels.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <akin/text.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t row, neighbor; /* of the catalogue; -1 = no such item */
    long long rank;
    size_t at; /* position in the files */
} pin;

struct akin_item_pins {
    size_t *first;     /* [count of the shard + 1] */
    int32_t *neighbor; /* of each item, in their order */
};

static int in_order(const void *x, const void *y) {
    const pin *a = x, *b = y;
    if (a->row != b->row) return a->row < b->row ? -1 : 1;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static akin_status read_ranks(const akin_pair_file *file, pin *pins) {
    for (size_t p = 0; p < file->count; p++) {
        const char *rank = akin_pair_file_text(file, p, 2);
        pins[p].at = p, pins[p].rank = INT64_MAX;
        if (*rank != '\0' && !akin_text_to_int(rank, &pins[p].rank))
            return akin_error_set(AKIN_INPUT,
                                  "%s row %zu: \"%.40s\" is not a rank; write 1, 2, ...",
                                  file->rows[p].path, file->rows[p].row, rank);
    }
    return AKIN_OK;
}

/* Collective; agreed. */
static akin_status find_rows(akin_comm *comm, const akin_item_pins_lists *lists,
                             const akin_pair_file *file, pin *pins) {
    akin_status status;
    const char **names = akin_mem_alloc(file->count, 2 * sizeof *names);
    int64_t *rows = akin_mem_alloc(file->count, 2 * sizeof *rows);
    AKIN_TRY(akin_agree(comm, names && rows ? AKIN_OK : AKIN_FAILED));
    for (size_t p = 0; p < 2 * file->count; p++)
        names[p] = akin_pair_file_text(file, p / 2, (int)(p % 2));
    if (lists->products)
        akin_products_named(lists->products, names, 2 * file->count, rows);
    else
        AKIN_TRY(akin_id_rows_find(comm, lists->vectors, names, 2 * file->count, rows));
    for (size_t p = 0; p < file->count; p++)
        pins[p].row = rows[2 * p], pins[p].neighbor = rows[2 * p + 1];
done:
    akin_mem_free(names);
    akin_mem_free(rows);
    return status;
}

/* Some items: this rank's, or all products. */
typedef struct {
    const akin_item_pins_lists *lists;
    size_t first, count;
} shard;

/* The items that this rank can judge. */
static shard known_of(const akin_item_pins_lists *lists) {
    if (lists->products) return (shard){lists, 0, lists->products->count};
    return (shard){lists, akin_vectors_first(lists->vectors), akin_vectors_count(lists->vectors)};
}

/* The items whose lists are on this rank. */
static shard shard_of(const akin_comm *comm, const akin_item_pins_lists *lists) {
    if (!lists->products) return known_of(lists);
    const akin_product_span mine = akin_products_shard(comm, lists->products->listed);
    return (shard){lists, mine.first, mine.count};
}

/* Whether the item of this row is one of this rank's, and which one. */
static bool is_mine(const shard *s, int64_t row, size_t *item) {
    *item = (size_t)(row - (int64_t)s->first);
    return row >= (int64_t)s->first && *item < s->count;
}

static bool is_usable(const shard *s, size_t item) {
    const akin_products *products = s->lists->products;
    return products ? products->shown[s->first + item]
                    : akin_vectors_usable(s->lists->vectors, item);
}

static bool is_available(const shard *s, size_t item) {
    const akin_products *products = s->lists->products;
    return products ? products->available[s->first + item]
                    : akin_labels_available(akin_vectors_labels(s->lists->vectors))[item] != 0;
}

/* With products, a block covers all their pictures, including the first ones. */
static bool is_blocked(const shard *s, int64_t row, int64_t neighbor) {
    const akin_products *products = s->lists->products;
    return products ? akin_item_blocks_has(s->lists->blocks, products->first_item[row],
                                           products->first_item[neighbor])
                    : akin_item_blocks_has(s->lists->blocks, row, neighbor);
}

static bool is_itself(const shard *s, int64_t row, int64_t neighbor) {
    int64_t sources = s->lists->twins ? (int64_t)akin_vectors_sources(s->lists->vectors) : 0;
    return neighbor == row + sources; /* never, with two catalogues */
}

/* Marks pins that this rank finds invalid; bad [count] is added up over the ranks. */
static void judge(const shard *s, const pin *pins, size_t count, int64_t *bad) {
    size_t item;
    for (size_t p = 0; p < count; p++) {
        bad[p] = pins[p].row < 0 || pins[p].neighbor < 0 ||
                 is_itself(s, pins[p].row, pins[p].neighbor) ||
                 is_blocked(s, pins[p].row, pins[p].neighbor);
        if (is_mine(s, pins[p].row, &item) && !is_usable(s, item)) bad[p] = 1;
        if (is_mine(s, pins[p].neighbor, &item) &&
            (!is_usable(s, item) || (s->lists->only_available && !is_available(s, item))))
            bad[p] = 1;
    }
}

static void tell_bad(const akin_pair_file *file, const int64_t *bad) {
    size_t count = 0, first = 0;
    for (size_t p = 0; p < file->count; p++)
        if (bad[p] > 0 && count++ == 0) first = p;
    if (count > 0)
        akin_log_warning("--pins: %zu pair%s cannot be shown (unknown, blocked, not available or "
                         "without a vector); the first: %s,%s in row %zu of %s",
                         count, AKIN_PLURAL(count), akin_pair_file_text(file, first, 0),
                         akin_pair_file_text(file, first, 1), file->rows[first].row,
                         file->rows[first].path);
}

/* The valid pins of this rank's items, without repetitions. pins: sorted by in_order. */
static akin_status keep_mine(const shard *s, const pin *pins, size_t count, const int64_t *bad,
                             akin_item_pins *out) {
    size_t items = s->count, kept = 0, item, next = 0;
    out->first = akin_mem_alloc(items + 1, sizeof *out->first);
    out->neighbor = akin_mem_alloc(count, sizeof *out->neighbor);
    if (!out->first || !out->neighbor) return AKIN_FAILED;
    for (size_t p = 0; p < count; p++) {
        if (bad[pins[p].at] > 0 || !is_mine(s, pins[p].row, &item)) continue;
        for (; next <= item; next++) out->first[next] = kept;
        bool again = kept - out->first[item] == s->lists->k;
        for (size_t e = out->first[item]; e < kept; e++)
            again = again || out->neighbor[e] == (int32_t)pins[p].neighbor;
        if (!again) out->neighbor[kept++] = (int32_t)pins[p].neighbor;
    }
    for (; next <= items; next++) out->first[next] = kept;
    return AKIN_OK;
}

static const char *const columns[AKIN_CSV_PAIR_TEXTS] = {"id", "neighbor", "rank"};

/* Of one file, without the items. */
akin_status akin_neighbors_check_pins(const char *path) {
    akin_pair_file file = {0};
    akin_status status = akin_pair_file_read(path, columns, &file);
    pin *pins = akin_mem_alloc(file.count, sizeof *pins);
    if (status == AKIN_OK) status = pins ? read_ranks(&file, pins) : AKIN_FAILED;
    akin_mem_free(pins);
    akin_pair_file_release(&file);
    return status;
}

akin_status akin_item_pins_read(akin_comm *comm, const akin_neighbors_words *files,
                                const akin_item_pins_lists *lists, akin_item_pins **out) {
    akin_status status = AKIN_OK, local = AKIN_OK;
    akin_pair_file file = {0};
    pin *list = NULL;
    int64_t *bad = NULL;
    const shard mine = shard_of(comm, lists), known = known_of(lists);
    *out = NULL;
    akin_item_pins *pins = akin_mem_zalloc(1, sizeof *pins);
    for (size_t f = 0; f < files->count && local == AKIN_OK; f++)
        local = akin_pair_file_read(files->words[f], columns, &file);
    list = akin_mem_alloc(file.count, sizeof *list);
    bad = akin_mem_alloc(file.count, sizeof *bad);
    if (local == AKIN_OK) local = pins && list && bad ? read_ranks(&file, list) : AKIN_FAILED;
    AKIN_TRY(akin_agree(comm, local));
    AKIN_TRY(find_rows(comm, lists, &file, list));
    judge(&known, list, file.count, bad);
    akin_comm_max_i64(comm, bad, file.count);
    tell_bad(&file, bad);
    qsort(list, file.count, sizeof *list, in_order);
    AKIN_TRY(akin_agree(comm, keep_mine(&mine, list, file.count, bad, pins)));
    *out = pins, pins = NULL;
done:
    akin_mem_free(list);
    akin_mem_free(bad);
    akin_pair_file_release(&file);
    akin_item_pins_free(pins);
    return status;
}

void akin_item_pins_free(akin_item_pins *pins) {
    if (pins == NULL) return;
    akin_mem_free(pins->first);
    akin_mem_free(pins->neighbor);
    akin_mem_free(pins);
}

const int32_t *akin_item_pins_of(const akin_item_pins *pins, size_t item, size_t *count) {
    *count = 0;
    if (pins == NULL) return NULL;
    *count = pins->first[item + 1] - pins->first[item];
    return pins->neighbor + pins->first[item];
}

/* For one list; drops repeated entries and those beyond k. */
static void put(const int32_t *pinned, size_t count, size_t k, int32_t *neighbor, float *score,
                int32_t *held) {
    size_t kept = 0, end = (size_t)*held;
    for (size_t e = 0; e < end && kept + count < k; e++) {
        bool is_pinned = false;
        for (size_t p = 0; p < count; p++) is_pinned = is_pinned || pinned[p] == neighbor[e];
        if (!is_pinned) neighbor[kept] = neighbor[e], score[kept++] = score[e];
    }
    memmove(neighbor + count, neighbor, kept * sizeof *neighbor);
    memmove(score + count, score, kept * sizeof *score);
    for (size_t p = 0; p < count; p++) neighbor[p] = pinned[p], score[p] = 0;
    *held = (int32_t)(count + kept);
    for (size_t e = count + kept; e < k; e++) neighbor[e] = -1, score[e] = 0;
}

void akin_item_pins_put(const akin_item_pins *pins, size_t count, size_t k, int32_t *neighbor,
                        float *score, int32_t *counts, int32_t *pinned) {
    for (size_t i = 0; i < count; i++) {
        size_t some;
        const int32_t *first = akin_item_pins_of(pins, i, &some);
        pinned[i] = (int32_t)some;
        if (some > 0) put(first, some, k, neighbor + i * k, score + i * k, &counts[i]);
    }
}
