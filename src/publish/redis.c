/* redis: a connection to a Redis server; the one module with hiredis. */
#include "redis.h"
#include <akin/mem.h>
#include <akin/web.h>
#include <hiredis/hiredis.h>
#ifdef AKIN_REDIS_TLS
#include <hiredis/hiredis_ssl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#endif
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { WORDS_MAX = 32, NAME_SIZE = 300 };

struct akin_redis {
    redisContext *context;
    size_t waiting;       /* commands without an answer yet */
    char name[NAME_SIZE]; /* for messages: host:port or the socket */
    double timeout;
    bool unknown_command; /* of the last error */
    bool answered;        /* at least once */
    char key[NAME_SIZE];  /* of a command that is called alone; "" = of several, or none */
};

static redisReply *inner(const akin_redis_reply *reply) {
    return (redisReply *)(uintptr_t)reply;
}

static akin_redis_reply *outer(const redisReply *reply) {
    return (akin_redis_reply *)(uintptr_t)reply;
}

bool akin_redis_has_tls(void) {
#ifdef AKIN_REDIS_TLS
    return true;
#else
    return false;
#endif
}

/* --- error messages --- */

#define WRONGTYPE "WRONGTYPE"
#define UNKNOWN "ERR unknown command" /* the protocol has texts but no error codes */

static const struct {
    const char *begin, *advice;
} advices[] = {
    {"READONLY", "it is a read-only replica: use its primary"},
    {"OOM", "it has reached its maxmemory: raise that, free memory, or publish with --format ids"},
    {"NOAUTH", "it needs a password, in the address or in AKIN_REDIS_PASSWORD"},
    {"WRONGPASS", "user or password is wrong: check the address and AKIN_REDIS_PASSWORD"},
    {"ERR invalid password", "the password is wrong: check the address and AKIN_REDIS_PASSWORD"},
    {"ERR AUTH", "it has no password, but the address or AKIN_REDIS_PASSWORD gives one"},
    {"ERR Client sent AUTH",
     "it has no password, but the address or AKIN_REDIS_PASSWORD gives one"},
    {"NOPERM", "give this user permission (ACL) to use the keys akin:*"},
    {"LOADING", "it is still loading its data: try again later"},
    {"MISCONF", "it cannot save to its disk: fix that first"},
    {"MASTERDOWN", "it is a replica that has lost its primary"},
    {"CLUSTERDOWN", "the cluster is incomplete"},
    {"MOVED", "it is part of a cluster: publish with --buckets"},
    {"CROSSSLOT", "it is part of a cluster: publish with --buckets"},
    {UNKNOWN, "the server is too old: akin needs Redis 4.0 or newer"},
    {"ERR DB index", "there is no such database: check the number after the host"},
};

static akin_status say_error(akin_redis *redis, const redisReply *error) {
    redis->unknown_command = strncmp(error->str, UNKNOWN, strlen(UNKNOWN)) == 0;
    if (strncmp(error->str, WRONGTYPE, strlen(WRONGTYPE)) == 0)
        return akin_error_set(AKIN_FAILED,
                              "Redis at %s: %s%s has another type: use another catalog, or "
                              "remove the key (%s)",
                              redis->name, *redis->key ? "the key " : "a key of the catalogue",
                              redis->key, error->str);
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
        if (strncmp(error->str, advices[i].begin, strlen(advices[i].begin)) == 0)
            return akin_error_set(AKIN_FAILED, "Redis at %s: %s (%s)", redis->name,
                                  advices[i].advice, error->str);
    return akin_error_set(AKIN_FAILED, "Redis at %s: %s", redis->name, error->str);
}

static bool is_slow(const redisContext *context) {
    return strstr(context->errstr, "Resource temporarily unavailable") ||
           strstr(context->errstr, "timed out");
}

