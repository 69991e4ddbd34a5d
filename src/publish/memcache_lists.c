/* memcache_lists: the lists of a table in memcached, sent and read back in batches. */
#include "memcache_lists.h"
#include "listing.h"
#include <akin/mem.h>
#include <akin/text.h>
#include <string.h>

enum { BATCH = 500, ITEM_HEAD = 80, KEY_SIZE = AKIN_MEMCACHE_STORE_KEY };

struct akin_memcache_lists {
    akin_memcache_store *place;
    akin_memcache *cache;
    const akin_sink_source *source;
    akin_listing *listing;
    char (*keys)[KEY_SIZE]; /* [BATCH] */
    size_t sent;            /* rows */
};

akin_status akin_memcache_lists_create(akin_memcache_store *place, const akin_sink_source *source,
                                       bool ids_only, akin_memcache_lists **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_memcache_lists *lists = akin_mem_zalloc(1, sizeof *lists);
    if (!lists) return AKIN_FAILED;
    lists->place = place;
    lists->cache = akin_memcache_store_cache(place);
    lists->source = source;
    lists->keys = akin_mem_alloc(BATCH, sizeof *lists->keys);
    if (!lists->keys) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_listing_create(source->table, source->ids, ids_only, &lists->listing));
    *out = lists;
    lists = NULL;
done:
    akin_memcache_lists_free(lists);
    return status;
}

void akin_memcache_lists_free(akin_memcache_lists *lists) {
    if (!lists) return;
    akin_listing_free(lists->listing);
    akin_mem_free(lists->keys);
    akin_mem_free(lists);
}

akin_status akin_memcache_lists_check_sizes(akin_memcache_lists *it) {
    const akin_sink_source *source = it->source;
    akin_status status = AKIN_OK;
    akin_text *value = NULL;
    char key[KEY_SIZE];
    size_t limit = 0;
    AKIN_TRY(akin_text_create(&value));
    AKIN_TRY(akin_memcache_item_limit(it->cache, &limit));
    for (size_t row = 0; row < source->items; row++) {
        if (row % 4096 == 0)
            AKIN_TRY(source->pulse(source->context, "measuring", row, source->items));
        akin_text_clear(value);
        AKIN_TRY(akin_listing_append(it->listing, row, value));
        akin_memcache_store_list_key(it->place, "0123456789abcdef", akin_ids_text(source->ids, row),
                                     key);
        size_t bytes = akin_text_length(value) + strlen(key) + ITEM_HEAD;
        if (bytes > limit)
            AKIN_TRY(akin_error_set(
                AKIN_INPUT,
                "the list of \"%s\" needs %zu bytes, and memcached's item limit is %zu: start it "
                "with a larger -I, publish fewer neighbours, or use --format ids",
                akin_ids_text(source->ids, row), bytes, limit));
    }
done:
    akin_text_free(value);
    return status;
}

/* --- reading --- */

typedef struct {
    akin_memcache_lists *lists;
    const size_t *rows;
    size_t count, found, next; /* next: where to look for the answer first */
    bool ids_only, wrong;
    const char *generation;
    akin_publish_diff *change; /* NULL: compare with what was sent */
} reading;

static akin_status take_list(void *context, const char *key, const char *value, size_t length) {
    reading *it = context;
    akin_status status = AKIN_OK;
    bool same = false;
    size_t tried = 0;
    while (tried < it->count && strcmp(it->lists->keys[it->next], key) != 0) {
        it->next = (it->next + 1) % it->count;
        tried++;
    }
    if (tried == it->count) return AKIN_OK;
    size_t row = it->rows[it->next];
    it->next = (it->next + 1) % it->count;
    it->found++;
    if (it->change)
        return akin_listing_see(it->lists->listing, row, it->ids_only, value, length, it->change);
    status = akin_listing_is(it->lists->listing, row, value, length, &same);
    it->wrong = it->wrong || !same;
    return status;
}

/* Up to BATCH rows of a generation. */
static akin_status read_lists(akin_memcache_lists *lists, const char *generation,
                              const size_t *rows, size_t count, reading *it) {
    const char *keys[BATCH];
    for (size_t i = 0; i < count; i++) {
        akin_memcache_store_list_key(lists->place, generation,
                                     akin_ids_text(lists->source->ids, rows[i]), lists->keys[i]);
        keys[i] = lists->keys[i];
    }
    it->lists = lists;
    it->rows = rows;
    it->count = count;
    it->next = 0;
    return akin_memcache_get_many(lists->cache, keys, count, take_list, it);
}

typedef akin_status (*use_batch)(akin_memcache_lists *lists, const size_t *rows, size_t count,
                                 void *context);

