/* sink_memcached: tables published to memcached; memcache_store.h describes the keys. A
 * generation's name is never reused, so two publishers never mix. memcached evicts keys when
 * memory is short, so every list is read back before `current` names the generation. The
 * previous generation stays until the next publication. */
#include "lease.h"
#include "listing.h"
#include "memcache_store.h"
#include <akin/json.h>
#include <akin/mem.h>
#include <akin/sink.h>
#include <akin/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GENERATION_SIZE = 24, BATCH = 500, ITEM_HEAD = 80, KEY_SIZE = AKIN_MEMCACHE_STORE_KEY };

struct akin_target {
    akin_memcache_store *place;
    akin_memcache *cache; /* of the target */
    char generation[GENERATION_SIZE];
    akin_sink_options options;
    akin_listing *lists;
    const akin_ids *ids;
    char (*keys)[KEY_SIZE]; /* [BATCH] */
    size_t staged;          /* rows that were sent */
    bool locked, committed;
};

static const akin_json *meta_of(const akin_target *target) {
    return akin_memcache_store_meta(target->place);
}

static const char *live_generation(const akin_target *target) {
    return akin_memcache_store_generation(target->place);
}

static void list_key(const akin_target *target, const char *generation, const char *id,
                     char key[KEY_SIZE]) {
    akin_memcache_store_list_key(target->place, generation, id, key);
}

/* A generation is named by its time; see name_generation. */
static unsigned long long microseconds_of(const char *generation) {
    return strtoull(generation, NULL, 16);
}

/* --- open, look --- */

static akin_status open_target(const char *url, const akin_sink_options *options,
                               akin_target **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_target *target = akin_mem_zalloc(1, sizeof *target);
    if (!target) return AKIN_FAILED;
    target->options = *options;
    target->keys = akin_mem_alloc(BATCH, sizeof *target->keys);
    if (!target->keys) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_memcache_store_open(url, options->timeout, &target->place));
    target->cache = akin_memcache_store_cache(target->place);
    *out = target;
    target = NULL;
done:
    if (target) akin_mem_free(target->keys);
    akin_mem_free(target);
    return status;
}

static akin_status look(akin_target *target, akin_live *live) {
    akin_status status = AKIN_OK;
    *live = (akin_live){0};
    AKIN_TRY(akin_memcache_store_look(target->place, &live->there));
    live->items = (size_t)akin_json_number(meta_of(target), "items", 0);
    const char *digest = akin_json_text(meta_of(target), "digest"),
               *format = akin_json_text(meta_of(target), "format");
    if (!live->there || !digest || !format) goto done;
    snprintf(live->table_digest, sizeof live->table_digest, "%s", digest);
    if (strcmp(format, akin_listing_format(target->options.ids_only)) == 0)
        memcpy(live->digest, live->table_digest, sizeof live->digest);
    const akin_json *before = akin_json_get(meta_of(target), "previous");
    const char *younger = akin_json_text(before, "generation");
    digest = akin_json_text(before, "digest");
    if (younger && digest && microseconds_of(younger) > microseconds_of(live_generation(target)))
        snprintf(live->rolled_back, sizeof live->rolled_back, "%s", digest);
done:
    return status;
}

static akin_status lock(akin_target *target) {
    akin_status status = akin_memcache_store_lock(target->place);
    target->locked = status == AKIN_OK;
    return status;
}

static void unlock(akin_target *target) {
    akin_memcache_store_unlock(target->place);
    target->locked = false;
}

static akin_status keep(akin_target *target) {
    return target->locked ? akin_memcache_store_keep(target->place) : AKIN_OK;
}

/* --- before anything is sent --- */

