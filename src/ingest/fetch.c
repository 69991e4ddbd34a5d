/* fetch: see include/akin/fetch.h. */
#include "fetch_queue.h"
#include "fetch_round.h"
#include "picture_cache.h"
#include "web_download.h"
#include <akin/catalog.h>
#include <akin/fetch.h>
#include <akin/image.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REDIRECTS_MOST = 10 };
static const double MEET_EVERY = 1.0, WAIT = 0.05; /* seconds */

typedef struct {
    akin_comm *comm;
    const akin_fetch_params *params;
    akin_fetch_result *result; /* of this rank, until they are summed */
    akin_picture_cache *cache;
    const char **addresses; /* [count] distinct, ascending; borrowed from the source */
    size_t count;
    int64_t session;
    size_t wanted, ended; /* of all ranks, of this one */
    /* The current round. */
    size_t hop;
    akin_fetch_round round;
    akin_fetch_queue *queue;
    akin_web_pool *pool;
    akin_fetch_list moved;
    char silence[AKIN_CACHE_TEXT_SIZE]; /* why the last attempt got no answer */
} fetch;

/* --- selecting addresses --- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static akin_status list_addresses(fetch *f, const akin_source *source) {
    size_t valid = akin_source_valid(source), all = 0;
    const size_t *order = akin_source_order(source);
    f->addresses = akin_mem_alloc(valid, sizeof *f->addresses);
    if (!f->addresses) return AKIN_FAILED;
    for (size_t i = 0; i < valid; i++)
        if (akin_source_is_address(source, order[i]) && akin_source_needs_picture(source, order[i]))
            f->addresses[all++] = akin_source_get(source, order[i]).path;
    if (all > 0) qsort(f->addresses, all, sizeof *f->addresses, by_text);
    for (size_t i = 0; i < all; i++)
        if (i == 0 || strcmp(f->addresses[i], f->addresses[f->count - 1]) != 0)
            f->addresses[f->count++] = f->addresses[i];
    return AKIN_OK;
}

static bool is_s3(const char *address) {
    return strncmp(address, "s3://", 5) == 0;
}

static akin_status check_s3(const fetch *f) {
    for (size_t i = 0; i < f->count && !f->params->s3_endpoint; i++)
        if (is_s3(f->addresses[i]))
            return akin_error_set(AKIN_USAGE,
                                  "%s: --s3-endpoint is missing: the https:// address of the "
                                  "service that has the bucket",
                                  f->addresses[i]);
    return AKIN_OK;
}

/* Whether it was already downloaded in this session. */
static akin_status is_settled(const fetch *f, size_t i, bool *settled) {
    akin_cached found;
    akin_status status = akin_picture_cache_find(f->cache, f->addresses[i], &found);
    *settled = found.has_picture && !*found.failure && found.session == f->session;
    return status;
}

/* Each rank looks up its part; all ranks get the bits. Collective. */
static akin_status mark_wanted(fetch *f, int64_t *bits, size_t words) {
    akin_status status = AKIN_OK;
    size_t step = (size_t)akin_comm_size(f->comm);
    for (size_t i = (size_t)akin_comm_rank(f->comm); i < f->count && status == AKIN_OK; i += step) {
        bool settled;
        status = is_settled(f, i, &settled);
        if (!settled) bits[i / 64] |= (int64_t)((uint64_t)1 << i % 64);
        if (i % 64 == 0) akin_comm_poll(f->comm);
    }
    status = akin_agree(f->comm, status);
    if (status == AKIN_OK) akin_comm_sum_i64(f->comm, bits, words); /* one rank sets each bit */
    return status;
}

/* A bucket's key: as in s3://, and as the endpoint expects it. */
static akin_status add_first(fetch *f, size_t i, akin_fetch_list *list) {
    const char *address = f->addresses[i], *endpoint = f->params->s3_endpoint;
    if (!is_s3(address)) return akin_fetch_list_add(list, i, "", address);
    size_t length = strlen(endpoint);
    while (length > 0 && endpoint[length - 1] == '/') length--;
    char *head = akin_mem_alloc(length + 2, 1);
    if (!head) return AKIN_FAILED;
    snprintf(head, length + 2, "%.*s/", (int)length, endpoint);
    akin_status status = akin_fetch_list_add(list, i, head, address + strlen("s3://"));
    akin_mem_free(head);
    return status;
}

