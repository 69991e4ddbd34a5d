/* memcache_store: the keys of a catalogue in memcached. */
#include "memcache_store.h"
#include "lease.h"
#include "uuid.h"
#include <akin/mem.h>
#include <akin/text.h>
#include <akin/web.h>
#include <stdio.h>
#include <string.h>

#define SCHEME "memcached://"

enum { NAME_SIZE = AKIN_LEASE_NAME + 1, LOCK_SECONDS = 60, KEY_SIZE = AKIN_MEMCACHE_STORE_KEY };

struct akin_memcache_store {
    char *servers;
    char catalog[NAME_SIZE], signature[AKIN_LOCK_OWNER_SIZE];
    akin_memcache *cache;
    akin_json *meta; /* of the live table; an empty object if there is none */
};

/* --- the address --- */

/* Whether each of the servers, separated by commas, is a host with or without a port. */
static akin_status check_servers(const char *servers, akin_text *scratch) {
    akin_status status = AKIN_OK;
    akin_url parts = {0};
    for (const char *at = servers; status == AKIN_OK; at++) {
        size_t length = strcspn(at, ",");
        akin_text_clear(scratch);
        AKIN_TRY(akin_text_append(scratch, SCHEME));
        AKIN_TRY(akin_text_append_bytes(scratch, at, length));
        AKIN_TRY(akin_url_parse(akin_text_bytes(scratch), &parts));
        akin_url_free(&parts);
        at += length;
        if (!*at) break;
    }
done:
    akin_url_free(&parts);
    return status;
}

static akin_status understand(const char *url, akin_memcache_store *place) {
    static const char *const known[] = {"catalog", NULL};
    akin_status status = AKIN_OK;
    akin_url parts = {0};
    akin_text *rest = NULL;
    char *name = NULL;
    size_t length = strcspn(url + strlen(SCHEME), "?/");
    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0 || length == 0)
        return akin_error_option(
            "to", "--to %s: give servers and catalogue: memcached://host:port?catalog=NAME", url);
    if (memchr(url + strlen(SCHEME), '@', length))
        return akin_error_option("to",
                                 "--to memcached://: takes no user or password in its address");
    AKIN_TRY(akin_text_create(&rest));
    AKIN_TRY(akin_text_append(rest, "memcached://x%s", url + strlen(SCHEME) + length));
    AKIN_TRY(akin_url_parse(akin_text_bytes(rest), &parts));
    AKIN_TRY(akin_url_query(&parts, known, "catalog", &name));
    if (!name || !akin_lease_is_name(name, AKIN_LEASE_NAME))
        AKIN_TRY(akin_error_option(
            "to", "--to %s: give the catalogue as ?catalog=NAME, with letters, digits and . _ -",
            url));
    snprintf(place->catalog, sizeof place->catalog, "%s", name);
    akin_text_clear(rest);
    AKIN_TRY(akin_text_append_bytes(rest, url + strlen(SCHEME), length));
    place->servers = akin_mem_text(akin_text_bytes(rest));
    if (!place->servers) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(check_servers(place->servers, rest));
done:
    akin_mem_free(name);
    akin_url_free(&parts);
    akin_text_free(rest);
    return status;
}

akin_status akin_memcache_store_check(const char *url) {
    akin_memcache_store place = {0};
    akin_memcache *cache = NULL;
    akin_status status = understand(url, &place);
    if (status == AKIN_OK) status = akin_memcache_open(place.servers, 1, &cache);
    akin_memcache_close(cache);
    akin_mem_free(place.servers);
    return status;
}

char *akin_memcache_store_identity(const char *url) {
    akin_memcache_store place = {0};
    char *text = NULL;
    if (understand(url, &place) == AKIN_OK) {
        size_t room = strlen(place.servers) + NAME_SIZE + 16;
        text = akin_mem_alloc(room, 1);
        if (text) snprintf(text, room, "memcached %s %s", place.servers, place.catalog);
    }
    akin_mem_free(place.servers);
    return text;
}

/* --- keys --- */

static void name_key(const akin_memcache_store *place, const char *what, char key[KEY_SIZE]) {
    snprintf(key, KEY_SIZE, "akin:%s:%s", place->catalog, what);
}

static bool fits_key(const char *id, size_t room) {
    if (*id == '#' || strlen(id) > room) return false;
    for (const unsigned char *at = (const unsigned char *)id; *at; at++)
        if (*at <= ' ' || *at >= 0x7F)
            return false; /* clients refuse more than the protocol does */
    return true;
}

void akin_memcache_store_list_key(const akin_memcache_store *place, const char *generation,
                                  const char *id, char key[KEY_SIZE]) {
    char hashed[AKIN_UUID_SIZE];
    int head = snprintf(key, KEY_SIZE, "akin:%s:%s:", place->catalog, generation);
    if (fits_key(id, (size_t)(AKIN_MEMCACHE_KEY - head))) {
        snprintf(key + head, KEY_SIZE - (size_t)head, "%s", id);
        return;
    }
    akin_uuid5(id, hashed);
    snprintf(key + head, KEY_SIZE - (size_t)head, "#%s", hashed);
}

akin_status akin_memcache_store_open(const char *url, double timeout, akin_memcache_store **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_memcache_store *place = akin_mem_zalloc(1, sizeof *place);
    if (!place) return AKIN_FAILED;
    akin_lock_owner_sign(place->signature);
    AKIN_TRY(understand(url, place));
    AKIN_TRY(akin_memcache_open(place->servers, timeout, &place->cache));
    *out = place;
    place = NULL;
done:
    akin_memcache_store_close(place);
    return status;
}

