/* sink_memcached: tables published to memcached.
 *
 * Floor 3 (stages); looks down to error, mem, text, holder, uuid, memcache, web, json, ids, table; within its floor to
 * sink, cachelist, change.
 *
 *   akin:NAME:current           the generation that a storefront reads; set last
 *   akin:NAME:<generation>:<id> its lists. An id that is no part of a valid key (blanks, control bytes, a first '#',
 * too long) stands as # and its uuid5 (uuid.h) akin:NAME:meta              JSON: generation, time, digest, items, k,
 * model, format, and those of the one before akin:NAME:next              the generation that is being written
 *   akin:NAME:lock              who publishes just now; expires
 *
 * A generation's name is never used again, so no two publishers mix. memcached forgets when its memory is short: so
 * every list is read back before `current` names the generation. The one before stays until the next publication.
 */
#include <akin/cachelist.h>
#include <akin/holder.h>
#include <akin/json.h>
#include <akin/mem.h>
#include <akin/memcache.h>
#include <akin/sink.h>
#include <akin/text.h>
#include <akin/uuid.h>
#include <akin/web.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SCHEME "memcached://"
#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

enum { NAME_SIZE = 101, GENERATION_SIZE = 24, LOCK_SECONDS = 60, BATCH = 500, ITEM_HEAD = 80, KEY_SIZE = 256 };

struct akin_target {
    char *servers;
    char catalog[NAME_SIZE], generation[GENERATION_SIZE], signature[AKIN_HOLDER_SIZE];
    akin_sink_options options;
    akin_memcache *cache;
    akin_json *meta; /* of what is live; an empty object where nothing is */
    akin_cachelist *lists;
    const akin_ids *ids;
    char (*keys)[KEY_SIZE]; /* [BATCH] */
    size_t staged;          /* rows that were sent */
    bool locked, committed;
};

/* --- the address --- */

static akin_status understand(const char *url, akin_target *target) {
    static const char *const known[] = {"catalog", NULL};
    akin_status status = AKIN_OK;
    akin_url parts = {0};
    akin_text *rest = NULL;
    char *name = NULL;
    size_t length = strcspn(url + strlen(SCHEME), "?/");
    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0 || length == 0)
        return akin_error_set(AKIN_USAGE, "--to %s: name servers and catalogue: memcached://host:port?catalog=NAME",
                              url);
    AKIN_TRY(akin_text_create(&rest));
    AKIN_TRY(akin_text_append(rest, "memcached://x%s", url + strlen(SCHEME) + length));
    AKIN_TRY(akin_url_parse(akin_text_bytes(rest), &parts));
    AKIN_TRY(akin_url_query(&parts, known, "catalog", &name));
    if (!name || !*name || strlen(name) >= NAME_SIZE || strspn(name, NAME_LETTERS) != strlen(name))
        AKIN_TRY(akin_error_set(AKIN_USAGE, "--to %s: name the catalogue, ?catalog=NAME, in letters, digits and . _ -",
                                url));
    snprintf(target->catalog, sizeof target->catalog, "%s", name);
    akin_text_clear(rest);
    AKIN_TRY(akin_text_append_bytes(rest, url + strlen(SCHEME), length));
    target->servers = akin_mem_text(akin_text_bytes(rest));
    if (!target->servers) status = AKIN_FAILED;
done:
    akin_mem_free(name);
    akin_url_free(&parts);
    akin_text_free(rest);
    return status;
}

static akin_status check_url(const char *url) {
    akin_target target = {0};
    akin_memcache *cache = NULL;
    akin_status status = understand(url, &target);
    if (status == AKIN_OK) status = akin_memcache_open(target.servers, 1, &cache);
    akin_memcache_close(cache);
    akin_mem_free(target.servers);
    return status;
}

static char *identity(const char *url) {
    akin_target target = {0};
    char *text = NULL;
    if (understand(url, &target) == AKIN_OK) {
        size_t room = strlen(target.servers) + NAME_SIZE + 16;
        text = akin_mem_alloc(room, 1);
        if (text) snprintf(text, room, "memcached %s %s", target.servers, target.catalog);
    }
    akin_mem_free(target.servers);
    return text;
}

/* --- keys --- */

static void name_key(const akin_target *target, const char *what, char key[KEY_SIZE]) {
    snprintf(key, KEY_SIZE, "akin:%s:%s", target->catalog, what);
}