static akin_status say_foreign(const akin_redis *redis, const char *why) {
    return akin_error_set(AKIN_FAILED, "Redis at %s: " AKIN_WEB_FOREIGN " (%s)", redis->name, why);
}

static akin_status say_broken(const akin_redis *redis) {
    const redisContext *context = redis->context;
    if (!context) return akin_error_set(AKIN_FAILED, "not enough memory for a connection");
    if (is_slow(context))
        return akin_error_set(AKIN_FAILED,
                              "Redis at %s: no answer within %g s (--timeout): check that it is "
                              "running and not suspended or overloaded",
                              redis->name, redis->timeout);
    const char *why = *context->errstr ? context->errstr : "the connection is broken";
    if (context->err == REDIS_ERR_PROTOCOL || (context->err == REDIS_ERR_EOF && !redis->answered))
        return say_foreign(redis, why);
    return akin_error_set(AKIN_FAILED, "Redis at %s: %s", redis->name, why);
}

/* --- connecting --- */

static akin_status say_unreachable(const akin_redis *redis) {
    akin_status status = say_broken(redis);
    return !redis->context || is_slow(redis->context)
               ? status
               : akin_error_set(status, "%s: " AKIN_WEB_UNREACHABLE, akin_error_message());
}

static akin_status connect_to(const akin_redis_address *address, akin_redis *redis) {
    struct timeval limit = {
        (time_t)address->timeout,
        (suseconds_t)((address->timeout - (double)(time_t)address->timeout) * 1e6)};
    if (address->path)
        snprintf(redis->name, sizeof redis->name, "%s", address->path);
    else
        snprintf(redis->name, sizeof redis->name, strchr(address->host, ':') ? "[%s]:%d" : "%s:%d",
                 address->host, address->port);
    redis->context = address->path ? redisConnectUnixWithTimeout(address->path, limit)
                                   : redisConnectWithTimeout(address->host, address->port, limit);
    if (!redis->context || redis->context->err) return say_unreachable(redis);
    if (redisSetTimeout(redis->context, limit) != REDIS_OK) return say_broken(redis);
    if (!address->path) redisEnableKeepAlive(redis->context);
    return AKIN_OK;
}

#ifdef AKIN_REDIS_TLS
/* hiredis's own TLS setup does not compare the certificate with the host's name. OpenSSL reads
 * SSL_CERT_FILE and SSL_CERT_DIR, for authorities that the system lacks. */
static akin_status encrypt(const akin_redis_address *address, akin_redis *redis) {
    if (!address->tls) return AKIN_OK;
    SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
    SSL *tls =
        settings && SSL_CTX_set_default_verify_paths(settings) == 1 ? SSL_new(settings) : NULL;
    SSL_CTX_free(settings); /* tls keeps a reference */
    bool named = tls && (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), address->host) == 1 ||
                         (SSL_set1_host(tls, address->host) == 1 &&
                          SSL_set_tlsext_host_name(tls, address->host) == 1));
    if (!named) {
        SSL_free(tls);
        return akin_error_set(AKIN_FAILED, "Redis at %s: not enough memory for TLS", redis->name);
    }
    SSL_set_verify(tls, SSL_VERIFY_PEER, NULL);
    /* now owned by the context */
    if (redisInitiateSSL(redis->context, tls) == REDIS_OK) return AKIN_OK;
    SSL_free(tls);
    bool speaks_tls = strstr(redis->context->errstr, "certificate") || is_slow(redis->context);
    return speaks_tls ? say_broken(redis) : say_foreign(redis, redis->context->errstr);
}
#else
static akin_status encrypt(const akin_redis_address *address, akin_redis *redis) {
    if (!address->tls) return AKIN_OK;
    return akin_error_set(AKIN_USAGE, "Redis at %s: this build has no TLS support for Redis",
                          redis->name);
}
#endif

