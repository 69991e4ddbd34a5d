/* redis_store: the keys of a catalogue in Redis. */
#include "redis_store.h"
#include <akin/mem.h>
#include <akin/text.h>
#include <akin/web.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT = 6379, SERVERS_MAX = 1000, KEY_SIZE = AKIN_REDIS_KEY, HOST_SIZE = 256 };

typedef struct {
    char live[KEY_SIZE], next[KEY_SIZE], prev[KEY_SIZE], lock[KEY_SIZE];
    size_t server;
} keys;

typedef struct {
    akin_redis *redis;
    char host[HOST_SIZE];
    int port;
} server;

struct akin_redis_store {
    akin_url url;
    akin_redis_address address;
    char *catalog;
    char name[KEY_SIZE], meta[KEY_SIZE], signature[AKIN_LOCK_OWNER_SIZE];
    server *servers;
    size_t server_count, hash_count, buckets, meta_server;
    keys *hashes;
    bool cluster;
};

static const char *const field_names[AKIN_REDIS_FIELDS] = {
    "generation", "time", "digest", "items", "k", "model", "format", "buckets"};

/* --- the address --- */

static akin_status refuse(const char *url, const char *why) {
    akin_text *shown = NULL;
    akin_status status = akin_text_create(&shown);
    if (status == AKIN_OK) status = akin_text_append_hidden(shown, url);
    if (status == AKIN_OK)
        status = akin_error_option("to", "--to %s: %s", akin_text_bytes(shown), why);
    akin_text_free(shown);
    return status;
}

/* redis+unix:/path has no host, but libcurl requires one. */
static akin_status parse(const char *text, akin_redis_store *place) {
    static const char scheme[] = "redis+unix:";
    akin_status status = AKIN_OK;
    akin_text *whole = NULL;
    AKIN_TRY(akin_text_create(&whole));
    if (strncmp(text, scheme, strlen(scheme)) == 0 && strncmp(text + strlen(scheme), "//", 2) != 0)
        AKIN_TRY(akin_text_append(whole, "%s//localhost%s", scheme, text + strlen(scheme)));
    else
        AKIN_TRY(akin_text_append(whole, "%s", text));
    status = akin_url_parse(akin_text_bytes(whole), &place->url);
done:
    akin_text_free(whole);
    return status;
}

/* [::1] as a socket wants it: ::1. */
static void unbracket(char *host) {
    size_t length = host ? strlen(host) : 0;
    if (length < 2 || host[0] != '[' || host[length - 1] != ']') return;
    memmove(host, host + 1, length - 2);
    host[length - 2] = '\0';
}

static bool read_number(const char *text, int most, int *out) {
    char *end = NULL;
    long value = strtol(text, &end, 10);
    if (!*text || *end || value < 0 || value > most) return false;
    *out = (int)value;
    return true;
}

static akin_status understand(const char *text, akin_redis_store *place) {
    static const char *const known[] = {"catalog", "db", NULL};
    akin_status status = AKIN_OK;
    akin_url *url = &place->url;
    char *database = NULL;
    AKIN_TRY(parse(text, place));
    unbracket(url->host);
    AKIN_TRY(akin_url_query(url, known, "catalog", &place->catalog));
    AKIN_TRY(akin_url_query(url, known, "db", &database));
    const char *name = place->catalog ? place->catalog : "";
    if (!akin_lease_is_name(name, AKIN_LEASE_NAME))
        AKIN_TRY(
            refuse(text, "give the catalogue as ?catalog=NAME, with letters, digits and . _ -"));
    bool local = strcmp(url->scheme, "redis+unix") == 0;
    place->address = (akin_redis_address){.host = local ? NULL : url->host,
                                          .path = local ? url->path : NULL,
                                          .port = url->port ? url->port : PORT,
                                          .user = url->user,
                                          .password = url->password ? url->password
                                                                    : getenv("AKIN_REDIS_PASSWORD"),
                                          .tls = strcmp(url->scheme, "rediss") == 0};
    const char *number = database                              ? database
                         : !local && url->path && url->path[1] ? url->path + 1
                                                               : "0";
    if (!read_number(number, 1 << 20, &place->address.database))
        AKIN_TRY(refuse(text, "the database must be a number: redis://host:port/0?catalog=NAME"));
    if (place->address.password && !*place->address.password) place->address.password = NULL;
    if (place->address.tls && !akin_redis_has_tls())
        AKIN_TRY(refuse(text,
                        "this build has no TLS support for Redis (hiredis is older than 1.0): use "
                        "redis:// through a TLS tunnel on this machine, such as stunnel"));
done:
    akin_mem_free(database);
    return status;
}