static akin_status check_sizes(akin_target *target, const akin_sink_source *source) {
    akin_status status = AKIN_OK;
    akin_text *value = NULL;
    char key[KEY_SIZE];
    size_t limit = 0;
    AKIN_TRY(akin_text_create(&value));
    AKIN_TRY(akin_memcache_item_limit(target->cache, &limit));
    for (size_t row = 0; row < source->items; row++) {
        if (row % 4096 == 0)
            AKIN_TRY(source->pulse(source->context, "measuring", row, source->items));
        akin_text_clear(value);
        AKIN_TRY(akin_listing_append(target->lists, row, value));
        list_key(target, "0123456789abcdef", akin_ids_text(source->ids, row), key);
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

static akin_status prepare(akin_target *target, const akin_sink_source *source,
                           akin_published *published) {
    akin_status status = AKIN_OK;
    snprintf(published->digest, sizeof published->digest, "%s", source->digest);
    target->ids = source->ids;
    AKIN_TRY(
        akin_listing_create(source->table, source->ids, target->options.ids_only, &target->lists));
    status = check_sizes(target, source);
done:
    return status;
}

/* --- reading lists --- */

typedef struct {
    akin_target *target;
    const size_t *rows;
    size_t count, found, next; /* next: where to look for the answer first */
    bool ids_only, wrong;
    akin_publish_diff *change; /* NULL: compare with what should be there */
} reading;

static akin_status take_list(void *context, const char *key, const char *value, size_t length) {
    reading *it = context;
    akin_status status = AKIN_OK;
    bool same = false;
    size_t tried = 0;
    while (tried < it->count && strcmp(it->target->keys[it->next], key) != 0) {
        it->next = (it->next + 1) % it->count;
        tried++;
    }
    if (tried == it->count) return AKIN_OK;
    size_t row = it->rows[it->next];
    it->next = (it->next + 1) % it->count;
    it->found++;
    if (it->change)
        return akin_listing_see(it->target->lists, row, it->ids_only, value, length, it->change);
    status = akin_listing_is(it->target->lists, row, value, length, &same);
    it->wrong = it->wrong || !same;
    return status;
}

/* Up to BATCH rows of a generation. */
static akin_status read_lists(akin_target *target, const char *generation, const size_t *rows,
                              size_t count, reading *it) {
    const char *keys[BATCH];
    for (size_t i = 0; i < count; i++) {
        list_key(target, generation, akin_ids_text(target->ids, rows[i]), target->keys[i]);
        keys[i] = target->keys[i];
    }
    it->target = target;
    it->rows = rows;
    it->count = count;
    it->next = 0;
    return akin_memcache_get_many(target->cache, keys, count, take_list, it);
}

typedef akin_status (*use_batch)(akin_target *target, const size_t *rows, size_t count,
                                 void *context);

static akin_status for_all(akin_target *target, const akin_sink_source *source, const char *doing,
                           use_batch use, void *context) {
    akin_status status = AKIN_OK;
    size_t rows[BATCH];
    for (size_t first = 0; first < source->items && status == AKIN_OK; first += BATCH) {
        size_t count = source->items - first < BATCH ? source->items - first : BATCH;
        for (size_t i = 0; i < count; i++) rows[i] = first + i;
        status = source->pulse(source->context, doing, first, source->items);
        if (status == AKIN_OK) status = use(target, rows, count, context);
    }
    return status;
}

static akin_status compare_batch(akin_target *target, const size_t *rows, size_t count,
                                 void *context) {
    reading *it = context;
    return read_lists(target, live_generation(target), rows, count, it);
}

static akin_status compare(akin_target *target, const akin_sink_source *source,
                           akin_publish_diff *change) {
    const char *format = akin_json_text(meta_of(target), "format");
    reading it = {.change = change, .ids_only = format && strcmp(format, "ids") == 0};
    akin_status status = for_all(target, source, "comparing", compare_batch, &it);
    if (status == AKIN_OK)
        akin_publish_diff_count(change, (size_t)akin_json_number(meta_of(target), "items", 0));
    return status;
}

static akin_status check_batch(akin_target *target, const size_t *rows, size_t count,
                               void *context) {
    const char *generation = context;
    reading it = {0};
    akin_status status = read_lists(target, generation, rows, count, &it);
    if (status != AKIN_OK) return status;
    if (it.found == count && !it.wrong) return AKIN_OK;
    return akin_error_set(
        AKIN_FAILED,
        "akin:%s: %zu of %zu lists near \"%s\" are %s: is memcached's memory (-m) large enough for "
        "two generations?",
        akin_memcache_store_catalog(target->place), it.wrong ? count : count - it.found, count,
        akin_ids_text(target->ids, rows[0]), it.wrong ? "not as written" : "evicted again");
}

static akin_status verify(akin_target *target, const akin_sink_source *source, const size_t *rows,
                          size_t count) {
    akin_status status = AKIN_OK;
    akin_live live;
    char generation[GENERATION_SIZE];
    (void)source;
    AKIN_TRY(look(target, &live));
    snprintf(generation, sizeof generation, "%s", live_generation(target));
    for (size_t first = 0; first < count; first += BATCH)
        AKIN_TRY(check_batch(target, rows + first, count - first < BATCH ? count - first : BATCH,
                             generation));
done:
    return status;
}

/* --- creating and removing a generation --- */

typedef struct {
    akin_text *value;
    akin_published *published;
} sending;

static akin_status send_batch(akin_target *target, const size_t *rows, size_t count,
                              void *context) {
    akin_status status = AKIN_OK;
    sending *it = context;
    char key[KEY_SIZE];
    for (size_t i = 0; i < count; i++) {
        const char *id = akin_ids_text(target->ids, rows[i]);
        akin_text_clear(it->value);
        AKIN_TRY(akin_listing_append(target->lists, rows[i], it->value));
        list_key(target, target->generation, id, key);
        size_t length = akin_text_length(it->value);
        AKIN_TRY(akin_memcache_send_set(target->cache, key, akin_text_bytes(it->value), length));
        it->published->bytes += length + strlen(key);
        it->published->sent++;
        target->staged = rows[i] + 1;
    }
    status = akin_memcache_flush(target->cache);
done:
    return status;
}

/* As far as its ids are also in the new table; the rest is evicted when memory is short. */
static akin_status forget(akin_target *target, const char *generation, size_t rows) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE];
    for (size_t row = 0; row < rows; row++) {
        list_key(target, generation, akin_ids_text(target->ids, row), key);
        AKIN_TRY(akin_memcache_send_delete(target->cache, key));
    }
    status = akin_memcache_flush(target->cache);
done:
    return status;
}

