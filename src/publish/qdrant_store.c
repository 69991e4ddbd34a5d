/* qdrant_store: an alias in Qdrant; the address, requests, and the lock. */
#include "qdrant_store.h"
#include "lease.h"
#include "uuid.h"
#include <akin/json.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <akin/web.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PORT = 6333, NAME_SIZE = 65, LOCK_SECONDS = 120 };

struct akin_qdrant_store {
    char alias[NAME_SIZE], lock[NAME_SIZE + 16], point[AKIN_UUID_SIZE];
    char live[AKIN_QDRANT_COLLECTION], before[AKIN_QDRANT_COLLECTION];
    char rolled_back[AKIN_ROLLED_BACK_TABLES][AKIN_HASH_TEXT_SIZE];
    char signature[AKIN_LOCK_OWNER_SIZE];
    akin_web *web;
    akin_text *answer;
    long code; /* HTTP status of the last answer */
    bool locked;
};

/* --- the address --- */

static akin_status understand(const char *text, akin_url *url) {
    static const char *const known[] = {"", NULL};
    akin_status status = AKIN_OK;
    char *none = NULL;
    AKIN_TRY(akin_url_parse(text, url));
    if (url->user || url->password)
        AKIN_TRY(
            akin_error_option("to",
                              "--to %s://: takes no user or password in its address; the key of "
                              "Qdrant is in AKIN_QDRANT_API_KEY",
                              url->scheme));
    AKIN_TRY(akin_url_query(url, known, "", &none));
    const char *name = url->path && *url->path ? url->path + 1 : "";
    if (!akin_lease_is_name(name, NAME_SIZE - 1))
        status =
            akin_error_option("to",
                              "--to %s://%s/%s: give the collection as qdrant://host:port/NAME, "
                              "with letters, digits and . _ -",
                              url->scheme, url->host, name);
done:
    akin_mem_free(none);
    if (status != AKIN_OK) akin_url_free(url);
    return status;
}

akin_status akin_qdrant_store_check(const char *text) {
    akin_url url = {0};
    akin_status status = understand(text, &url);
    akin_url_free(&url);
    return status;
}

static akin_status base_of(const akin_url *url, akin_text *text) {
    const char *scheme = strcmp(url->scheme, "qdrants") == 0 ? "https" : "http";
    return akin_text_append(text, "%s://%s:%d", scheme, url->host, url->port ? url->port : PORT);
}

char *akin_qdrant_store_identity(const char *text) {
    akin_url url = {0};
    akin_text *whole = NULL;
    char *name = NULL;
    akin_status status = akin_text_create(&whole);
    if (status == AKIN_OK) status = understand(text, &url);
    if (status == AKIN_OK) status = base_of(&url, whole);
    if (status == AKIN_OK) status = akin_text_append(whole, "%s", url.path);
    if (status == AKIN_OK) name = akin_mem_text(akin_text_bytes(whole));
    akin_url_free(&url);
    akin_text_free(whole);
    return name;
}

/* --- requests --- */

static akin_status say(const akin_qdrant_store *place, const char *path, long code,
                       const akin_json *answer) {
    const char *error = akin_json_text(akin_json_get(answer, "status"), "error");
    const char *advice = code == 401 || code == 403
                             ? ": it needs a key with write access: AKIN_QDRANT_API_KEY"
                         : code == 404 && place->locked ? ": is someone removing collections there?"
                                                        : "";
    return akin_error_set(AKIN_FAILED, "Qdrant: %s: HTTP %ld%s%s%s", path, code, error ? ", " : "",
                          error ? error : "", advice);
}

akin_status akin_qdrant_store_ask(akin_qdrant_store *place, const char *method, const char *path,
                                  const char *body, akin_json **answer) {
    akin_status status = AKIN_OK;
    akin_json *got = NULL;
    if (answer) *answer = NULL;
    status = akin_web_request(place->web, method, path, body, place->answer, &place->code);
    if (status != AKIN_OK) AKIN_TRY(akin_error_context(status, "Qdrant: "));
    status = akin_json_parse(akin_text_bytes(place->answer), akin_text_length(place->answer), &got);
    if (status == AKIN_INPUT)
        status = akin_error_set(
            AKIN_FAILED, "Qdrant: %s: the answer is not JSON: is this a Qdrant server?", path);
    if (status == AKIN_OK && (place->code < 200 || place->code > 299))
        status = say(place, path, place->code, got);
    if (status != AKIN_OK) goto done;
    if (answer) {
        *answer = got;
        got = NULL;
    }
done:
    akin_json_free(got);
    return status;
}

