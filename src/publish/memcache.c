/* memcache: a connection to memcached servers; the one module with libmemcached. */
#include "memcache.h"
#include <akin/mem.h>
#include <akin/web.h>
#include <libmemcached/memcached.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct akin_memcache {
    memcached_st *asking, *sending; /* with answers; in bulk, without */
    double timeout;
};

/* libmemcached's "(0x55) SERVER ERROR, its words,  host: HOST:PORT -> FILE:LINE", in parts. */
typedef struct {
    char words[300], server[280]; /* server: " at HOST:PORT", or "" */
} library_words;

static void take_apart(const char *more, library_words *out) {
    static const char mark[] = ",  host: ";
    const char *begin = *more == '(' && strchr(more, ')') ? strchr(more, ')') + 1 : more;
    const char *host = strstr(begin, mark), *end = host ? host : begin + strlen(begin);
    begin += strspn(begin, " ");
    while (end > begin && strchr(" \r\n", end[-1])) end--;
    *out = (library_words){0};
    snprintf(out->words, sizeof out->words, "%.*s", (int)(end - begin), begin);
    if (host)
        snprintf(out->server, sizeof out->server, " at %.*s",
                 (int)strcspn(host + strlen(mark), " "), host + strlen(mark));
}

static akin_status say_unreachable(const memcached_st *handle, const char *why) {
    const memcached_instance_st *server = memcached_server_get_last_disconnect(handle);
    return server ? akin_error_set(AKIN_FAILED, "memcached at %s:%d: %s: " AKIN_WEB_UNREACHABLE,
                                   memcached_server_name(server),
                                   (int)memcached_server_port(server), why)
                  : akin_error_set(AKIN_FAILED, "memcached: %s: " AKIN_WEB_UNREACHABLE, why);
}

static akin_status say_other(memcached_st *handle, memcached_return_t code, const char *key) {
    library_words more;
    const char *text = memcached_last_error_message(handle);
    bool foreign = code == MEMCACHED_UNKNOWN_READ_FAILURE || code == MEMCACHED_PROTOCOL_ERROR ||
                   code == MEMCACHED_ERROR;
    take_apart(memcached_last_error(handle) != MEMCACHED_SUCCESS && text
                   ? text
                   : memcached_strerror(handle, code),
               &more);
    if (foreign)
        return akin_error_set(AKIN_FAILED, "memcached%s: " AKIN_WEB_FOREIGN " (%s: %s)",
                              more.server, key, more.words);
    return akin_error_set(AKIN_FAILED, "memcached%s: %s: %s", more.server, key, more.words);
}

static akin_status say(akin_memcache *cache, memcached_st *handle, memcached_return_t code,
                       const char *key) {
    if (code == MEMCACHED_TIMEOUT || code == MEMCACHED_SERVER_TEMPORARILY_DISABLED ||
        code == MEMCACHED_SERVER_MARKED_DEAD || code == MEMCACHED_IN_PROGRESS)
        return akin_error_set(AKIN_FAILED,
                              "memcached: no answer within %g s (--timeout): check that every "
                              "server is running and not suspended (%s)",
                              cache->timeout, memcached_strerror(handle, code));
    if (code == MEMCACHED_CONNECTION_FAILURE) return say_unreachable(handle, "no connection");
    if (code == MEMCACHED_HOST_LOOKUP_FAILURE) return say_unreachable(handle, "no such host");
    if (code == MEMCACHED_E2BIG)
        return akin_error_set(AKIN_FAILED,
                              "memcached: %s is too large for the servers' item limit (-I)", key);
    return say_other(handle, code, key);
}