akin_status akin_redis_store_check(const char *url) {
    akin_redis_store place = {0};
    akin_status status = understand(url, &place);
    akin_mem_free(place.catalog);
    akin_url_free(&place.url);
    return status;
}

char *akin_redis_store_identity(const char *url) {
    akin_redis_store place = {0};
    akin_text *text = NULL;
    char *identity = NULL;
    akin_status status = akin_text_create(&text);
    if (status == AKIN_OK) status = understand(url, &place);
    if (status == AKIN_OK)
        status = akin_text_append(text, "redis %s:%d %s %d %s",
                                  place.address.host ? place.address.host : "", place.address.port,
                                  place.address.path ? place.address.path : "",
                                  place.address.database, place.catalog);
    if (status == AKIN_OK) identity = akin_mem_text(akin_text_bytes(text));
    akin_mem_free(place.catalog);
    akin_url_free(&place.url);
    akin_text_free(text);
    return identity;
}

/* --- servers and keys --- */

static akin_status add_server(akin_redis_store *place, const akin_redis_address *address,
                              size_t *index) {
    if (place->server_count == SERVERS_MAX)
        return akin_error_set(AKIN_FAILED, "%s: too many servers", place->name);
    server *grown = akin_mem_resize(place->servers, place->server_count, place->server_count + 1,
                                    sizeof *grown);
    if (!grown) return AKIN_FAILED;
    place->servers = grown;
    server *added = &grown[place->server_count];
    *added = (server){.port = address->port};
    snprintf(added->host, sizeof added->host, "%s", address->host ? address->host : "");
    akin_status status = akin_redis_open(address, &added->redis);
    if (status == AKIN_OK) *index = place->server_count++;
    return status;
}

/* The server of a key, as the cluster reports it. */
static akin_status locate(akin_redis_store *place, const char *key, size_t *index) {
    char host[HOST_SIZE];
    int port = 0;
    bool moved = false;
    akin_status status = akin_redis_locate(place->servers[0].redis, key, &moved, host, &port);
    *index = 0;
    if (status != AKIN_OK || !moved) return status;
    place->cluster = true;
    akin_redis_address address = place->address;
    if (*host) address.host = host; /* empty: the same host */
    if (!address.host)
        return akin_error_set(AKIN_FAILED,
                              "%s: Redis is a cluster: give host and port of one of its servers",
                              place->name);
    address.path = NULL;
    address.port = port;
    for (size_t i = 0; i < place->server_count; i++)
        if (place->servers[i].port == port && strcmp(place->servers[i].host, address.host) == 0) {
            *index = i;
            return AKIN_OK;
        }
    return add_server(place, &address, index);
}

static void name_keys(const akin_redis_store *place, size_t buckets, size_t bucket, keys *out) {
    char base[KEY_SIZE - 8];
    if (buckets == 0)
        snprintf(base, sizeof base, "akin:%s", place->catalog);
    else
        snprintf(base, sizeof base, "akin:{%s:%zu}", place->catalog, bucket);
    snprintf(out->live, KEY_SIZE, "%s", base);
    snprintf(out->next, KEY_SIZE, "%s:next", base);
    snprintf(out->prev, KEY_SIZE, "%s:prev", base);
    snprintf(out->lock, KEY_SIZE, "%s:lock", base);
}

static akin_status find_keys(akin_redis_store *place, size_t buckets) {
    akin_status status = AKIN_OK;
    place->hashes = akin_mem_zalloc(buckets ? buckets : 1, sizeof *place->hashes);
    if (!place->hashes) AKIN_TRY(AKIN_FAILED);
    place->hash_count = buckets ? buckets : 1;
    place->buckets = buckets;
    for (size_t b = 0; b < place->hash_count; b++) {
        name_keys(place, buckets, b, &place->hashes[b]);
        AKIN_TRY(locate(place, place->hashes[b].live, &place->hashes[b].server));
    }
    status = locate(place, place->meta, &place->meta_server);
done:
    return status;
}