akin_status akin_qdrant_store_ask_of(akin_qdrant_store *place, const char *method,
                                     const char *collection, const char *rest, const char *body,
                                     akin_json **answer) {
    char path[2 * AKIN_QDRANT_COLLECTION];
    snprintf(path, sizeof path, "/collections/%s%s", collection, rest);
    return akin_qdrant_store_ask(place, method, path, body, answer);
}

/* --- open --- */

akin_status akin_qdrant_store_open(const char *text, const akin_sink_options *options,
                                   akin_qdrant_store **out) {
    akin_status status = AKIN_OK;
    akin_url url = {0};
    akin_text *base = NULL;
    *out = NULL;
    akin_qdrant_store *place = akin_mem_zalloc(1, sizeof *place);
    if (!place) return AKIN_FAILED;
    AKIN_TRY(understand(text, &url));
    snprintf(place->alias, sizeof place->alias, "%s", url.path + 1);
    snprintf(place->lock, sizeof place->lock, "akin-lock-%s", place->alias);
    akin_lock_owner_sign(place->signature);
    akin_uuid5(place->lock, place->point);
    AKIN_TRY(akin_text_create(&base));
    AKIN_TRY(base_of(&url, base));
    AKIN_TRY(akin_text_create(&place->answer));
    AKIN_TRY(akin_web_open(akin_text_bytes(base), getenv("AKIN_QDRANT_API_KEY"), options->timeout,
                           &place->web));
    *out = place;
    place = NULL;
done:
    akin_qdrant_store_close(place);
    akin_text_free(base);
    akin_url_free(&url);
    return status;
}

void akin_qdrant_store_close(akin_qdrant_store *place) {
    if (!place) return;
    akin_qdrant_store_unlock(place);
    akin_web_close(place->web);
    akin_text_free(place->answer);
    akin_mem_free(place);
}

const char *akin_qdrant_store_alias(const akin_qdrant_store *place) {
    return place->alias;
}

/* --- the collections --- */

static void note_rolled_back(akin_qdrant_store *place, const char *name) {
    char head[NAME_SIZE + 24], list[AKIN_ROLLED_BACK_SIZE];
    for (size_t slot = 0; slot < AKIN_ROLLED_BACK_TABLES; slot++) {
        int length = snprintf(head, sizeof head, "%s-rolled-back-%zu-", place->alias, slot);
        if (strncmp(name, head, (size_t)length) == 0 && akin_rolled_back_read(list, name + length))
            snprintf(place->rolled_back[slot], AKIN_HASH_TEXT_SIZE, "%.32s", list);
    }
}

akin_status akin_qdrant_store_read_aliases(akin_qdrant_store *place) {
    akin_json *answer = NULL;
    char previous[NAME_SIZE + 16];
    snprintf(previous, sizeof previous, "%s-previous", place->alias);
    place->live[0] = place->before[0] = '\0';
    memset(place->rolled_back, 0, sizeof place->rolled_back);
    akin_status status = akin_qdrant_store_ask(place, "GET", "/aliases", NULL, &answer);
    const akin_json *list = akin_json_get(akin_json_get(answer, "result"), "aliases");
    for (const akin_json *it = akin_json_first(list); it; it = akin_json_next(it)) {
        const char *name = akin_json_text(it, "alias_name"),
                   *collection = akin_json_text(it, "collection_name");
        if (!name || !collection) continue;
        if (strcmp(name, place->alias) == 0)
            snprintf(place->live, sizeof place->live, "%s", collection);
        note_rolled_back(place, name);
        if (strcmp(name, previous) == 0)
            snprintf(place->before, sizeof place->before, "%s", collection);
    }
    akin_json_free(answer);
    return status;
}

const char *akin_qdrant_store_live(const akin_qdrant_store *place) {
    return place->live;
}

const char *akin_qdrant_store_before(const akin_qdrant_store *place) {
    return place->before;
}

const char *akin_qdrant_store_rolled_back(const akin_qdrant_store *place, size_t slot) {
    return place->rolled_back[slot];
}

/* --- the lock --- */