static akin_status for_all(akin_memcache_lists *lists, const char *doing, use_batch use,
                           void *context) {
    const akin_sink_source *source = lists->source;
    akin_status status = AKIN_OK;
    size_t rows[BATCH];
    for (size_t first = 0; first < source->items && status == AKIN_OK; first += BATCH) {
        size_t count = source->items - first < BATCH ? source->items - first : BATCH;
        for (size_t i = 0; i < count; i++) rows[i] = first + i;
        status = source->pulse(source->context, doing, first, source->items);
        if (status == AKIN_OK) status = use(lists, rows, count, context);
    }
    return status;
}

static akin_status compare_batch(akin_memcache_lists *lists, const size_t *rows, size_t count,
                                 void *context) {
    reading *it = context;
    return read_lists(lists, it->generation, rows, count, it);
}

akin_status akin_memcache_lists_compare(akin_memcache_lists *lists, const char *generation,
                                        bool ids_only, akin_publish_diff *change) {
    reading it = {.change = change, .generation = generation, .ids_only = ids_only};
    return for_all(lists, "comparing", compare_batch, &it);
}

static akin_status check_batch(akin_memcache_lists *lists, const size_t *rows, size_t count,
                               void *context) {
    const char *generation = context;
    reading it = {0};
    akin_status status = read_lists(lists, generation, rows, count, &it);
    if (status != AKIN_OK) return status;
    if (it.found == count && !it.wrong) return AKIN_OK;
    return akin_error_set(
        AKIN_FAILED,
        "akin:%s: %zu of %zu lists near \"%s\" are %s: is memcached's memory (-m) large enough for "
        "two generations?",
        akin_memcache_store_catalog(lists->place), it.wrong ? count : count - it.found, count,
        akin_ids_text(lists->source->ids, rows[0]), it.wrong ? "not as written" : "evicted again");
}

akin_status akin_memcache_lists_check(akin_memcache_lists *lists, const char *generation,
                                      const size_t *rows, size_t count) {
    akin_status status = AKIN_OK;
    for (size_t first = 0; first < count && status == AKIN_OK; first += BATCH)
        status = check_batch(lists, rows + first, count - first < BATCH ? count - first : BATCH,
                             (void *)generation);
    return status;
}

akin_status akin_memcache_lists_check_all(akin_memcache_lists *lists, const char *generation) {
    return for_all(lists, "reading back", check_batch, (void *)generation);
}

/* --- writing and removing --- */

typedef struct {
    const char *generation;
    akin_text *value;
    akin_published *published;
} sending;

static akin_status send_batch(akin_memcache_lists *lists, const size_t *rows, size_t count,
                              void *context) {
    akin_status status = AKIN_OK;
    sending *it = context;
    char key[KEY_SIZE];
    for (size_t i = 0; i < count; i++) {
        const char *id = akin_ids_text(lists->source->ids, rows[i]);
        akin_text_clear(it->value);
        AKIN_TRY(akin_listing_append(lists->listing, rows[i], it->value));
        akin_memcache_store_list_key(lists->place, it->generation, id, key);
        size_t length = akin_text_length(it->value);
        AKIN_TRY(akin_memcache_send_set(lists->cache, key, akin_text_bytes(it->value), length));
        it->published->bytes += length + strlen(key);
        it->published->sent++;
        lists->sent = rows[i] + 1;
    }
    status = akin_memcache_flush(lists->cache);
done:
    return status;
}

akin_status akin_memcache_lists_send(akin_memcache_lists *lists, const char *generation,
                                     akin_published *published) {
    sending it = {.generation = generation, .published = published};
    akin_status status = akin_text_create(&it.value);
    if (status == AKIN_OK) status = for_all(lists, "publishing", send_batch, &it);
    akin_text_free(it.value);
    return status;
}

static akin_status forget(akin_memcache_lists *lists, const char *generation, size_t rows) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE];
    for (size_t row = 0; row < rows; row++) {
        akin_memcache_store_list_key(lists->place, generation,
                                     akin_ids_text(lists->source->ids, row), key);
        AKIN_TRY(akin_memcache_send_delete(lists->cache, key));
    }
    status = akin_memcache_flush(lists->cache);
done:
    return status;
}

akin_status akin_memcache_lists_forget(akin_memcache_lists *lists, const char *generation) {
    return forget(lists, generation, lists->source->items);
}

void akin_memcache_lists_withdraw(akin_memcache_lists *lists, const char *generation) {
    if (lists && lists->sent > 0) (void)!forget(lists, generation, lists->sent);
}
