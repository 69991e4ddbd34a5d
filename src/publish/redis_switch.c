/* redis_switch: replaces the published table by the written one. */
#include "redis_switch.h"
#include <akin/mem.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TURNS 5 /* attempts, when someone writes during a switch */

typedef struct {
    bool live, next, prev;
} presence;

akin_status akin_redis_switch_check(akin_redis_store *store, const akin_redis_meta *seen) {
    akin_redis_meta now;
    akin_status status = akin_redis_store_read_meta(store, &now);
    if (status != AKIN_OK || memcmp(now.now, seen->now, sizeof now.now) == 0) return status;
    return akin_error_set(AKIN_FAILED,
                          "%s: another run has published there in the meantime; nothing was "
                          "switched over: start again if this is still wanted",
                          akin_redis_store_name(store));
}

/* The same, and until the transaction, for one that writes the meta as well. */
static akin_status watch_meta(akin_redis_store *store, const akin_redis_meta *seen) {
    akin_redis *server = akin_redis_store_meta_server(store);
    akin_status status = akin_redis_store_watch_meta(store);
    if (status == AKIN_OK) status = akin_redis_switch_check(store, seen);
    if (status != AKIN_OK && !akin_redis_broken(server))
        (void)!akin_redis_call(server, NULL, "UNWATCH", NULL);
    return status;
}

/* Watches lock and keys of hashes [first, end), and reports which exist. */
static akin_status watch(akin_redis_store *store, size_t first, size_t end, presence *there) {
    akin_status status = AKIN_OK;
    for (size_t b = first; b < end; b++) {
        akin_redis_hash hash = akin_redis_store_hash(store, b);
        const char *const keys[] = {hash.live, hash.next, hash.prev};
        bool *const found[] = {&there[b].live, &there[b].next, &there[b].prev};
        AKIN_TRY(akin_redis_store_queue_guard(store, &hash));
        AKIN_TRY(akin_redis_store_take_guard(store, &hash));
        AKIN_TRY(
            akin_redis_call(hash.server, NULL, "WATCH", hash.live, hash.next, hash.prev, NULL));
        for (int i = 0; i < 3; i++) {
            akin_redis_reply *reply = NULL;
            AKIN_TRY(akin_redis_call(hash.server, &reply, "EXISTS", keys[i], NULL));
            *found[i] = akin_redis_integer(reply) > 0;
            akin_redis_free(reply);
        }
    }
done:
    return status;
}

/* :next becomes live, live becomes :prev. UNLINK frees a large hash beside the traffic, RENAME over
 * it would not. */
static akin_status queue_forward(const akin_redis_hash *hash, const presence *there,
                                 const char *keep_for, size_t *queued) {
    akin_status status = AKIN_OK;
    if (there->live) {
        AKIN_TRY(akin_redis_queue_texts(hash->server, "UNLINK", hash->prev, NULL));
        AKIN_TRY(akin_redis_queue_texts(hash->server, "RENAME", hash->live, hash->prev, NULL));
        AKIN_TRY(akin_redis_queue_texts(hash->server, "PEXPIRE", hash->prev, keep_for, NULL));
        *queued += 3;
    }
    if (there->next) {
        AKIN_TRY(akin_redis_queue_texts(hash->server, "RENAME", hash->next, hash->live, NULL));
        AKIN_TRY(akin_redis_queue_texts(hash->server, "PERSIST", hash->live, NULL));
        *queued += 2;
    }
done:
    return status;
}

/* :prev and the live table are exchanged, by way of :next. */
static akin_status queue_back(const akin_redis_hash *hash, const presence *there,
                              const char *keep_for, size_t *queued) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_redis_queue_texts(hash->server, "UNLINK", hash->next, NULL));
    *queued += 1;
    if (there->live) {
        AKIN_TRY(akin_redis_queue_texts(hash->server, "RENAME", hash->live, hash->next, NULL));
        *queued += 1;
    }
    if (there->prev) {
        AKIN_TRY(akin_redis_queue_texts(hash->server, "RENAME", hash->prev, hash->live, NULL));
        AKIN_TRY(akin_redis_queue_texts(hash->server, "PERSIST", hash->live, NULL));
        *queued += 2;
    }
    if (there->live) {
        AKIN_TRY(akin_redis_queue_texts(hash->server, "RENAME", hash->next, hash->prev, NULL));
        AKIN_TRY(akin_redis_queue_texts(hash->server, "PEXPIRE", hash->prev, keep_for, NULL));
        *queued += 2;
    }