static akin_status greet(const akin_redis_address *address, akin_redis *redis) {
    akin_status status = AKIN_OK;
    char database[16];
    if (address->password && address->user && *address->user)
        AKIN_TRY(akin_redis_call(redis, NULL, "AUTH", address->user, address->password, NULL));
    else if (address->password)
        AKIN_TRY(akin_redis_call(redis, NULL, "AUTH", address->password, NULL));
    snprintf(database, sizeof database, "%d", address->database);
    if (address->database > 0) AKIN_TRY(akin_redis_call(redis, NULL, "SELECT", database, NULL));
done:
    return status;
}

akin_status akin_redis_open(const akin_redis_address *address, akin_redis **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_redis *redis = akin_mem_zalloc(1, sizeof *redis);
    if (!redis) return AKIN_FAILED;
    redis->timeout = address->timeout;
    AKIN_TRY(connect_to(address, redis));
    AKIN_TRY(encrypt(address, redis));
    AKIN_TRY(greet(address, redis));
    *out = redis;
    redis = NULL;
done:
    akin_redis_close(redis);
    return status;
}

void akin_redis_close(akin_redis *redis) {
    if (!redis) return;
    if (redis->context) redisFree(redis->context);
    akin_mem_free(redis);
}

bool akin_redis_broken(const akin_redis *redis) {
    return redis->context->err != 0;
}

bool akin_redis_unknown_command(const akin_redis *redis) {
    return redis->unknown_command;
}

/* --- commands --- */

akin_status akin_redis_queue(akin_redis *redis, size_t count, const char *const *words,
                             const size_t *lengths) {
    if (redis->context->err) return say_broken(redis);
    if (redisAppendCommandArgv(redis->context, (int)count, (const char **)(uintptr_t)words,
                               lengths) != REDIS_OK)
        return akin_error_set(AKIN_FAILED, "not enough memory for a command to Redis");
    redis->waiting++;
    return AKIN_OK;
}

akin_status akin_redis_queue_bytes(akin_redis *redis, const char *bytes, size_t count, bool last) {
    if (redis->context->err) return say_broken(redis);
    if (redisAppendFormattedCommand(redis->context, bytes, count) != REDIS_OK)
        return akin_error_set(AKIN_FAILED, "not enough memory for a command to Redis");
    redis->waiting += last;
    return AKIN_OK;
}

/* key: receives the command's, or NULL. */
static akin_status queue_list(akin_redis *redis, va_list texts, char key[NAME_SIZE]) {
    const char *words[WORDS_MAX];
    size_t lengths[WORDS_MAX], count = 0;
    for (const char *word = va_arg(texts, const char *); word; word = va_arg(texts, const char *)) {
        AKIN_ASSERT(count < WORDS_MAX);
        words[count] = word;
        lengths[count++] = strlen(word);
    }
    if (key && count > 1) snprintf(key, NAME_SIZE, "%s", words[1]);
    return akin_redis_queue(redis, count, words, lengths);
}

akin_status akin_redis_queue_texts(akin_redis *redis, ...) {
    va_list texts;
    va_start(texts, redis);
    akin_status status = queue_list(redis, texts, NULL);
    va_end(texts);
    return status;
}

akin_status akin_redis_send(akin_redis *redis) {
    int done = 0;
    if (redis->context->err) return say_broken(redis);
    while (!done)
        if (redisBufferWrite(redis->context, &done) != REDIS_OK) return say_broken(redis);
    return AKIN_OK;
}

static akin_status next(akin_redis *redis, redisReply **out) {
    void *reply = NULL;
    *out = NULL;
    if (redis->context->err) return say_broken(redis);
    if (redisGetReply(redis->context, &reply) != REDIS_OK || !reply) return say_broken(redis);
    if (redis->waiting > 0) redis->waiting--;
    redis->answered = true;
    *out = reply;
    return AKIN_OK;
}

