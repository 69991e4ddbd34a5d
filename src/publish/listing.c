/* listing: an item's neighbours as text, and parsing the text of a cache. */
#include "listing.h"
#include <akin/csv.h>
#include <akin/json.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SCORE_BYTES = 24 }; /* "-1.17549435e-38" is the longest */

/* The nine significant digits of a magnitude in [1e-4, 1), as an integer scaled by a power of
 * ten. A float times 10^9 ... 10^12 is exact in a double (24 bits by at most 28, and powers of
 * two), so rint rounds like printf. */
static int format_fraction(char *out, double magnitude) {
    static const double limits[] = {1e-1, 1e-2, 1e-3, 1e-4}, scales[] = {1e9, 1e10, 1e11, 1e12};
    int zeros = 0;
    while (magnitude < limits[zeros]) zeros++;
    uint32_t digits = (uint32_t)rint(magnitude * scales[zeros]); /* at most 10^9 */
    int count =
        9 + zeros; /* after the point; rounding up to a power of ten only adds a zero at the end */
    while (digits % 10 == 0) {
        digits /= 10;
        count--;
    }
    out[0] = '0';
    out[1] = '.';
    for (int i = count; i-- > 0; digits /= 10) out[2 + i] = (char)('0' + digits % 10);
    return 2 + count;
}

static size_t format_score(char out[SCORE_BYTES], float score) {
    double magnitude = fabs((double)score);
    int used = 0;
    if (magnitude < 1e-4 || magnitude >= 1)
        return (size_t)snprintf(out, SCORE_BYTES, "%.9g", (double)score);
    if (score < 0) out[used++] = '-';
    return (size_t)(used + format_fraction(out + used, magnitude));
}

akin_status akin_listing_score(akin_text *text, float score) {
    char out[SCORE_BYTES];
    return akin_text_append_bytes(text, out, format_score(out, score));
}

/* `[["b",0.875],["c",0.5]]`, with `gap` after each comma. Written in place: this is most of the
 * work of publishing. */
static akin_status append_pairs(akin_text *text, const akin_ids *ids, const akin_list *list,
                                const char *gap) {
    size_t most = 2, gap_length = strlen(gap);
    for (size_t i = 0; i < list->count; i++)
        most += AKIN_TEXT_JSON_MAX(akin_ids_length(ids, (size_t)list->neighbor[i])) + SCORE_BYTES +
                2 * gap_length + 4;
    char *begin = akin_text_room(text, most), *at = begin;
    if (!begin) return AKIN_FAILED;
    *at++ = '[';
    for (size_t i = 0; i < list->count; i++) {
        size_t row = (size_t)list->neighbor[i];
        if (i > 0) {
            *at++ = ',';
            memcpy(at, gap, gap_length);
            at += gap_length;
        }
        *at++ = '[';
        at += akin_text_json(at, akin_ids_text(ids, row), akin_ids_length(ids, row));
        *at++ = ',';
        memcpy(at, gap, gap_length);
        at += gap_length;
        at += format_score(at, list->score[i]);
        *at++ = ']';
    }
    *at++ = ']';
    akin_text_extend(text, (size_t)(at - begin));
    return AKIN_OK;
}

static akin_status append(akin_text *text, const char *word) {
    return akin_text_append_bytes(text, word, strlen(word));
}

akin_status akin_listing_json(akin_text *text, const akin_ids *ids, const akin_list *list) {
    akin_status status = AKIN_OK;
    AKIN_TRY(append(text, "{\"id\": "));
    AKIN_TRY(akin_text_append_json(text, akin_ids_text(ids, list->item)));
    AKIN_TRY(append(text, ", \"neighbors\": "));
    AKIN_TRY(append_pairs(text, ids, list, " "));
    AKIN_TRY(append(text, "}\n"));
done:
    return status;
}

