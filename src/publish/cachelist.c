/* cachelist: a list as a cache holds it, written and read back. */
#include "cachelist.h"
#include "listing.h"
#include <akin/json.h>
#include <akin/mem.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD ((size_t)3) /* rows */

struct akin_cachelist {
    const akin_ids *ids;
    bool ids_only;
    akin_lists *lists;
    akin_text *text;
    const char **neighbors; /* [room] of a list that is read */
    float *score;
    size_t room;
};

static akin_status check_blanks(const akin_ids *ids) {
    for (size_t row = 0; row < akin_ids_count(ids); row++)
        if (strchr(akin_ids_text(ids, row), ' '))
            return akin_error_set(
                AKIN_INPUT,
                "id \"%s\" of row %zu holds a blank, and --format ids joins ids by blanks: publish "
                "with --format json",
                akin_ids_text(ids, row), row);
    return AKIN_OK;
}

akin_status akin_cachelist_create(const akin_table *table, const akin_ids *ids, bool ids_only,
                                  akin_cachelist **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_cachelist *lists = akin_mem_zalloc(1, sizeof *lists);
    if (!lists) return AKIN_FAILED;
    lists->ids = ids;
    lists->ids_only = ids_only;
    if (ids_only) AKIN_TRY(check_blanks(ids));
    AKIN_TRY(akin_lists_create(table, &lists->lists));
    AKIN_TRY(akin_text_create(&lists->text));
    *out = lists;
    lists = NULL;
done:
    akin_cachelist_free(lists);
    return status;
}

void akin_cachelist_free(akin_cachelist *lists) {
    if (!lists) return;
    akin_lists_free(lists->lists);
    akin_text_free(lists->text);
    akin_mem_free(lists->neighbors);
    akin_mem_free(lists->score);
    akin_mem_free(lists);
}

/* The neighbours' ids lie all over memory: those of the next rows are on their way while this one
 * is formatted. */
static void prefetch(const akin_cachelist *lists, size_t row) {
    akin_list later;
    if (akin_lists_peek(lists->lists, row + 2 * AHEAD, &later))
        akin_ids_prefetch_places(lists->ids, later.neighbor, later.count);
    if (akin_lists_peek(lists->lists, row + AHEAD, &later))
        akin_ids_prefetch_texts(lists->ids, later.neighbor, later.count);
}

akin_status akin_cachelist_append(akin_cachelist *lists, size_t row, akin_text *text) {
    akin_list list;
    akin_status status = akin_lists_get(lists->lists, row, &list);
    if (status != AKIN_OK) return status;
    prefetch(lists, row);
    return lists->ids_only ? akin_listing_ids(text, lists->ids, &list)
                           : akin_listing_pairs(text, lists->ids, &list);
}

akin_status akin_cachelist_is(akin_cachelist *lists, size_t row, const char *value, size_t length,
                              bool *same) {
    akin_text_clear(lists->text);
    akin_status status = akin_cachelist_append(lists, row, lists->text);
    *same = status == AKIN_OK && value && length == akin_text_length(lists->text) &&
            memcmp(value, akin_text_bytes(lists->text), length) == 0;
    return status;
}

static akin_status reserve(akin_cachelist *lists, size_t count) {
    if (count <= lists->room) return AKIN_OK;
    const char **neighbors = akin_mem_resize(lists->neighbors, 0, 2 * count, sizeof *neighbors);
    if (neighbors) lists->neighbors = neighbors;
    float *score = akin_mem_resize(lists->score, 0, 2 * count, sizeof *score);
    if (score) lists->score = score;
    if (!neighbors || !score) return AKIN_FAILED;
    lists->room = 2 * count;
    return AKIN_OK;
}

static akin_status see_pairs(akin_cachelist *lists, const char *id, const akin_json *pairs,
                             akin_publish_diff *change) {
    size_t count = 0, all = akin_json_count(pairs);
    if (reserve(lists, all + 1) != AKIN_OK) return AKIN_FAILED;
    for (const akin_json *pair = akin_json_first(pairs); pair && count < all;
         pair = akin_json_next(pair)) {
        const akin_json *first = akin_json_first(pair);
        const char *neighbor = akin_json_as_text(first);
        lists->neighbors[count] = neighbor ? neighbor : "";
        lists->score[count++] = (float)akin_json_as_number(akin_json_next(first), 0);
    }
    return akin_publish_diff_see(change, id, count, lists->neighbors, lists->score);
}

static akin_status see_ids(akin_cachelist *lists, const char *id, const char *value, size_t length,
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
        if (count == lists->room && count > 0) { /* grown without losing what is there */
            const char **grown = akin_mem_resize(lists->neighbors, count, 2 * count, sizeof *grown);
            if (!grown) status = AKIN_FAILED;
            if (grown) lists->neighbors = grown;
            float *score = akin_mem_resize(lists->score, 0, 2 * count, sizeof *score);
            if (!score) status = AKIN_FAILED;
            if (score) lists->score = score;
            if (status == AKIN_OK) lists->room = 2 * count;
        } else if (count == 0)
            status = reserve(lists, 16);
        if (status == AKIN_OK) lists->neighbors[count++] = word;
    }
    if (status == AKIN_OK)
        status = akin_publish_diff_see(change, id, count, lists->neighbors, NULL);
    akin_mem_free(words);
done:
    return status;
}

akin_status akin_cachelist_see(akin_cachelist *lists, size_t row, bool ids_only, const char *value,
                               size_t length, akin_publish_diff *change) {
    akin_status status = AKIN_OK;
    akin_json *pairs = NULL;
    bool same = false;
    const char *id = akin_ids_text(lists->ids, row);
    if (ids_only == lists->ids_only) AKIN_TRY(akin_cachelist_is(lists, row, value, length, &same));
    if (same) {
        akin_publish_diff_see_same(change, row);
        goto done;
    }
    if (ids_only) return see_ids(lists, id, value, length, change);
    status = akin_json_parse(value, length, &pairs);
    if (status == AKIN_INPUT) { /* whatever is there is no list of ours: all of it changes */
        akin_error_clear();
        status = akin_publish_diff_see(change, id, 0, NULL, NULL);
        goto done;
    }
    if (status == AKIN_OK) status = see_pairs(lists, id, pairs, change);
done:
    akin_json_free(pairs);
    return status;
}

const char *akin_cachelist_format(bool ids_only) {
    return ids_only ? "ids" : "json";
}