/* Left by a publisher that was killed. */
static akin_status clear_leftover(akin_target *target) {
    akin_status status = AKIN_OK;
    char *left = NULL;
    const akin_json *before = akin_json_get(meta_of(target), "previous");
    const char *older = akin_json_text(before, "generation");
    AKIN_TRY(akin_memcache_store_get(target->place, "next", &left));
    if (!left || strlen(left) >= GENERATION_SIZE) goto done;
    if (strcmp(left, live_generation(target)) != 0 && (!older || strcmp(left, older) != 0))
        AKIN_TRY(forget(target, left, akin_ids_count(target->ids)));
    status = akin_memcache_store_delete(target->place, "next");
done:
    akin_mem_free(left);
    return status;
}

/* Microseconds since 1970, hexadecimal: never repeated. */
static void name_generation(akin_target *target) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(target->generation, sizeof target->generation, "%llx",
             (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
}

static akin_status stage(akin_target *target, const akin_sink_source *source,
                         akin_published *published) {
    akin_status status = AKIN_OK;
    sending it = {.published = published};
    AKIN_TRY(akin_text_create(&it.value));
    AKIN_TRY(lock(target));
    AKIN_TRY(clear_leftover(target));
    name_generation(target);
    AKIN_TRY(akin_memcache_store_set(target->place, "next", target->generation));
    AKIN_TRY(for_all(target, source, "publishing", send_batch, &it));
    AKIN_TRY(for_all(target, source, "reading back", check_batch, target->generation));
done:
    akin_text_free(it.value);
    return status;
}

/* --- the switch --- */

static void write_meta(const akin_target *target, const akin_sink_source *source, akin_json *meta) {
    char when[AKIN_LEASE_STAMP];
    akin_lease_stamp(time(NULL), when);
    akin_json_set_text(meta, "generation", target->generation);
    akin_json_set_text(meta, "time", when);
    akin_json_set_text(meta, "digest", source->digest);
    akin_json_set_integer(meta, "items", (long long)source->items);
    akin_json_set_integer(meta, "k", (long long)akin_table_k(source->table));
    akin_json_set_text(meta, "model", source->model);
    akin_json_set_text(meta, "format", akin_listing_format(target->options.ids_only));
    akin_json_set_text(meta, "probe", akin_ids_text(source->ids, source->items / 2));
    if (!*live_generation(target)) return;
    akin_json *before = akin_json_copy(meta_of(target));
    akin_json_set_null(before, "previous");
    akin_json_set_node(meta, "previous", &before);
}

/* The meta first: readers of it follow the generation that `current` names. */
static akin_status switch_to(akin_target *target, const akin_json *meta) {
    akin_status status = AKIN_OK;
    bool mine = false;
    char *text = akin_json_check(meta) == AKIN_OK ? akin_json_print(meta, false) : NULL;
    if (!text) AKIN_TRY(akin_error_set(AKIN_FAILED, "not enough memory for the meta"));
    AKIN_TRY(akin_memcache_store_is_mine(target->place, &mine));
    if (!mine) AKIN_TRY(akin_memcache_store_lost(target->place));
    AKIN_TRY(akin_memcache_store_set(target->place, "meta", text));
    AKIN_TRY(akin_memcache_store_set(target->place, "current", akin_json_text(meta, "generation")));
    target->committed = true;
    status = akin_memcache_store_delete(target->place, "next");
done:
    akin_mem_free(text);
    return status;
}

static akin_status commit(akin_target *target, const akin_sink_source *source,
                          akin_published *published) {
    akin_status status = AKIN_OK;
    (void)published;
    const char *oldest = akin_json_text(akin_json_get(meta_of(target), "previous"), "generation");
    akin_json *meta = akin_json_object();
    write_meta(target, source, meta);
    AKIN_TRY(switch_to(target, meta));
    if (oldest && forget(target, oldest, source->items) != AKIN_OK)
        akin_error_clear(); /* it will expire in time */
done:
    unlock(target);
    akin_json_free(meta);
    return status;
}

/* Whether the generation that a meta describes is still there, as far as one of its lists shows. */
static akin_status is_kept(akin_target *target, const akin_json *meta, bool *kept) {
    char key[KEY_SIZE], *value = NULL;
    const char *generation = akin_json_text(meta, "generation"),
               *probe = akin_json_text(meta, "probe");
    *kept = false;
    if (!generation || !probe) return AKIN_OK;
    list_key(target, generation, probe, key);
    akin_status status = akin_memcache_get(target->cache, key, &value, NULL);
    *kept = value != NULL;
    akin_mem_free(value);
    return status;
}

static akin_status describe_edition(akin_target *target, const akin_json *meta, akin_edition *out) {
    const char *generation = akin_json_text(meta, "generation"),
               *when = akin_json_text(meta, "time"), *digest = akin_json_text(meta, "digest");
    *out = (akin_edition){.items = (size_t)akin_json_number(meta, "items", 0),
                          .k = (size_t)akin_json_number(meta, "k", 0)};
    snprintf(out->generation, sizeof out->generation, "%s", generation ? generation : "");
    snprintf(out->time, sizeof out->time, "%s", when ? when : "");
    snprintf(out->digest, sizeof out->digest, "%s", digest ? digest : "");
    return is_kept(target, meta, &out->there);
}

static akin_status describe(akin_target *target, akin_standing *standing) {
    akin_status status = AKIN_OK;
    akin_lease_holder holder;
    akin_live live;
    *standing = (akin_standing){0};
    AKIN_TRY(look(target, &live));
    const akin_json *meta = meta_of(target);
    AKIN_TRY(describe_edition(target, meta, &standing->live));
    AKIN_TRY(describe_edition(target, akin_json_get(meta, "previous"), &standing->kept));
    AKIN_TRY(akin_memcache_store_holder(target->place, &holder));
    akin_lease_busy(&holder, standing->busy, sizeof standing->busy);
done:
    return status;
}

static akin_status check_rollback(akin_target *target) {
    akin_status status = AKIN_OK;
    akin_live live;
    bool kept = false;
    AKIN_TRY(look(target, &live));
    AKIN_TRY(is_kept(target, akin_json_get(meta_of(target), "previous"), &kept));
    if (!kept)
        status = akin_error_set(AKIN_FAILED,
                                "akin:%s: there is no previous table, so nothing to roll back to",
                                akin_memcache_store_catalog(target->place));
done:
    return status;
}

static akin_status rollback(akin_target *target, akin_live *live) {
    akin_status status = AKIN_OK;
    akin_json *meta = NULL, *now = NULL;
    AKIN_TRY(lock(target));
    AKIN_TRY(check_rollback(target)); /* again, under the lock */
    meta = akin_json_copy(akin_json_get(meta_of(target), "previous"));
    now = akin_json_copy(meta_of(target));
    akin_json_set_null(now, "previous");
    akin_json_set_node(meta, "previous", &now);
    status = switch_to(target, meta);
    if (status == AKIN_OK) status = look(target, live);
done:
    unlock(target);
    akin_json_free(now);
    akin_json_free(meta);
    return status;
}

static void tidy(akin_target *target) {
    char *left = NULL;
    if (akin_memcache_store_get(target->place, "next", &left) == AKIN_OK && left &&
        lock(target) == AKIN_OK) {
        (void)!clear_leftover(target);
        unlock(target);
    }
    akin_mem_free(left);
    akin_error_clear();
}

static void close_target(akin_target *target) {
    if (!target) return;
    if (target->locked && !target->committed) {
        akin_error_kept first;
        akin_error_keep(&first);
        if (target->staged > 0) (void)!forget(target, target->generation, target->staged);
        unlock(target);
        akin_error_restore(&first);
    }
    akin_listing_free(target->lists);
    akin_memcache_store_close(target->place);
    akin_mem_free(target->keys);
    akin_mem_free(target);
}

const akin_sink akin_sink_memcached = {
    .schemes = {"memcached"},
    .forms = "memcached://host:port[,host:port]?catalog=NAME",
    .input = AKIN_SINK_TABLE,
    .heeds = {"format"},
    .check_url = akin_memcache_store_check,
    .identity = akin_memcache_store_identity,
    .open = open_target,
    .look = look,
    .describe = describe,
    .prepare = prepare,
    .compare = compare,
    .stage = stage,
    .keep = keep,
    .tidy = tidy,
    .commit = commit,
    .verify = verify,
    .check_rollback = check_rollback,
    .rollback = rollback,
    .close = close_target,
};