static bool fits_key(const char *id, size_t room) {
    if (*id == '#' || strlen(id) > room) return false;
    for (const unsigned char *at = (const unsigned char *)id; *at; at++)
        if (*at <= ' ' || *at >= 0x7F) return false; /* clients refuse more than the protocol does */
    return true;
}

static void list_key(const akin_target *target, const char *generation, const char *id, char key[KEY_SIZE]) {
    char hashed[AKIN_UUID_SIZE];
    int head = snprintf(key, KEY_SIZE, "akin:%s:%s:", target->catalog, generation);
    if (fits_key(id, (size_t)(AKIN_MEMCACHE_KEY - head))) {
        snprintf(key + head, KEY_SIZE - (size_t)head, "%s", id);
        return;
    }
    akin_uuid5(id, hashed);
    snprintf(key + head, KEY_SIZE - (size_t)head, "#%s", hashed);
}

static const char *live_generation(const akin_target *target) {
    const char *generation = akin_json_text(target->meta, "generation");
    return generation ? generation : "";
}

/* --- open, look --- */

static akin_status open_target(const char *url, const akin_sink_options *options, akin_target **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_target *target = akin_mem_zalloc(1, sizeof *target);
    if (!target) return AKIN_FAILED;
    target->options = *options;
    akin_holder_sign(target->signature);
    AKIN_TRY(understand(url, target));
    target->keys = akin_mem_alloc(BATCH, sizeof *target->keys);
    if (!target->keys) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_memcache_open(target->servers, options->timeout, &target->cache));
    *out = target;
    target = NULL;
done:
    if (target) {
        akin_mem_free(target->keys);
        akin_mem_free(target->servers);
        akin_mem_free(target);
    }
    return status;
}

/* The meta of the generation that `current` names: a publisher that was killed may have left a newer one. */
static akin_status read_meta(akin_target *target, const char *current) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE], *text = NULL;
    akin_json *all = NULL;
    size_t length = 0;
    name_key(target, "meta", key);
    AKIN_TRY(akin_memcache_get(target->cache, key, &text, &length));
    if (text && akin_json_parse(text, length, &all) == AKIN_INPUT) akin_error_clear();
    const char *generation = akin_json_text(all, "generation");
    const akin_json *before = akin_json_get(all, "previous");
    const char *older = akin_json_text(before, "generation");
    akin_json_free(target->meta);
    target->meta = NULL;
    if (generation && strcmp(generation, current) == 0) {
        target->meta = all;
        all = NULL;
    } else if (older && strcmp(older, current) == 0)
        status = akin_json_copy(before, &target->meta);
    else
        status = akin_json_create(&target->meta);
done:
    akin_json_free(all);
    akin_mem_free(text);
    return status;
}

static akin_status look(akin_target *target, akin_live *live) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE], *current = NULL;
    *live = (akin_live){0};
    name_key(target, "current", key);
    AKIN_TRY(akin_memcache_get(target->cache, key, &current, NULL));
    AKIN_TRY(read_meta(target, current ? current : ""));
    live->there = current && *live_generation(target);
    live->items = (size_t)akin_json_number(target->meta, "items", 0);
    const char *digest = akin_json_text(target->meta, "digest"), *format = akin_json_text(target->meta, "format");
    if (!live->there || !digest || !format) goto done;
    snprintf(live->table_digest, sizeof live->table_digest, "%s", digest);
    if (strcmp(format, akin_cachelist_format(target->options.ids_only)) == 0)
        memcpy(live->digest, live->table_digest, sizeof live->digest);
done:
    akin_mem_free(current);
    return status;
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
        if (row % 4096 == 0) AKIN_TRY(source->pulse(source->context, "measuring", row, source->items));
        akin_text_clear(value);
        AKIN_TRY(akin_cachelist_append(target->lists, row, value));
        list_key(target, "0123456789abcdef", akin_ids_text(source->ids, row), key);
        size_t bytes = akin_text_length(value) + strlen(key) + ITEM_HEAD;
        if (bytes > limit)
            AKIN_TRY(akin_error_set(AKIN_INPUT,
                                    "the list of \"%s\" needs %zu bytes, and memcached's item limit is %zu: start it "
                                    "with a larger -I, publish fewer neighbours, or --format ids",
                                    akin_ids_text(source->ids, row), bytes, limit));
    }
done:
    akin_text_free(value);
    return status;
}