/* Collective. */
static akin_status first_round(fetch *f) {
    akin_status status = AKIN_OK, local = AKIN_OK;
    akin_fetch_list list = {0};
    size_t words = f->count / 64 + 1;
    int64_t *bits = akin_mem_zalloc(words, sizeof *bits);
    AKIN_TRY(akin_agree(f->comm, bits ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(mark_wanted(f, bits, words));
    for (size_t i = 0; i < f->count && local == AKIN_OK; i++) {
        if (!((uint64_t)bits[i / 64] >> i % 64 & 1)) continue;
        local = add_first(f, i, &list);
        f->wanted++;
    }
    AKIN_TRY(akin_agree(f->comm, local));
    AKIN_TRY(akin_fetch_round_make(f->comm, &list, true, &f->round));
done:
    akin_fetch_list_free(&list);
    akin_mem_free(bits);
    return status;
}

/* --- handling results --- */

static const char *address_of(const fetch *f, size_t job) {
    return f->addresses[f->round.of[job]];
}

/* The record stores the reason. A copy from an earlier run stays if the failure may be
 * temporary. */
static akin_status fail(fetch *f, size_t job, bool may_pass, const char *reason) {
    akin_cached known;
    akin_status status = akin_picture_cache_find(f->cache, address_of(f, job), &known);
    if (status != AKIN_OK) return status;
    f->ended++;
    if (known.has_picture && may_pass) {
        f->result->kept++;
    } else {
        known = (akin_cached){0};
        f->result->failed++;
    }
    snprintf(known.failure, sizeof known.failure, "%s", reason);
    return akin_picture_cache_note(f->cache, address_of(f, job), &known);
}

static akin_status keep(fetch *f, size_t job, const akin_web_result *found) {
    uint8_t image[AKIN_IMAGE_BYTES];
    const akin_image_params params = {AKIN_IMAGE_SIDE, AKIN_IMAGE_SIDE, AKIN_FIT_STRETCH,
                                      f->params->max_pixels};
    akin_cached about = {.session = f->session};
    akin_status status = akin_image_decode(found->bytes, found->count, &params, image);
    if (status == AKIN_INPUT) return fail(f, job, false, akin_error_message());
    if (status != AKIN_OK) return status;
    snprintf(about.etag, sizeof about.etag, "%s", found->etag);
    snprintf(about.last_modified, sizeof about.last_modified, "%s", found->last_modified);
    f->ended++;
    f->result->fetched++;
    f->result->bytes += found->count;
    return akin_picture_cache_keep(f->cache, address_of(f, job), found->bytes, found->count,
                                   &about);
}

static akin_status note_unchanged(fetch *f, size_t job) {
    akin_cached known;
    akin_status status = akin_picture_cache_find(f->cache, address_of(f, job), &known);
    if (status != AKIN_OK) return status;
    known.session = f->session;
    known.failure[0] = '\0';
    f->ended++;
    f->result->unchanged++;
    return akin_picture_cache_note(f->cache, address_of(f, job), &known);
}

static akin_status follow(fetch *f, size_t job, const char *location) {
    if (f->hop < REDIRECTS_MOST)
        return akin_fetch_list_add(&f->moved, f->round.of[job], "", location);
    char reason[64];
    snprintf(reason, sizeof reason, "redirected more than %d times", REDIRECTS_MOST);
    return fail(f, job, false, reason);
}

static akin_status try_again(fetch *f, const akin_web_result *found) {
    bool answered = !found->unanswered;
    if (!answered) snprintf(f->silence, sizeof f->silence, "%s", found->reason);
    if (akin_fetch_queue_again(f->queue, found->job, akin_comm_seconds(), found->wait, answered))
        return AKIN_OK;
    return fail(f, found->job, true, found->reason);
}

static akin_status finished(void *context, const akin_web_result *found) {
    fetch *f = context;
    if (found->outcome == AKIN_WEB_AGAIN) return try_again(f, found);
    akin_fetch_queue_done(f->queue, found->job, true);
    switch (found->outcome) {
    case AKIN_WEB_DONE: return keep(f, found->job, found);
    case AKIN_WEB_UNCHANGED: return note_unchanged(f, found->job);
    case AKIN_WEB_MOVED: return follow(f, found->job, found->location);
    default: return fail(f, found->job, false, found->reason);
    }
}

/* --- a round --- */

static akin_status begin_job(fetch *f, size_t job, bool given_up) {
    akin_cached known;
    char reason[AKIN_CACHE_TEXT_SIZE + 64];
    if (given_up) {
        snprintf(reason, sizeof reason, "its host does not answer: %s", f->silence);
        return fail(f, job, true, reason);
    }
    akin_status status = akin_picture_cache_find(f->cache, address_of(f, job), &known);
    if (status != AKIN_OK) return status;
    return akin_web_pool_start(f->pool, job, f->round.url[job], known.etag, known.last_modified);
}

/* Starts transfers that may start, and lets transfers proceed for about a second. */
static akin_status move(fetch *f) {
    akin_status status = AKIN_OK;
    double end = akin_comm_seconds() + MEET_EVERY, now;
    while (status == AKIN_OK && akin_fetch_queue_left(f->queue) > 0 &&
           (now = akin_comm_seconds()) < end && !akin_comm_signalled()) {
        size_t job;
        bool given_up;
        while (status == AKIN_OK && akin_fetch_queue_next(f->queue, now, &job, &given_up))
            status = begin_job(f, job, given_up);
        if (status == AKIN_OK) status = akin_web_pool_work(f->pool, WAIT, finished, f);
        akin_comm_poll(f->comm);
    }
    return status;
}

/* Collective; agreed. *left: remaining jobs of all ranks. */
static akin_status meet(fetch *f, akin_status local, int64_t *left) {
    if (local == AKIN_OK && akin_comm_signalled())
        local =
            akin_error_set(AKIN_INTERRUPTED,
                           "interrupted: completed downloads are kept; submit again to continue");
    akin_status status = akin_agree(f->comm, local);
    if (status != AKIN_OK) return status;
    int64_t counts[2] = {(int64_t)akin_fetch_queue_left(f->queue), (int64_t)f->ended};
    akin_comm_sum_i64(f->comm, counts, 2);
    *left = counts[0];
    akin_log_progress("fetch", "addresses", (double)counts[1], (double)f->wanted);
    return AKIN_OK;
}

static akin_status open_round(fetch *f) {
    const akin_fetch_bounds bounds = {f->params->connections, f->params->rate, f->params->retries};
    akin_status status =
        akin_fetch_queue_create(f->round.host, f->round.count, akin_comm_rank(f->comm),
                                akin_comm_size(f->comm), &bounds, &f->queue);
    if (status != AKIN_OK) return status;
    const akin_web_limits limits = {.places = akin_fetch_queue_places(f->queue),
                                    .max_bytes = f->params->max_bytes,
                                    .timeout = f->params->timeout,
                                    .allow_private = f->params->allow_private};
    return akin_web_pool_create(&limits, &f->pool);
}

static void close_round(fetch *f) {
    akin_web_pool_free(f->pool);
    akin_fetch_queue_free(f->queue);
    akin_fetch_round_free(&f->round);
    f->pool = NULL;
    f->queue = NULL;
}

/* Collective; agreed. */
static akin_status run_round(fetch *f) {
    int64_t left = 1;
    akin_status status = akin_agree(f->comm, open_round(f));
    while (status == AKIN_OK && left > 0) status = meet(f, move(f), &left);
    close_round(f);
    return status;
}

/* Collective; agreed. */
static akin_status run_rounds(fetch *f) {
    akin_status status = AKIN_OK;
    AKIN_TRY(first_round(f));
    while (f->round.count > 0) {
        AKIN_TRY(run_round(f));
        f->hop++;
        AKIN_TRY(akin_fetch_round_make(f->comm, &f->moved, false, &f->round));
    }
done:
    akin_log_progress_end();
    return status;
}

/* --- the whole run --- */

/* Collective. */
static akin_status begin(fetch *f) {
    akin_status status = AKIN_OK;
    if (akin_comm_rank(f->comm) == 0) {
        status = akin_picture_cache_open(f->params->cache, true, &f->cache);
        if (status == AKIN_OK)
            status = akin_picture_cache_begin(f->cache, f->params->fresh, &f->session);
    }
    AKIN_TRY(akin_agree(f->comm, status));
    akin_comm_broadcast(f->comm, &f->session, sizeof f->session, 0);
    if (akin_comm_rank(f->comm) != 0)
        status = akin_picture_cache_open(f->params->cache, false, &f->cache);
    AKIN_TRY(akin_agree(f->comm, status));
done:
    return status;
}

/* Collective. */
static akin_status end(fetch *f, double begun) {
    akin_status status = AKIN_OK;
    akin_fetch_result *r = f->result;
    int64_t counts[5] = {(int64_t)r->fetched, (int64_t)r->unchanged, (int64_t)r->kept,
                         (int64_t)r->failed, (int64_t)r->bytes};
    akin_comm_sum_i64(f->comm, counts, 5);
    r->fetched = (size_t)counts[0], r->unchanged = (size_t)counts[1];
    r->kept = (size_t)counts[2], r->failed = (size_t)counts[3], r->bytes = (uint64_t)counts[4];
    r->settled = f->count - f->wanted;
    r->seconds = akin_comm_seconds() - begun;
    akin_comm_max_f64(f->comm, &r->seconds, 1);
    if (akin_comm_rank(f->comm) == 0 && r->failed + r->kept == 0)
        status = akin_picture_cache_complete(f->cache, f->session);
    AKIN_TRY(akin_agree(f->comm, status));
    akin_log_info(
        "fetch: %zu address%s: %zu downloaded, %zu unchanged, %zu already present, %zu failed",
        f->count, f->count == 1 ? "" : "es", r->fetched, r->unchanged, r->settled, r->failed);
    if (r->kept > 0)
        akin_log_warning("fetch: %zu picture%s could not be requested; copies from an earlier run "
                         "are used instead",
                         r->kept, AKIN_PLURAL(r->kept));
done:
    return status;
}

akin_status akin_fetch(akin_comm *comm, akin_source *source, const akin_fetch_params *params,
                       akin_fetch_result *result) {
    akin_status status = AKIN_OK;
    double begun = akin_comm_seconds();
    fetch f = {.comm = comm, .params = params, .result = result};
    *result = (akin_fetch_result){0};
    AKIN_TRY(akin_agree(comm, list_addresses(&f, source)));
    result->addresses = f.count;
    if (f.count == 0) goto done;
    if (params->offline) {
        status = akin_source_look_again(comm, source, params->cache);
        goto done;
    }
    AKIN_TRY(check_s3(&f)); /* the same on all ranks */
    AKIN_TRY(begin(&f));
    AKIN_TRY(run_rounds(&f));
    AKIN_TRY(end(&f, begun));
    AKIN_TRY(akin_source_look_again(comm, source, params->cache));
done:
    close_round(&f);
    akin_fetch_list_free(&f.moved);
    akin_picture_cache_close(f.cache);
    akin_mem_free(f.addresses);
    return status;
}

bool akin_fetch_is_recent(const char *cache, double fresh) {
    akin_picture_cache *opened = NULL;
    bool recent = false;
    if (akin_picture_cache_open(cache, false, &opened) == AKIN_OK)
        recent = akin_picture_cache_is_recent(opened, fresh);
    akin_picture_cache_close(opened);
    akin_error_clear();
    return recent;
}