akin_status akin_listing_csv(akin_text *text, const akin_ids *ids, const akin_list *list) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < list->count; i++) {
        AKIN_TRY(akin_csv_append(text, akin_ids_text(ids, list->item)));
        AKIN_TRY(akin_text_append(text, ",%zu,", i + 1));
        AKIN_TRY(akin_csv_append(text, akin_ids_text(ids, (size_t)list->neighbor[i])));
        AKIN_TRY(append(text, ","));
        AKIN_TRY(akin_listing_score(text, list->score[i]));
        AKIN_TRY(append(text, "\n"));
    }
done:
    return status;
}

akin_status akin_listing_pairs(akin_text *text, const akin_ids *ids, const akin_list *list) {
    return append_pairs(text, ids, list, "");
}

akin_status akin_listing_ids(akin_text *text, const akin_ids *ids, const akin_list *list) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < list->count; i++) {
        size_t row = (size_t)list->neighbor[i];
        const char *id = akin_ids_text(ids, row);
        if (strchr(id, ' '))
            return akin_error_set(AKIN_INPUT,
                                  "id \"%s\" of row %zu contains a blank, and --format ids joins "
                                  "ids with blanks: use --format json",
                                  id, row);
        if (i > 0) AKIN_TRY(append(text, " "));
        AKIN_TRY(akin_text_append_bytes(text, id, akin_ids_length(ids, row)));
    }
done:
    return status;
}

/* --- the lists of a table, as a cache holds them --- */

#define AHEAD ((size_t)3) /* rows */

struct akin_listing {
    const akin_ids *ids;
    bool ids_only;
    akin_lists *lists;
    akin_text *text;
    const char **neighbors; /* [room] of a list being read */
    float *score;
    size_t room;
};

static akin_status check_blanks(const akin_ids *ids) {
    for (size_t row = 0; row < akin_ids_total(ids); row++)
        if (strchr(akin_ids_text(ids, row), ' '))
            return akin_error_set(AKIN_INPUT,
                                  "id \"%s\" of row %zu contains a blank, and --format ids joins "
                                  "ids with blanks: publish with --format json",
                                  akin_ids_text(ids, row), row);
    return AKIN_OK;
}

akin_status akin_listing_create(const akin_table *table, const akin_ids *ids, bool ids_only,
                                akin_listing **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_listing *lists = akin_mem_zalloc(1, sizeof *lists);
    if (!lists) return AKIN_FAILED;
    lists->ids = ids;
    lists->ids_only = ids_only;
    if (ids_only) AKIN_TRY(check_blanks(ids));
    if (table) AKIN_TRY(akin_lists_create(table, &lists->lists));
    AKIN_TRY(akin_text_create(&lists->text));
    *out = lists;
    lists = NULL;
done:
    akin_listing_free(lists);
    return status;
}

void akin_listing_free(akin_listing *lists) {
    if (!lists) return;
    akin_lists_free(lists->lists);
    akin_text_free(lists->text);
    akin_mem_free(lists->neighbors);
    akin_mem_free(lists->score);
    akin_mem_free(lists);
}

/* The neighbours' ids are scattered over memory: those of the next rows are prefetched while
 * this one is formatted. */
static void prefetch(const akin_listing *lists, size_t row) {
    akin_list later;
    if (akin_lists_peek(lists->lists, row + 2 * AHEAD, &later))
        akin_ids_prefetch_places(lists->ids, later.neighbor, later.count);
    if (akin_lists_peek(lists->lists, row + AHEAD, &later))
        akin_ids_prefetch_texts(lists->ids, later.neighbor, later.count);
}

akin_status akin_listing_append(akin_listing *lists, size_t row, akin_text *text) {
    akin_list list;
    akin_status status = akin_lists_get(lists->lists, row, &list);
    if (status != AKIN_OK) return status;
    prefetch(lists, row);
    return lists->ids_only ? akin_listing_ids(text, lists->ids, &list)
                           : akin_listing_pairs(text, lists->ids, &list);
}

akin_status akin_listing_is(akin_listing *lists, size_t row, const char *value, size_t length,
                            bool *same) {
    akin_text_clear(lists->text);
    akin_status status = akin_listing_append(lists, row, lists->text);
    *same = status == AKIN_OK && value && length == akin_text_length(lists->text) &&
            memcmp(value, akin_text_bytes(lists->text), length) == 0;
    return status;
}