static akin_status prepare(akin_target *target, const akin_sink_source *source, akin_published *published) {
    akin_status status = AKIN_OK;
    snprintf(published->digest, sizeof published->digest, "%s", source->digest);
    target->ids = source->ids;
    AKIN_TRY(akin_cachelist_create(source->table, source->ids, target->options.ids_only, &target->lists));
    status = check_sizes(target, source);
done:
    return status;
}

/* --- reading lists --- */

typedef struct {
    akin_target *target;
    const size_t *rows;
    size_t count, found, next; /* next: where the answer is sought first */
    bool ids_only, wrong;
    akin_change *change; /* NULL: compare with what is to be there */
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
    if (it->change) return akin_cachelist_see(it->target->lists, row, it->ids_only, value, length, it->change);
    status = akin_cachelist_is(it->target->lists, row, value, length, &same);
    it->wrong = it->wrong || !same;
    return status;
}

/* Up to BATCH rows of a generation. */
static akin_status read_lists(akin_target *target, const char *generation, const size_t *rows, size_t count,
                              reading *it) {
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

typedef akin_status (*use_batch)(akin_target *target, const size_t *rows, size_t count, void *context);

static akin_status for_all(akin_target *target, const akin_sink_source *source, const char *doing, use_batch use,
                           void *context) {
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

static akin_status compare_batch(akin_target *target, const size_t *rows, size_t count, void *context) {
    reading *it = context;
    return read_lists(target, live_generation(target), rows, count, it);
}

static akin_status compare(akin_target *target, const akin_sink_source *source, akin_change *change) {
    const char *format = akin_json_text(target->meta, "format");
    reading it = {.change = change, .ids_only = format && strcmp(format, "ids") == 0};
    akin_status status = for_all(target, source, "comparing", compare_batch, &it);
    if (status == AKIN_OK) akin_change_count(change, (size_t)akin_json_number(target->meta, "items", 0));
    return status;
}

static akin_status check_batch(akin_target *target, const size_t *rows, size_t count, void *context) {
    const char *generation = context;
    reading it = {0};
    akin_status status = read_lists(target, generation, rows, count, &it);
    if (status != AKIN_OK) return status;
    if (it.found == count && !it.wrong) return AKIN_OK;
    return akin_error_set(AKIN_FAILED,
                          "akin:%s: %zu of %zu lists near \"%s\" are %s: is memcached's memory (-m) large enough for "
                          "two generations?",
                          target->catalog, it.wrong ? count : count - it.found, count,
                          akin_ids_text(target->ids, rows[0]), it.wrong ? "not as written" : "forgotten again");
}

static akin_status verify(akin_target *target, const akin_sink_source *source, const size_t *rows, size_t count) {
    akin_status status = AKIN_OK;
    akin_live live;
    char generation[GENERATION_SIZE];
    (void)source;
    AKIN_TRY(look(target, &live));
    snprintf(generation, sizeof generation, "%s", live_generation(target));
    for (size_t first = 0; first < count; first += BATCH)
        AKIN_TRY(check_batch(target, rows + first, count - first < BATCH ? count - first : BATCH, generation));
done:
    return status;
}

/* --- the lock --- */

static akin_status is_mine(akin_target *target, bool *mine) {
    char key[KEY_SIZE], *who = NULL;
    name_key(target, "lock", key);
    akin_status status = akin_memcache_get(target->cache, key, &who, NULL);
    *mine = who && strcmp(who, target->signature) == 0;
    akin_mem_free(who);
    return status;
}

static akin_status lost(const akin_target *target) {
    return akin_error_set(AKIN_FAILED,
                          "akin:%s: the lock was lost: this process stood still for longer than %d s, or memcached "
                          "forgot it; nothing was published: run it again",
                          target->catalog, LOCK_SECONDS);
}

static akin_status lock(akin_target *target) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE], *who = NULL;
    bool added = false;
    name_key(target, "lock", key);
    AKIN_TRY(akin_memcache_add(target->cache, key, target->signature, LOCK_SECONDS, &added));
    if (added) goto done;
    AKIN_TRY(akin_memcache_get(target->cache, key, &who, NULL));
    if (!who || akin_holder_has_ended(who)) {
        AKIN_TRY(akin_memcache_delete(target->cache, key));
        AKIN_TRY(akin_memcache_add(target->cache, key, target->signature, LOCK_SECONDS, &added));
    }
    if (!added)
        status = akin_error_set(AKIN_FAILED,
                                "akin:%s: another publishes there just now (%.*s); try again when it is done, or in "
                                "%d s if it has ended",
                                target->catalog, who ? akin_holder_shown(who) : 1, who ? who : "?", LOCK_SECONDS);
done:
    target->locked = status == AKIN_OK;
    akin_mem_free(who);
    return status;
}

