/* redis: a connection to a Redis server; the one module with hiredis. Not collective. Commands
 * are queued, sent together and answered in order. A server that does not answer within the
 * timeout ends the connection: every later call fails at once. An error reply becomes a message
 * that says what to do. */
#ifndef AKIN_REDIS_H
#define AKIN_REDIS_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct akin_redis akin_redis;
typedef struct akin_redis_reply akin_redis_reply;

typedef struct {
    const char *host; /* or NULL: */
    const char *path; /* of a Unix socket */
    int port, database;
    const char *user, *password; /* NULL = none */
    bool tls;
    double timeout; /* seconds */
} akin_redis_address;

/* Whether this build supports TLS to Redis (hiredis >= 1.0 with hiredis_ssl). */
bool akin_redis_has_tls(void);

/* Connects and authenticates. */
AKIN_MUST_CHECK akin_status akin_redis_open(const akin_redis_address *address, akin_redis **out);
void akin_redis_close(akin_redis *redis); /* NULL is fine */
bool akin_redis_broken(const akin_redis *redis);
/* Whether the last error was that the server does not know the command. */
bool akin_redis_unknown_command(const akin_redis *redis);

/* One command: words [count] of lengths [count] bytes, copied. */
AKIN_MUST_CHECK akin_status akin_redis_queue(akin_redis *redis, size_t count,
                                             const char *const *words, const size_t *lengths);
/* Bytes in the protocol's own format (RESP 2), copied: a command, or part of one; `last`: its
 * last part. */
AKIN_MUST_CHECK akin_status akin_redis_queue_bytes(akin_redis *redis, const char *bytes,
                                                   size_t count, bool last);
/* The same for texts; ends with NULL. */
AKIN_MUST_CHECK akin_status akin_redis_queue_texts(akin_redis *redis, ...)
    __attribute__((sentinel));
/* Sends what is queued, without waiting for answers. */
AKIN_MUST_CHECK akin_status akin_redis_send(akin_redis *redis);
/* The answer to the oldest unanswered command; owned. AKIN_FAILED: no answer, or an error. */
AKIN_MUST_CHECK akin_status akin_redis_next(akin_redis *redis, akin_redis_reply **reply);
/* Takes `count` answers; the first error among them, or within them (of EXEC), is the failure.
 * *last (may be NULL): the last answer. */
AKIN_MUST_CHECK akin_status akin_redis_take(akin_redis *redis, size_t count,
                                            akin_redis_reply **last);
/* Takes and drops all outstanding answers: after an error, so that none is taken for a later
 * one. */
void akin_redis_drain(akin_redis *redis);
/* Queues a command and waits for the answer; reply may be NULL. */
AKIN_MUST_CHECK akin_status akin_redis_call(akin_redis *redis, akin_redis_reply **reply, ...)
    __attribute__((sentinel));

/* Which server of a cluster has the key: *moved, with its host and port; otherwise this one. */
AKIN_MUST_CHECK akin_status akin_redis_locate(akin_redis *redis, const char *key, bool *moved,
                                              char host[256], int *port);

bool akin_redis_is_nil(const akin_redis_reply *reply);
long long akin_redis_integer(const akin_redis_reply *reply); /* 0 if it is not a number */
const char *akin_redis_text(const akin_redis_reply *reply,
                            size_t *length); /* NULL if it is not a text; length may be NULL */
size_t akin_redis_count(const akin_redis_reply *reply); /* of an array */
const akin_redis_reply *akin_redis_at(const akin_redis_reply *reply, size_t index);
void akin_redis_free(akin_redis_reply *reply); /* NULL is fine */

#endif