static akin_status ask_lock(void *context, akin_lease_holder *lock) {
    akin_qdrant_store *place = context;
    char body[128];
    akin_json *answer = NULL;
    *lock = (akin_lease_holder){0};
    snprintf(body, sizeof body,
             "{\"ids\": [\"%s\"], \"with_payload\": true, \"with_vector\": false}", place->point);
    place->code = 0;
    akin_status status =
        akin_qdrant_store_ask_of(place, "POST", place->lock, "/points", body, &answer);
    if (status != AKIN_OK && place->code == 404) {
        akin_error_clear();
        return AKIN_OK;
    }
    if (status != AKIN_OK) return status;
    lock->there = true;
    const akin_json *payload =
        akin_json_get(akin_json_first(akin_json_get(answer, "result")), "payload");
    const char *holder = akin_json_text(payload, "holder");
    if (holder) snprintf(lock->signature, sizeof lock->signature, "%s", holder);
    lock->left = akin_json_number(payload, "until", 0) - (double)time(NULL);
    akin_json_free(answer);
    return AKIN_OK;
}

/* *made: the collection did not exist. Qdrant answers 409 if it did, older versions 400. */
static akin_status make_lock(void *context, bool *made) {
    akin_qdrant_store *place = context;
    place->code = 0;
    akin_status status =
        akin_qdrant_store_ask_of(place, "PUT", place->lock, "",
                                 "{\"vectors\": {\"size\": 1, \"distance\": \"Cosine\"}}", NULL);
    *made = status == AKIN_OK;
    if (status == AKIN_OK || (place->code != 409 && place->code != 400)) return status;
    akin_error_clear();
    return AKIN_OK;
}

static akin_status sign_lock(akin_qdrant_store *place) {
    akin_status status = AKIN_OK;
    akin_text *body = NULL;
    AKIN_TRY(akin_text_create(&body));
    AKIN_TRY(akin_text_append(
        body, "{\"points\": [{\"id\": \"%s\", \"vector\": [1], \"payload\": {\"holder\": ",
        place->point));
    AKIN_TRY(akin_text_append_json(body, place->signature));
    AKIN_TRY(akin_text_append(body, ", \"until\": %lld}}]}", (long long)time(NULL) + LOCK_SECONDS));
    status = akin_qdrant_store_ask_of(place, "PUT", place->lock, "/points?wait=true",
                                      akin_text_bytes(body), NULL);
done:
    akin_text_free(body);
    return status;
}

static akin_status take_away(void *context, const akin_lease_holder *holder, bool *taken) {
    akin_qdrant_store *place = context;
    (void)holder, (void)taken;
    return akin_qdrant_store_ask_of(place, "DELETE", place->lock, "", NULL, NULL);
}

/* Two publishers that both remove an expired lock may each remove the other's: the loser notices
 * before it switches. */
akin_status akin_qdrant_store_lock(akin_qdrant_store *place) {
    akin_status status = akin_lease_take(&(akin_lease){.kind = "Qdrant",
                                                       .place = place->alias,
                                                       .context = place,
                                                       .make = make_lock,
                                                       .ask = ask_lock,
                                                       .take_over = take_away});
    if (status != AKIN_OK) return status;
    place->locked = true;
    status = sign_lock(place);
    return status == AKIN_OK ? akin_qdrant_store_keep(place) : status;
}

akin_status akin_qdrant_store_holder(akin_qdrant_store *place, akin_lease_holder *holder) {
    return ask_lock(place, holder);
}

static akin_status is_mine(akin_qdrant_store *place, bool *mine) {
    akin_lease_holder lock;
    akin_status status = ask_lock(place, &lock);
    *mine = status == AKIN_OK && strcmp(lock.signature, place->signature) == 0;
    return status;
}

akin_status akin_qdrant_store_keep(akin_qdrant_store *place) {
    bool mine = false;
    if (!place->locked) return AKIN_OK;
    akin_status status = is_mine(place, &mine);
    if (status != AKIN_OK) return status;
    if (mine) return sign_lock(place);
    return akin_lease_lost("Qdrant", place->alias, LOCK_SECONDS);
}

void akin_qdrant_store_unlock(akin_qdrant_store *place) {
    bool mine = false;
    if (!place->locked) return;
    akin_error_kept first;
    akin_error_keep(&first);
    if (is_mine(place, &mine) == AKIN_OK && mine)
        (void)!akin_qdrant_store_ask_of(place, "DELETE", place->lock, "", NULL, NULL);
    place->locked = false;
    akin_error_restore(&first);
}
