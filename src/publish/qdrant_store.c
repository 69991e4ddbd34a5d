/* qdrant_store: an alias at a Qdrant; the address, requests, and the lock. */
#include "qdrant_store.h"
#include "lock_owner.h"
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

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

enum { PORT = 6333, NAME_SIZE = 65, LOCK_SECONDS = 120, UNSIGNED_TURNS = 20, TURNS = 40 };

struct akin_qdrant_store {
    char alias[NAME_SIZE], lock[NAME_SIZE + 16], point[AKIN_UUID_SIZE];
    char live[AKIN_QDRANT_COLLECTION], before[AKIN_QDRANT_COLLECTION];
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
    AKIN_TRY(akin_url_query(url, known, "", &none));
    const char *name = url->path && *url->path ? url->path + 1 : "";
    if (!*name || strlen(name) >= NAME_SIZE || strspn(name, NAME_LETTERS) != strlen(name))
        status = akin_error_set(
            AKIN_USAGE,
            "--to %s://%s/%s: name the collection, qdrant://host:port/NAME, in letters, digits and "
            ". _ -",
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
                             ? ": it wants a key that may write: AKIN_QDRANT_API_KEY"
                         : code == 404 && place->locked ? ": does someone remove collections there?"
                                                        : "";
    return akin_error_set(AKIN_FAILED, "Qdrant: %s: HTTP %ld%s%s%s", path, code, error ? ", " : "",
                          error ? error : "", advice);
}

akin_status akin_qdrant_store_ask(akin_qdrant_store *place, const char *method, const char *path,
                                  const char *body, akin_json **answer) {
    akin_status status = AKIN_OK;
    akin_json *got = NULL;
    if (answer) *answer = NULL;
    AKIN_TRY(akin_web_request(place->web, method, path, body, place->answer, &place->code));
    status = akin_json_parse(akin_text_bytes(place->answer), akin_text_length(place->answer), &got);
    if (status == AKIN_INPUT)
        status =
            akin_error_set(AKIN_FAILED, "Qdrant: %s: its answer is not JSON: is it Qdrant?", path);
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

/* --- what is there --- */

akin_status akin_qdrant_store_read_aliases(akin_qdrant_store *place) {
    akin_json *answer = NULL;
    char previous[NAME_SIZE + 16];
    snprintf(previous, sizeof previous, "%s-previous", place->alias);
    place->live[0] = place->before[0] = '\0';
    akin_status status = akin_qdrant_store_ask(place, "GET", "/aliases", NULL, &answer);
    const akin_json *list = akin_json_get(akin_json_get(answer, "result"), "aliases");
    for (const akin_json *it = akin_json_first(list); it; it = akin_json_next(it)) {
        const char *name = akin_json_text(it, "alias_name"),
                   *collection = akin_json_text(it, "collection_name");
        if (!name || !collection) continue;
        if (strcmp(name, place->alias) == 0)
            snprintf(place->live, sizeof place->live, "%s", collection);
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

/* --- the lock --- */

/* Who has it: "" where it is not signed yet; until: seconds since 1970, 0 = not told. */
typedef struct {
    bool there;
    char holder[AKIN_LOCK_OWNER_SIZE];
    double until;
} lock_state;

static akin_status read_lock(akin_qdrant_store *place, lock_state *lock) {
    char body[128];
    akin_json *answer = NULL;
    *lock = (lock_state){0};
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
    if (holder) snprintf(lock->holder, sizeof lock->holder, "%s", holder);
    lock->until = akin_json_number(payload, "until", 0);
    akin_json_free(answer);
    return AKIN_OK;
}

/* *made: the collection was not there. Qdrant says 409 where it was, older ones 400. */
static akin_status make_lock(akin_qdrant_store *place, bool *made) {
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

static akin_status refuse_locked(const akin_qdrant_store *place, const lock_state *lock) {
    return akin_error_set(AKIN_FAILED,
                          "Qdrant: another publishes to %s just now (%.*s); try again when it is "
                          "done, or in %d s if it "
                          "has ended",
                          place->alias, *lock->holder ? akin_lock_owner_shown(lock->holder) : 18,
                          *lock->holder ? lock->holder : "it does not say who", LOCK_SECONDS);
}

static void wait_a_little(void) {
    const struct timespec quarter = {0, 250000000};
    nanosleep(&quarter, NULL);
}

/* One that is there: taken away if it is over, or else refused; one without a signature gets some
 * turns to be signed.
 */
static akin_status look_at_lock(akin_qdrant_store *place, int *unsigned_turns) {
    lock_state lock;
    akin_status status = read_lock(place, &lock);
    if (status != AKIN_OK || !lock.there) return status;
    if (!*lock.holder && ++*unsigned_turns < UNSIGNED_TURNS) {
        wait_a_little();
        return AKIN_OK;
    }
    if (*lock.holder && lock.until > (double)time(NULL) && !akin_lock_owner_has_ended(lock.holder))
        return refuse_locked(place, &lock);
    return akin_qdrant_store_ask_of(place, "DELETE", place->lock, "", NULL, NULL);
}

/* Two that take away one that is over may each take away the other's: who lost finds that before it
 * switches. */
akin_status akin_qdrant_store_lock(akin_qdrant_store *place) {
    akin_status status = AKIN_OK;
    bool made = false;
    int unsigned_turns = 0;
    for (int turn = 0; turn < TURNS && !made; turn++) {
        AKIN_TRY(make_lock(place, &made));
        if (!made) AKIN_TRY(look_at_lock(place, &unsigned_turns));
    }
    if (!made)
        return akin_error_set(
            AKIN_FAILED,
            "Qdrant: the collection %s, which is the lock of %s, cannot be made: is there "
            "an alias of that name?",
            place->lock, place->alias);
    place->locked = true;
    AKIN_TRY(sign_lock(place));
    status = akin_qdrant_store_keep(place);
done:
    return status;
}

static akin_status is_mine(akin_qdrant_store *place, bool *mine) {
    lock_state lock;
    akin_status status = read_lock(place, &lock);
    *mine = status == AKIN_OK && strcmp(lock.holder, place->signature) == 0;
    return status;
}

akin_status akin_qdrant_store_keep(akin_qdrant_store *place) {
    bool mine = false;
    if (!place->locked) return AKIN_OK;
    akin_status status = is_mine(place, &mine);
    if (status != AKIN_OK) return status;
    if (mine) return sign_lock(place);
    return akin_error_set(AKIN_FAILED,
                          "Qdrant: the lock of %s was lost: this process stood still for longer "
                          "than %d s, or someone "
                          "removed %s; nothing was published: run it again",
                          place->alias, LOCK_SECONDS, place->lock);
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