akin_status akin_redis_store_set_buckets(akin_redis_store *place, size_t buckets) {
    if (place->hash_count > 0 && place->buckets == buckets) return AKIN_OK;
    akin_mem_free(place->hashes);
    place->hashes = NULL;
    place->hash_count = 0;
    return find_keys(place, buckets);
}

akin_status akin_redis_store_open(const char *url, const akin_sink_options *options,
                                  akin_redis_store **out) {
    akin_status status = AKIN_OK;
    size_t first = 0;
    *out = NULL;
    akin_redis_store *place = akin_mem_zalloc(1, sizeof *place);
    if (!place) return AKIN_FAILED;
    AKIN_TRY(understand(url, place));
    place->address.timeout = options->timeout;
    snprintf(place->name, sizeof place->name, "akin:%s", place->catalog);
    snprintf(place->meta, sizeof place->meta, "akin:%s:meta", place->catalog);
    akin_lock_owner_sign(place->signature);
    AKIN_TRY(add_server(place, &place->address, &first));
    AKIN_TRY(find_keys(place, options->buckets));
    *out = place;
    place = NULL;
done:
    akin_redis_store_close(place);
    return status;
}

void akin_redis_store_close(akin_redis_store *place) {
    if (!place) return;
    for (size_t i = 0; i < place->server_count; i++) akin_redis_close(place->servers[i].redis);
    akin_mem_free(place->servers);
    akin_mem_free(place->hashes);
    akin_mem_free(place->catalog);
    akin_url_free(&place->url);
    akin_mem_free(place);
}

size_t akin_redis_store_count(const akin_redis_store *place) {
    return place->hash_count;
}

size_t akin_redis_store_buckets(const akin_redis_store *place) {
    return place->buckets;
}

akin_redis_hash akin_redis_store_hash(const akin_redis_store *place, size_t index) {
    const keys *it = &place->hashes[index];
    return (akin_redis_hash){it->live, it->next, it->prev, it->lock,
                             place->servers[it->server].redis};
}

void akin_redis_store_drain(akin_redis_store *place) {
    for (size_t i = 0; i < place->server_count; i++) akin_redis_drain(place->servers[i].redis);
}

bool akin_redis_store_is_cluster(const akin_redis_store *place) {
    return place->cluster;
}

const char *akin_redis_store_name(const akin_redis_store *place) {
    return place->name;
}

/* --- meta --- */

#define ROLLED_BACK "rolled_back"

static void put_field(akin_redis_meta *meta, const char *name, const char *value) {
    static const char before[] = "previous_";
    bool old = strncmp(name, before, strlen(before)) == 0;
    const char *plain = old ? name + strlen(before) : name;
    for (int f = 0; f < AKIN_REDIS_FIELDS; f++)
        if (strcmp(plain, field_names[f]) == 0)
            snprintf(old ? meta->before[f] : meta->now[f], AKIN_REDIS_VALUE, "%s",
                     value ? value : "");
}

akin_status akin_redis_store_read_meta(akin_redis_store *place, akin_redis_meta *meta) {
    akin_redis_reply *reply = NULL;
    *meta = (akin_redis_meta){0};
    akin_status status = akin_redis_call(place->servers[place->meta_server].redis, &reply,
                                         "HGETALL", place->meta, NULL);
    if (status != AKIN_OK) return status;
    for (size_t i = 0; i + 1 < akin_redis_count(reply); i += 2) {
        const char *name = akin_redis_text(akin_redis_at(reply, i), NULL);
        const char *value = akin_redis_text(akin_redis_at(reply, i + 1), NULL);
        if (name && strcmp(name, ROLLED_BACK) == 0)
            (void)!akin_rolled_back_read(meta->rolled_back, value);
        else if (name)
            put_field(meta, name, value);
    }
    akin_redis_free(reply);
    return AKIN_OK;
}