done:
    return status;
}

/* The commands of a switch, what it replaces, and how long (milliseconds) it keeps that. */
typedef struct {
    akin_status (*queue)(const akin_redis_hash *hash, const presence *there, const char *keep_for,
                         size_t *queued);
    const akin_redis_meta *seen;
    char keep_for[24];
} plan;

/* One transaction over hashes [first, end), which are on one server, with the meta if it is given.
 * *done false: someone wrote in between. */
static akin_status turn(akin_redis_store *store, size_t first, size_t end, const plan *p,
                        const akin_redis_meta *meta, presence *there, bool *done) {
    akin_status status = AKIN_OK;
    akin_redis_reply *reply = NULL;
    size_t queued = 0;
    akin_redis *server = akin_redis_store_hash(store, first).server;
    if (meta) AKIN_TRY(watch_meta(store, p->seen));
    AKIN_TRY(watch(store, first, end, there));
    AKIN_TRY(akin_redis_queue_texts(server, "MULTI", NULL));
    for (size_t b = first; b < end; b++) {
        akin_redis_hash hash = akin_redis_store_hash(store, b);
        AKIN_TRY(p->queue(&hash, &there[b], p->keep_for, &queued));
        AKIN_TRY(akin_redis_queue_texts(server, "DEL", hash.lock, NULL));
        queued++;
    }
    if (meta) AKIN_TRY(akin_redis_store_queue_meta(store, meta));
    AKIN_TRY(akin_redis_queue_texts(server, "EXEC", NULL));
    AKIN_TRY(akin_redis_take(server, 1 + queued + (meta ? 2 : 0) + 1, &reply));
    *done = !akin_redis_is_nil(reply);
done:
    akin_redis_free(reply);
    if (status != AKIN_OK && akin_redis_broken(server))
        status = akin_error_context(
            status, "%s: it is not known whether it was switched over; publish again to find out: ",
            akin_redis_store_name(store));
    return status;
}

static akin_status try_turns(akin_redis_store *store, size_t first, size_t end, const plan *p,
                             const akin_redis_meta *meta, presence *there) {
    bool done = false;
    for (int i = 0; i < TURNS && !done; i++) {
        akin_status status = turn(store, first, end, p, meta, there, &done);
        if (status != AKIN_OK) return status;
    }
    if (done) return AKIN_OK;
    return akin_error_set(
        AKIN_FAILED,
        "%s: another program keeps writing to the published hash; nothing was switched over",
        akin_redis_store_name(store));
}

static akin_status switch_over(akin_redis_store *store, const plan *p,
                               const akin_redis_meta *meta) {
    akin_status status = AKIN_OK;
    size_t count = akin_redis_store_count(store);
    akin_redis *server = akin_redis_store_meta_server(store);
    presence *there = akin_mem_zalloc(count, sizeof *there);
    if (!there) return AKIN_FAILED;
    if (!akin_redis_store_is_cluster(store)) {
        status = try_turns(store, 0, count, p, meta, there);
        goto done;
    }
    AKIN_TRY(akin_redis_switch_check(store, p->seen));
    for (size_t b = 0; b < count; b++) AKIN_TRY(try_turns(store, b, b + 1, p, NULL, there));
    AKIN_TRY(akin_redis_queue_texts(server, "MULTI", NULL));
    AKIN_TRY(akin_redis_store_queue_meta(store, meta));
    AKIN_TRY(akin_redis_queue_texts(server, "EXEC", NULL));
    AKIN_TRY(akin_redis_take(server, 4, NULL));
done:
    akin_mem_free(there);
    return status;
}

static plan plan_of(const akin_redis_meta *seen, double keep_seconds, bool back) {
    plan p = {.queue = back ? queue_back : queue_forward, .seen = seen};
    snprintf(p.keep_for, sizeof p.keep_for, "%.0f", keep_seconds * 1000);
    return p;
}

akin_status akin_redis_switch_forward(akin_redis_store *store, const akin_redis_meta *seen,
                                      double keep_seconds, const akin_redis_meta *meta) {
    const plan p = plan_of(seen, keep_seconds, false);
    return switch_over(store, &p, meta);
}

akin_status akin_redis_switch_back(akin_redis_store *store, const akin_redis_meta *seen,
                                   double keep_seconds, const akin_redis_meta *meta) {
    const plan p = plan_of(seen, keep_seconds, true);
    return switch_over(store, &p, meta);
}