static akin_status prepare(const memcached_server_list_st servers, double timeout, bool bulk,
                           memcached_st **out) {
    memcached_st *handle = memcached_create(NULL);
    uint64_t milliseconds = (uint64_t)(timeout * 1000);
    *out = handle;
    if (!handle) return akin_error_set(AKIN_FAILED, "not enough memory for memcached");
    const struct {
        memcached_behavior_t name;
        uint64_t value;
    } settings[] = {{MEMCACHED_BEHAVIOR_KETAMA, 1},
                    {MEMCACHED_BEHAVIOR_TCP_NODELAY, 1},
                    {MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, milliseconds},
                    {MEMCACHED_BEHAVIOR_POLL_TIMEOUT, milliseconds},
                    {MEMCACHED_BEHAVIOR_SND_TIMEOUT, milliseconds * 1000},
                    {MEMCACHED_BEHAVIOR_RCV_TIMEOUT, milliseconds * 1000},
                    {MEMCACHED_BEHAVIOR_VERIFY_KEY, 1},
                    {MEMCACHED_BEHAVIOR_BUFFER_REQUESTS, bulk},
                    {MEMCACHED_BEHAVIOR_NOREPLY, bulk}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (memcached_failed(memcached_behavior_set(handle, settings[i].name, settings[i].value)))
            return akin_error_set(AKIN_FAILED, "memcached: this libmemcached lacks a setting");
    if (memcached_failed(memcached_server_push(handle, servers)))
        return akin_error_set(AKIN_FAILED, "not enough memory for memcached");
    return AKIN_OK;
}

akin_status akin_memcache_open(const char *servers, double timeout, akin_memcache **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    memcached_server_list_st list = memcached_servers_parse(servers);
    akin_memcache *cache = akin_mem_zalloc(1, sizeof *cache);
    if (!cache) AKIN_TRY(AKIN_FAILED);
    if (!list || memcached_server_list_count(list) == 0)
        AKIN_TRY(akin_error_set(
            AKIN_USAGE, "memcached://%s: list the servers as host:port,host:port", servers));
    cache->timeout = timeout;
    AKIN_TRY(prepare(list, timeout, false, &cache->asking));
    AKIN_TRY(prepare(list, timeout, true, &cache->sending));
    *out = cache;
    cache = NULL;
done:
    akin_memcache_close(cache);
    if (list) memcached_server_list_free(list);
    return status;
}

void akin_memcache_close(akin_memcache *cache) {
    if (!cache) return;
    if (cache->asking) memcached_free(cache->asking);
    if (cache->sending) memcached_free(cache->sending);
    akin_mem_free(cache);
}

/* --- with answers --- */

akin_status akin_memcache_get(akin_memcache *cache, const char *key, char **value, size_t *length) {
    memcached_return_t code;
    uint32_t flags;
    size_t count = 0;
    *value = NULL;
    char *got = memcached_get(cache->asking, key, strlen(key), &count, &flags, &code);
    if (length) *length = count;
    /* what is no answer of memcached counts as not found too */
    if (code == MEMCACHED_NOTFOUND) code = memcached_last_error(cache->asking);
    if (code == MEMCACHED_SUCCESS && !got) return AKIN_OK;
    if (memcached_failed(code)) {
        free(got);
        return say(cache, cache->asking, code, key);
    }
    *value = akin_mem_alloc(count + 1, 1);
    if (*value && count > 0) memcpy(*value, got, count);
    if (*value) (*value)[count] = '\0';
    free(got);
    return *value ? AKIN_OK : AKIN_FAILED;
}

akin_status akin_memcache_set(akin_memcache *cache, const char *key, const char *value) {
    memcached_return_t code =
        memcached_set(cache->asking, key, strlen(key), value, strlen(value), 0, 0);
    return memcached_failed(code) ? say(cache, cache->asking, code, key) : AKIN_OK;
}

akin_status akin_memcache_add(akin_memcache *cache, const char *key, const char *value, int seconds,
                              bool *added) {
    memcached_return_t code =
        memcached_add(cache->asking, key, strlen(key), value, strlen(value), seconds, 0);
    *added = memcached_success(code);
    if (code == MEMCACHED_NOTSTORED || code == MEMCACHED_DATA_EXISTS) return AKIN_OK;
    return memcached_failed(code) ? say(cache, cache->asking, code, key) : AKIN_OK;
}

akin_status akin_memcache_touch(akin_memcache *cache, const char *key, int seconds) {
    memcached_return_t code = memcached_touch(cache->asking, key, strlen(key), seconds);
    return memcached_failed(code) ? say(cache, cache->asking, code, key) : AKIN_OK;
}

akin_status akin_memcache_delete(akin_memcache *cache, const char *key) {
    memcached_return_t code = memcached_delete(cache->asking, key, strlen(key), 0);
    return memcached_failed(code) && code != MEMCACHED_NOTFOUND
               ? say(cache, cache->asking, code, key)
               : AKIN_OK;
}

/* --- in bulk --- */

akin_status akin_memcache_send_set(akin_memcache *cache, const char *key, const char *value,
                                   size_t length) {
    memcached_return_t code = memcached_set(cache->sending, key, strlen(key), value, length, 0, 0);
    return memcached_failed(code) ? say(cache, cache->sending, code, key) : AKIN_OK;
}

akin_status akin_memcache_send_delete(akin_memcache *cache, const char *key) {
    memcached_return_t code = memcached_delete(cache->sending, key, strlen(key), 0);
    return memcached_failed(code) ? say(cache, cache->sending, code, key) : AKIN_OK;
}

akin_status akin_memcache_flush(akin_memcache *cache) {
    memcached_return_t code = memcached_flush_buffers(cache->sending);
    return memcached_failed(code) ? say(cache, cache->sending, code, "a block of lists") : AKIN_OK;
}

/* On the connection of the writes, so that it sees them. */
akin_status akin_memcache_get_many(akin_memcache *cache, const char *const *keys, size_t count,
                                   akin_memcache_each each, void *context) {
    akin_status status = AKIN_OK;
    memcached_result_st *result;
    memcached_return_t code;
    size_t *lengths = akin_mem_alloc(count, sizeof *lengths);
    if (!lengths) return AKIN_FAILED;
    for (size_t i = 0; i < count; i++) lengths[i] = strlen(keys[i]);
    code = memcached_mget(cache->sending, keys, lengths, count);
    akin_mem_free(lengths);
    if (memcached_failed(code)) return say(cache, cache->sending, code, keys[0]);
    while ((result = memcached_fetch_result(cache->sending, NULL, &code)) !=
           NULL) { /* read to the end in any case */
        if (status == AKIN_OK)
            status = each(context, memcached_result_key_value(result),
                          memcached_result_value(result), memcached_result_length(result));
        memcached_result_free(result);
    }
    if (status == AKIN_OK && code != MEMCACHED_END && code != MEMCACHED_NOTFOUND &&
        memcached_failed(code))
        status = say(cache, cache->sending, code, keys[0]);
    return status;
}

/* --- settings --- */

static memcached_return_t take_setting(const memcached_instance_st *server, const char *key,
                                       size_t key_length, const char *value, size_t value_length,
                                       void *context) {
    static const char name[] = "item_size_max";
    size_t *smallest = context;
    char digits[24] = "";
    (void)server;
    if (key_length != strlen(name) || memcmp(key, name, key_length) != 0 ||
        value_length >= sizeof digits)
        return MEMCACHED_SUCCESS;
    memcpy(digits, value, value_length);
    size_t bytes = (size_t)strtoull(digits, NULL, 10);
    if (bytes < *smallest) *smallest = bytes;
    return MEMCACHED_SUCCESS;
}

akin_status akin_memcache_item_limit(akin_memcache *cache, size_t *bytes) {
    *bytes = SIZE_MAX;
    memcached_return_t code =
        memcached_stat_execute(cache->asking, "settings", take_setting, bytes);
    return memcached_failed(code) ? say(cache, cache->asking, code, "stats settings") : AKIN_OK;
}