akin_status akin_redis_store_watch_meta(akin_redis_store *place) {
    return akin_redis_call(akin_redis_store_meta_server(place), NULL, "WATCH", place->meta, NULL);
}

akin_redis *akin_redis_store_meta_server(const akin_redis_store *place) {
    return place->servers[place->meta_server].redis;
}

akin_status akin_redis_store_queue_meta(akin_redis_store *place, const akin_redis_meta *meta) {
    const char *words[4 + 4 * AKIN_REDIS_FIELDS] = {"HSET", place->meta};
    size_t lengths[4 + 4 * AKIN_REDIS_FIELDS], count = 2;
    char names[AKIN_REDIS_FIELDS][AKIN_REDIS_VALUE];
    akin_redis *server = akin_redis_store_meta_server(place);
    for (int f = 0; f < AKIN_REDIS_FIELDS; f++) {
        words[count++] = field_names[f];
        words[count++] = meta->now[f];
        if (!*meta->before[AKIN_REDIS_GENERATION]) continue;
        snprintf(names[f], sizeof names[f], "previous_%s", field_names[f]);
        words[count++] = names[f];
        words[count++] = meta->before[f];
    }
    if (*meta->rolled_back) words[count++] = ROLLED_BACK, words[count++] = meta->rolled_back;
    for (size_t i = 0; i < count; i++) lengths[i] = strlen(words[i]);
    akin_status status = akin_redis_queue_texts(server, "DEL", place->meta, NULL);
    return status == AKIN_OK ? akin_redis_queue(server, count, words, lengths) : status;
}

akin_status akin_redis_store_expire(akin_redis_store *place, size_t buckets,
                                    const char *milliseconds) {
    akin_status status = AKIN_OK;
    for (size_t b = 0; b < (buckets ? buckets : 1) && status == AKIN_OK; b++) {
        keys old;
        size_t index = 0;
        name_keys(place, buckets, b, &old);
        bool shared = buckets > 0 && b < place->buckets; /* the new table has this key too */
        AKIN_TRY(locate(place, old.live, &index));
        akin_redis *redis = place->servers[index].redis;
        AKIN_TRY(akin_redis_queue_texts(redis, "UNLINK", old.next, old.prev, NULL));
        if (!shared)
            AKIN_TRY(akin_redis_queue_texts(redis, "PEXPIRE", old.live, milliseconds, NULL));
        AKIN_TRY(akin_redis_take(redis, shared ? 1 : 2, NULL));
    }
done:
    return status;
}

/* --- the lock --- */

static const char *lock_time(void) {
    static char milliseconds[16];
    snprintf(milliseconds, sizeof milliseconds, "%d", AKIN_REDIS_LOCK_SECONDS * 1000);
    return milliseconds;
}

/* The lock of one hash. */
typedef struct {
    const char *key, *signature;
    akin_redis *redis;
} hash_lock;

static akin_status make_lock(void *context, bool *made) {
    const hash_lock *lock = context;
    akin_redis_reply *done = NULL;
    akin_status status = akin_redis_call(lock->redis, &done, "SET", lock->key, lock->signature,
                                         "NX", "PX", lock_time(), NULL);
    if (status != AKIN_OK) return status;
    *made = !akin_redis_is_nil(done);
    akin_redis_free(done);
    return AKIN_OK;
}

static akin_status ask_lock(void *context, akin_lease_holder *holder) {
    akin_status status = AKIN_OK;
    const hash_lock *lock = context;
    akin_redis_reply *who = NULL, *left = NULL;
    AKIN_TRY(akin_redis_call(lock->redis, &who, "GET", lock->key, NULL));
    AKIN_TRY(akin_redis_call(lock->redis, &left, "PTTL", lock->key, NULL));
    const char *text = akin_redis_text(who, NULL);
    holder->there = text != NULL;
    snprintf(holder->signature, sizeof holder->signature, "%s", text && *text ? text : "?");
    holder->left = (double)((akin_redis_integer(left) + 999) / 1000);
    if (holder->left <= 0) holder->left = AKIN_REDIS_LOCK_SECONDS; /* a lock without an expiry */
done:
    akin_redis_free(who);
    akin_redis_free(left);
    return status;
}