static akin_status keep(akin_target *target) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE];
    bool mine = false;
    if (!target->locked) return AKIN_OK;
    name_key(target, "lock", key);
    AKIN_TRY(is_mine(target, &mine));
    if (!mine) AKIN_TRY(lost(target));
    status = akin_memcache_touch(target->cache, key, LOCK_SECONDS);
done:
    return status;
}

static void unlock(akin_target *target) {
    char key[KEY_SIZE];
    bool mine = false;
    name_key(target, "lock", key);
    if (is_mine(target, &mine) == AKIN_OK && mine) (void)!akin_memcache_delete(target->cache, key);
    target->locked = false;
}

/* --- a generation comes and goes --- */

typedef struct {
    akin_text *value;
    akin_published *published;
} sending;

static akin_status send_batch(akin_target *target, const size_t *rows, size_t count, void *context) {
    akin_status status = AKIN_OK;
    sending *it = context;
    char key[KEY_SIZE];
    for (size_t i = 0; i < count; i++) {
        const char *id = akin_ids_text(target->ids, rows[i]);
        akin_text_clear(it->value);
        AKIN_TRY(akin_cachelist_append(target->lists, rows[i], it->value));
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

/* As far as its ids are those of the new table; what else it had is forgotten when memory is short. */
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

/* What a publisher that was killed left. */
static akin_status clear_leftover(akin_target *target) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE], *left = NULL;
    const akin_json *before = akin_json_get(target->meta, "previous");
    const char *older = akin_json_text(before, "generation");
    name_key(target, "next", key);
    AKIN_TRY(akin_memcache_get(target->cache, key, &left, NULL));
    if (!left || strlen(left) >= GENERATION_SIZE) goto done;
    if (strcmp(left, live_generation(target)) != 0 && (!older || strcmp(left, older) != 0))
        AKIN_TRY(forget(target, left, akin_ids_count(target->ids)));
    status = akin_memcache_delete(target->cache, key);
done:
    akin_mem_free(left);
    return status;
}

/* Microseconds since 1970, hexadecimal: never given twice. */
static void name_generation(akin_target *target) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(target->generation, sizeof target->generation, "%llx",
             (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
}

static akin_status stage(akin_target *target, const akin_sink_source *source, akin_published *published) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE];
    sending it = {.published = published};
    AKIN_TRY(akin_text_create(&it.value));
    AKIN_TRY(lock(target));
    AKIN_TRY(clear_leftover(target));
    name_generation(target);
    name_key(target, "next", key);
    AKIN_TRY(akin_memcache_set(target->cache, key, target->generation));
    AKIN_TRY(for_all(target, source, "publishing", send_batch, &it));
    AKIN_TRY(for_all(target, source, "reading back", check_batch, target->generation));
done:
    akin_text_free(it.value);
    return status;
}

/* --- the switch --- */

static akin_status describe(const akin_target *target, const akin_sink_source *source, akin_json *meta) {
    akin_status status = AKIN_OK;
    char when[32];
    time_t now = time(NULL);
    struct tm utc;
    akin_json *before = NULL, *taken = NULL;
    gmtime_r(&now, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    AKIN_TRY(akin_json_set_text(meta, "generation", target->generation));
    AKIN_TRY(akin_json_set_text(meta, "time", when));
    AKIN_TRY(akin_json_set_text(meta, "digest", source->digest));
    AKIN_TRY(akin_json_set_integer(meta, "items", (long long)source->items));
    AKIN_TRY(akin_json_set_integer(meta, "k", (long long)akin_table_k(source->table)));
    AKIN_TRY(akin_json_set_text(meta, "model", source->model));
    AKIN_TRY(akin_json_set_text(meta, "format", akin_cachelist_format(target->options.ids_only)));
    AKIN_TRY(akin_json_set_text(meta, "probe", akin_ids_text(source->ids, source->items / 2)));
    if (!*live_generation(target)) goto done;
    AKIN_TRY(akin_json_copy(target->meta, &before));
    AKIN_TRY(akin_json_set_null(before, "previous"));
    taken = before;
    before = NULL;
    AKIN_TRY(akin_json_set_node(meta, "previous", taken));
done:
    akin_json_free(before);
    return status;
}

/* The meta first: whoever reads it goes by the generation that `current` names. */
static akin_status switch_to(akin_target *target, const akin_json *meta) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE];
    bool mine = false;
    char *text = akin_json_print(meta, false);
    if (!text) AKIN_TRY(akin_error_set(AKIN_FAILED, "no memory for the meta"));
    AKIN_TRY(is_mine(target, &mine));
    if (!mine) AKIN_TRY(lost(target));
    name_key(target, "meta", key);
    AKIN_TRY(akin_memcache_set(target->cache, key, text));
    name_key(target, "current", key);
    AKIN_TRY(akin_memcache_set(target->cache, key, akin_json_text(meta, "generation")));
    target->committed = true;
    name_key(target, "next", key);
    status = akin_memcache_delete(target->cache, key);