akin_status akin_redis_next(akin_redis *redis, akin_redis_reply **reply) {
    redisReply *got = NULL;
    *reply = NULL;
    akin_status status = next(redis, &got);
    if (status == AKIN_OK && got->type == REDIS_REPLY_ERROR) status = say_error(redis, got);
    if (status == AKIN_OK)
        *reply = outer(got);
    else
        freeReplyObject(got);
    return status;
}

static akin_status first_error(akin_redis *redis, const redisReply *reply) {
    if (reply->type == REDIS_REPLY_ERROR) return say_error(redis, reply);
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR)
            return say_error(redis, reply->element[i]);
    return AKIN_OK;
}

akin_status akin_redis_take(akin_redis *redis, size_t count, akin_redis_reply **last) {
    akin_status status = AKIN_OK;
    if (last) *last = NULL;
    for (size_t i = 0; i < count; i++) {
        redisReply *got = NULL;
        akin_status one = next(redis, &got);
        if (!got) return status == AKIN_OK ? one : status;
        if (status == AKIN_OK) status = first_error(redis, got);
        if (last && i + 1 == count && status == AKIN_OK)
            *last = outer(got);
        else
            freeReplyObject(got);
    }
    return status;
}

void akin_redis_drain(akin_redis *redis) {
    while (redis->waiting > 0 && !redis->context->err) {
        void *reply = NULL;
        if (redisGetReply(redis->context, &reply) == REDIS_OK && reply) freeReplyObject(reply);
        redis->waiting--;
    }
}

akin_status akin_redis_call(akin_redis *redis, akin_redis_reply **reply, ...) {
    va_list texts;
    akin_redis_reply *got = NULL;
    if (reply) *reply = NULL;
    va_start(texts, reply);
    akin_status status = queue_list(redis, texts, redis->key);
    va_end(texts);
    if (status == AKIN_OK) status = akin_redis_next(redis, &got);
    *redis->key = '\0';
    if (reply)
        *reply = got;
    else
        akin_redis_free(got);
    return status;
}

akin_status akin_redis_locate(akin_redis *redis, const char *key, bool *moved, char host[256],
                              int *port) {
    redisReply *got = NULL;
    *moved = false;
    akin_status status = akin_redis_queue_texts(redis, "EXISTS", key, NULL);
    if (status == AKIN_OK) status = next(redis, &got);
    if (status != AKIN_OK) return status;
    if (got->type == REDIS_REPLY_ERROR && strncmp(got->str, "MOVED ", 6) == 0) {
        const char *place = strchr(got->str + 6, ' '), *colon = strrchr(got->str, ':');
        *moved = place && colon > place && colon - place - 1 < 256;
        if (*moved) snprintf(host, 256, "%.*s", (int)(colon - place - 1), place + 1);
        if (*moved) *port = atoi(colon + 1);
    }
    if (!*moved) status = first_error(redis, got);
    freeReplyObject(got);
    return status;
}

/* --- answers --- */

bool akin_redis_is_nil(const akin_redis_reply *reply) {
    return inner(reply)->type == REDIS_REPLY_NIL;
}

long long akin_redis_integer(const akin_redis_reply *reply) {
    return inner(reply)->type == REDIS_REPLY_INTEGER ? inner(reply)->integer : 0;
}

const char *akin_redis_text(const akin_redis_reply *reply, size_t *length) {
    const redisReply *text = inner(reply);
    bool is_text = text->type == REDIS_REPLY_STRING || text->type == REDIS_REPLY_STATUS;
    if (length) *length = is_text ? (size_t)text->len : 0;
    return is_text ? text->str : NULL;
}

size_t akin_redis_count(const akin_redis_reply *reply) {
    return inner(reply)->type == REDIS_REPLY_ARRAY ? inner(reply)->elements : 0;
}

const akin_redis_reply *akin_redis_at(const akin_redis_reply *reply, size_t index) {
    return outer(inner(reply)->element[index]);
}

void akin_redis_free(akin_redis_reply *reply) {
    if (reply) freeReplyObject(inner(reply));
}