static akin_status take_over(void *context, const akin_lease_holder *holder, bool *taken) {
    akin_status status = AKIN_OK;
    const hash_lock *lock = context;
    akin_redis *redis = lock->redis;
    akin_redis_reply *who = NULL, *done = NULL;
    AKIN_TRY(akin_redis_call(redis, NULL, "WATCH", lock->key, NULL));
    AKIN_TRY(akin_redis_call(redis, &who, "GET", lock->key, NULL));
    const char *now = akin_redis_text(who, NULL);
    if (!now || strcmp(now, holder->signature) != 0) {
        status = akin_redis_call(redis, NULL, "UNWATCH", NULL);
        goto done;
    }
    AKIN_TRY(akin_redis_queue_texts(redis, "MULTI", NULL));
    AKIN_TRY(
        akin_redis_queue_texts(redis, "SET", lock->key, lock->signature, "PX", lock_time(), NULL));
    AKIN_TRY(akin_redis_queue_texts(redis, "EXEC", NULL));
    AKIN_TRY(akin_redis_take(redis, 3, &done));
    *taken = !akin_redis_is_nil(done);
done:
    akin_redis_free(who);
    akin_redis_free(done);
    return status;
}

akin_status akin_redis_store_lock(akin_redis_store *place) {
    akin_status status = AKIN_OK;
    for (size_t b = 0; b < place->hash_count && status == AKIN_OK; b++) {
        hash_lock lock = {place->hashes[b].lock, place->signature,
                          place->servers[place->hashes[b].server].redis};
        status = akin_lease_take(&(akin_lease){.kind = "Redis",
                                               .place = place->name,
                                               .context = &lock,
                                               .make = make_lock,
                                               .ask = ask_lock,
                                               .take_over = take_over});
    }
    return status;
}

akin_status akin_redis_store_holder(akin_redis_store *place, akin_lease_holder *holder) {
    const keys *first = &place->hashes[0];
    hash_lock lock = {first->lock, place->signature, place->servers[first->server].redis};
    *holder = (akin_lease_holder){0};
    return ask_lock(&lock, holder);
}

akin_status akin_redis_store_lost(const akin_redis_store *place) {
    return akin_lease_lost("Redis", place->name, AKIN_REDIS_LOCK_SECONDS);
}

akin_status akin_redis_store_queue_guard(akin_redis_store *place, const akin_redis_hash *hash) {
    (void)place;
    akin_status status = akin_redis_queue_texts(hash->server, "WATCH", hash->lock, NULL);
    return status == AKIN_OK ? akin_redis_queue_texts(hash->server, "GET", hash->lock, NULL)
                             : status;
}

akin_status akin_redis_store_take_guard(akin_redis_store *place, const akin_redis_hash *hash) {
    akin_redis_reply *holder = NULL;
    akin_status status = akin_redis_take(hash->server, 2, &holder);
    if (status != AKIN_OK) return status;
    const char *who = akin_redis_text(holder, NULL);
    if (!who || strcmp(who, place->signature) != 0) status = akin_redis_store_lost(place);
    akin_redis_free(holder);
    return status;
}

akin_status akin_redis_store_keep(akin_redis_store *place) {
    akin_status status = AKIN_OK;
    akin_redis_reply *done = NULL;
    for (size_t b = 0; b < place->hash_count; b++) {
        akin_redis_hash hash = akin_redis_store_hash(place, b);
        AKIN_TRY(akin_redis_store_queue_guard(place, &hash));
        AKIN_TRY(akin_redis_store_take_guard(place, &hash));
        AKIN_TRY(akin_redis_queue_texts(hash.server, "MULTI", NULL));
        AKIN_TRY(akin_redis_queue_texts(hash.server, "PEXPIRE", hash.lock, lock_time(), NULL));
        AKIN_TRY(akin_redis_queue_texts(hash.server, "EXEC", NULL));
        AKIN_TRY(akin_redis_take(hash.server, 3, &done));
        if (akin_redis_is_nil(done)) AKIN_TRY(akin_redis_store_lost(place));
        akin_redis_free(done);
        done = NULL;
    }
done:
    akin_redis_free(done);
    return status;
}