void akin_memcache_store_close(akin_memcache_store *place) {
    if (!place) return;
    akin_json_free(place->meta);
    akin_memcache_close(place->cache);
    akin_mem_free(place->servers);
    akin_mem_free(place);
}

akin_memcache *akin_memcache_store_cache(const akin_memcache_store *place) {
    return place->cache;
}

const char *akin_memcache_store_catalog(const akin_memcache_store *place) {
    return place->catalog;
}

/* --- the keys that are not lists --- */

akin_status akin_memcache_store_get(akin_memcache_store *place, const char *what, char **value) {
    char key[KEY_SIZE];
    name_key(place, what, key);
    return akin_memcache_get(place->cache, key, value, NULL);
}

akin_status akin_memcache_store_set(akin_memcache_store *place, const char *what,
                                    const char *value) {
    char key[KEY_SIZE];
    name_key(place, what, key);
    return akin_memcache_set(place->cache, key, value);
}

akin_status akin_memcache_store_delete(akin_memcache_store *place, const char *what) {
    char key[KEY_SIZE];
    name_key(place, what, key);
    return akin_memcache_delete(place->cache, key);
}

/* The meta of the generation that `current` names: a publisher that was killed may have left a
 * newer one. */
static akin_status read_meta(akin_memcache_store *place, const char *current) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE], *text = NULL;
    akin_json *all = NULL;
    size_t length = 0;
    name_key(place, "meta", key);
    AKIN_TRY(akin_memcache_get(place->cache, key, &text, &length));
    if (text && akin_json_parse(text, length, &all) == AKIN_INPUT) akin_error_clear();
    const char *generation = akin_json_text(all, "generation");
    const akin_json *before = akin_json_get(all, "previous");
    const char *older = akin_json_text(before, "generation");
    akin_json_free(place->meta);
    place->meta = NULL;
    if (generation && strcmp(generation, current) == 0) {
        place->meta = all;
        all = NULL;
    } else if (older && strcmp(older, current) == 0) {
        const char *rolled_back = akin_json_text(all, "rolled_back");
        place->meta = akin_json_copy(before);
        if (rolled_back) akin_json_set_text(place->meta, "rolled_back", rolled_back);
    } else
        place->meta = akin_json_object();
    status = akin_json_check(place->meta);
done:
    akin_json_free(all);
    akin_mem_free(text);
    return status;
}

akin_status akin_memcache_store_look(akin_memcache_store *place, bool *there) {
    akin_status status = AKIN_OK;
    char *current = NULL;
    AKIN_TRY(akin_memcache_store_get(place, "current", &current));
    AKIN_TRY(read_meta(place, current ? current : ""));
    *there = current && *akin_memcache_store_generation(place);
done:
    akin_mem_free(current);
    return status;
}

const akin_json *akin_memcache_store_meta(const akin_memcache_store *place) {
    return place->meta;
}

const char *akin_memcache_store_generation(const akin_memcache_store *place) {
    const char *generation = akin_json_text(place->meta, "generation");
    return generation ? generation : "";
}

/* --- the lock --- */

akin_status akin_memcache_store_is_mine(akin_memcache_store *place, bool *mine) {
    char key[KEY_SIZE], *who = NULL;
    name_key(place, "lock", key);
    akin_status status = akin_memcache_get(place->cache, key, &who, NULL);
    *mine = who && strcmp(who, place->signature) == 0;
    akin_mem_free(who);
    return status;
}

akin_status akin_memcache_store_lost(const akin_memcache_store *place) {
    return akin_lease_lost("memcached", place->catalog, LOCK_SECONDS);
}

static akin_status make_lock(void *context, bool *made) {
    akin_memcache_store *place = context;
    char key[KEY_SIZE];
    name_key(place, "lock", key);
    return akin_memcache_add(place->cache, key, place->signature, LOCK_SECONDS, made);
}

/* memcached does not report how long a value stays. */
static akin_status ask_lock(void *context, akin_lease_holder *holder) {
    char *who = NULL;
    akin_status status = akin_memcache_store_get(context, "lock", &who);
    holder->there = who != NULL;
    snprintf(holder->signature, sizeof holder->signature, "%s", who && *who ? who : "?");
    holder->left = LOCK_SECONDS;
    akin_mem_free(who);
    return status;
}

static akin_status take_away(void *context, const akin_lease_holder *holder, bool *taken) {
    (void)holder, (void)taken;
    return akin_memcache_store_delete(context, "lock");
}

akin_status akin_memcache_store_lock(akin_memcache_store *place) {
    return akin_lease_take(&(akin_lease){.kind = "memcached",
                                         .place = place->catalog,
                                         .context = place,
                                         .make = make_lock,
                                         .ask = ask_lock,
                                         .take_over = take_away});
}

akin_status akin_memcache_store_holder(akin_memcache_store *place, akin_lease_holder *holder) {
    *holder = (akin_lease_holder){0};
    return ask_lock(place, holder);
}

akin_status akin_memcache_store_keep(akin_memcache_store *place) {
    akin_status status = AKIN_OK;
    char key[KEY_SIZE];
    bool mine = false;
    name_key(place, "lock", key);
    AKIN_TRY(akin_memcache_store_is_mine(place, &mine));
    if (!mine) AKIN_TRY(akin_memcache_store_lost(place));
    status = akin_memcache_touch(place->cache, key, LOCK_SECONDS);
done:
    return status;
}

void akin_memcache_store_unlock(akin_memcache_store *place) {
    char key[KEY_SIZE];
    bool mine = false;
    name_key(place, "lock", key);
    if (akin_memcache_store_is_mine(place, &mine) == AKIN_OK && mine)
        (void)!akin_memcache_delete(place->cache, key);
}