done:
    akin_mem_free(text);
    return status;
}

static akin_status commit(akin_target *target, const akin_sink_source *source, akin_published *published) {
    akin_status status = AKIN_OK;
    akin_json *meta = NULL;
    (void)published;
    const char *oldest = akin_json_text(akin_json_get(target->meta, "previous"), "generation");
    AKIN_TRY(akin_json_create(&meta));
    AKIN_TRY(describe(target, source, meta));
    AKIN_TRY(switch_to(target, meta));
    if (oldest && forget(target, oldest, source->items) != AKIN_OK) akin_error_clear(); /* it will be, in time */
done:
    unlock(target);
    akin_json_free(meta);
    return status;
}

static akin_status check_rollback(akin_target *target) {
    akin_status status = AKIN_OK;
    akin_live live;
    char key[KEY_SIZE], *value = NULL;
    AKIN_TRY(look(target, &live));
    const akin_json *before = akin_json_get(target->meta, "previous");
    const char *generation = akin_json_text(before, "generation"), *probe = akin_json_text(before, "probe");
    if (generation && probe) {
        list_key(target, generation, probe, key);
        AKIN_TRY(akin_memcache_get(target->cache, key, &value, NULL));
    }
    if (!value)
        status =
            akin_error_set(AKIN_FAILED, "akin:%s: there is no table before, so nothing to go back to", target->catalog);
done:
    akin_mem_free(value);
    return status;
}

static akin_status rollback(akin_target *target, akin_live *live) {
    akin_status status = AKIN_OK;
    akin_json *meta = NULL, *now = NULL;
    AKIN_TRY(lock(target));
    AKIN_TRY(check_rollback(target)); /* again: under the lock */
    AKIN_TRY(akin_json_copy(akin_json_get(target->meta, "previous"), &meta));
    AKIN_TRY(akin_json_copy(target->meta, &now));
    AKIN_TRY(akin_json_set_null(now, "previous"));
    status = akin_json_set_node(meta, "previous", now);
    now = NULL;
    if (status == AKIN_OK) status = switch_to(target, meta);
    if (status == AKIN_OK) status = look(target, live);
done:
    unlock(target);
    akin_json_free(now);
    akin_json_free(meta);
    return status;
}

static void tidy(akin_target *target) {
    char key[KEY_SIZE], *left = NULL;
    name_key(target, "next", key);
    if (akin_memcache_get(target->cache, key, &left, NULL) == AKIN_OK && left && lock(target) == AKIN_OK) {
        (void)!clear_leftover(target);
        unlock(target);
    }
    akin_mem_free(left);
    akin_error_clear();
}

static void close_target(akin_target *target) {
    if (!target) return;
    if (target->locked && !target->committed) { /* what went wrong first is what is told */
        char *message = akin_mem_text(akin_error_message());
        if (target->staged > 0) (void)!forget(target, target->generation, target->staged);
        unlock(target);
        if (message && *message) (void)!akin_error_set(AKIN_FAILED, "%s", message);
        akin_mem_free(message);
    }
    akin_cachelist_free(target->lists);
    akin_json_free(target->meta);
    akin_memcache_close(target->cache);
    akin_mem_free(target->keys);
    akin_mem_free(target->servers);
    akin_mem_free(target);
}

const akin_sink akin_sink_memcached = {
    .schemes = {"memcached"},
    .forms = "memcached://host:port[,host:port]?catalog=NAME",
    .input = AKIN_SINK_TABLE,
    .check_url = check_url,
    .identity = identity,
    .open = open_target,
    .look = look,
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