/* Makes room for `count` entries; the first `held` are kept. */
static akin_status reserve(akin_listing *lists, size_t held, size_t count) {
    if (count <= lists->room) return AKIN_OK;
    const char **neighbors = akin_mem_resize(lists->neighbors, held, 2 * count, sizeof *neighbors);
    if (neighbors) lists->neighbors = neighbors;
    float *score = akin_mem_resize(lists->score, held, 2 * count, sizeof *score);
    if (score) lists->score = score;
    if (!neighbors || !score) return AKIN_FAILED;
    lists->room = 2 * count;
    return AKIN_OK;
}

static akin_status see_pairs(akin_listing *lists, const char *id, const akin_json *pairs,
                             akin_publish_diff *change) {
    size_t count = 0, all = akin_json_count(pairs);
    if (reserve(lists, 0, all + 1) != AKIN_OK) return AKIN_FAILED;
    for (const akin_json *pair = akin_json_first(pairs); pair && count < all;
         pair = akin_json_next(pair)) {
        const akin_json *first = akin_json_first(pair);
        const char *neighbor = akin_json_as_text(first);
        lists->neighbors[count] = neighbor ? neighbor : "";
        lists->score[count++] = (float)akin_json_as_number(akin_json_next(first), 0);
    }
    return akin_publish_diff_see(change, id, count, lists->neighbors, lists->score);
}

static akin_status see_ids(akin_listing *lists, const char *id, const char *value, size_t length,
                           akin_publish_diff *change) {
    akin_status status = AKIN_OK;
    char *rest = NULL;
    size_t count = 0;
    akin_text_clear(lists->text);
    AKIN_TRY(akin_text_append_bytes(lists->text, value, length));
    char *words = akin_mem_text(akin_text_bytes(lists->text));
    if (!words) AKIN_TRY(AKIN_FAILED);
    for (char *word = strtok_r(words, " ", &rest); word && status == AKIN_OK;
         word = strtok_r(NULL, " ", &rest)) {
        status = reserve(lists, count, count + 1);
        if (status == AKIN_OK) lists->neighbors[count++] = word;
    }
    if (status == AKIN_OK)
        status = akin_publish_diff_see(change, id, count, lists->neighbors, NULL);
    akin_mem_free(words);
done:
    return status;
}

akin_status akin_listing_see(akin_listing *lists, size_t row, bool ids_only, const char *value,
                             size_t length, akin_publish_diff *change) {
    akin_status status = AKIN_OK;
    akin_json *pairs = NULL;
    bool same = false;
    const char *id = akin_ids_text(lists->ids, row);
    if (!lists->lists) return akin_publish_diff_see(change, id, 0, NULL, NULL);
    if (ids_only == lists->ids_only) AKIN_TRY(akin_listing_is(lists, row, value, length, &same));
    if (same) {
        akin_publish_diff_see_same(change, row);
        goto done;
    }
    if (ids_only) return see_ids(lists, id, value, length, change);
    status = akin_json_parse(value, length, &pairs);
    if (status == AKIN_INPUT) { /* the value is not a list of ours: all of it counts as changed */
        akin_error_clear();
        status = akin_publish_diff_see(change, id, 0, NULL, NULL);
        goto done;
    }
    if (status == AKIN_OK) status = see_pairs(lists, id, pairs, change);
done:
    akin_json_free(pairs);
    return status;
}

#define IDS "ids"

const char *akin_listing_format(bool ids_only) {
    return ids_only ? IDS : "json";
}

static const char *describe(const char *format) {
    return strcmp(format, IDS) == 0 ? "ids joined by blanks" : "JSON pairs of id and score";
}

void akin_listing_tell_format(const char *target, const char *before, const char *now) {
    if (!*before || strcmp(before, now) == 0) return;
    akin_log_warning("%s: its lists are now %s (--format %s), and were %s: a storefront must "
                     "parse them so",
                     target, describe(now), now, describe(before));
}
