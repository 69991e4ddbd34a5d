/* sink_qdrant: embeddings published to Qdrant, a vector database, through its REST API. Each
 * generation is a separate collection, <name>-<digest>-<microseconds>; the alias <name> is what
 * a storefront queries, <name>-previous the previous one. Both are switched in one call. A
 * point's id is the uuid5 of the item's (uuid.h). Only one publisher at a time: qdrant_store.h
 * has the lock. */
#include "listing.h"
#include "qdrant_store.h"
#include "qdrant_switch.h"
#include "uuid.h"
#include <akin/json.h>
#include <akin/mem.h>
#include <akin/sink.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 256, DIGEST = AKIN_HASH_TEXT_SIZE - 1 };

struct akin_target {
    akin_qdrant_store *place;
    char next[AKIN_QDRANT_COLLECTION]; /* the new generation */
    akin_text *body;
    float *rows; /* [BATCH, dim] */
    bool staged, committed;
};

static const char *alias_of(const akin_target *target) {
    return akin_qdrant_store_alias(target->place);
}

/* The collection that the alias names, and the one of -previous; "" = none. */
static const char *live_of(const akin_target *target) {
    return akin_qdrant_store_live(target->place);
}

static const char *before_of(const akin_target *target) {
    return akin_qdrant_store_before(target->place);
}

static akin_status ask_of(akin_target *target, const char *method, const char *collection,
                          const char *rest, const char *body, akin_json **answer) {
    return akin_qdrant_store_ask_of(target->place, method, collection, rest, body, answer);
}

static akin_status count_points(akin_target *target, const char *collection, size_t *count) {
    akin_json *answer = NULL;
    akin_status status =
        ask_of(target, "POST", collection, "/points/count", "{\"exact\": true}", &answer);
    if (status == AKIN_OK)
        *count = (size_t)akin_json_number(akin_json_get(answer, "result"), "count", 0);
    akin_json_free(answer);
    return status;
}

/* --- open, look --- */

static void close_target(akin_target *target) {
    if (!target) return;
    if (target->staged && !target->committed) {
        akin_error_kept first;
        akin_error_keep(&first);
        (void)!ask_of(target, "DELETE", target->next, "", NULL, NULL);
        akin_error_restore(&first);
    }
    akin_qdrant_store_close(target->place);
    akin_text_free(target->body);
    akin_mem_free(target->rows);
    akin_mem_free(target);
}

static akin_status open_target(const char *url, const akin_sink_options *options,
                               akin_target **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_target *target = akin_mem_zalloc(1, sizeof *target);
    if (!target) return AKIN_FAILED;
    AKIN_TRY(akin_text_create(&target->body));
    AKIN_TRY(akin_qdrant_store_open(url, options, &target->place));
    *out = target;
    target = NULL;
done:
    close_target(target);
    return status;
}

/* The digest of "<alias>-<digest>-<time>"; "" if it is not one of our collections. */
static void digest_of(const akin_target *target, const char *collection,
                      char digest[AKIN_HASH_TEXT_SIZE]) {
    size_t head = strlen(alias_of(target));
    digest[0] = '\0';
    if (strncmp(collection, alias_of(target), head) != 0 || collection[head] != '-') return;
    const char *rest = collection + head + 1;
    if (strspn(rest, "0123456789abcdef") != DIGEST || rest[DIGEST] != '-') return;
    if (strspn(rest + DIGEST + 1, "0123456789") != strlen(rest + DIGEST + 1)) return;
    memcpy(digest, rest, DIGEST);
    digest[DIGEST] = '\0';
}

/* Calls `use` for every collection that exists. */
static akin_status for_collections(akin_target *target,
                                   void (*use)(akin_target *target, const char *name, bool *flag),
                                   bool *flag) {
    akin_json *answer = NULL;
    akin_status status = akin_qdrant_store_ask(target->place, "GET", "/collections", NULL, &answer);
    const akin_json *list = akin_json_get(akin_json_get(answer, "result"), "collections");
    for (const akin_json *it = akin_json_first(list); it; it = akin_json_next(it)) {
        const char *name = akin_json_text(it, "name");
        if (name) use(target, name, flag);
    }
    akin_json_free(answer);
    return status;
}

static void is_alias(akin_target *target, const char *name, bool *flag) {
    if (strcmp(name, alias_of(target)) == 0) *flag = true;
}

/* Compares the microseconds at their ends: the same number of digits until 2286. */
static bool is_younger(const char *collection, const char *than) {
    const char *a = strrchr(collection, '-'), *b = strrchr(than, '-');
    return a && b && strcmp(a, b) > 0;
}

/* With the table that the last rollback removed. */
static void list_rolled_back(const akin_target *target, char list[AKIN_ROLLED_BACK_SIZE]) {
    char digest[AKIN_HASH_TEXT_SIZE];
    list[0] = '\0';
    for (size_t slot = 0; slot < AKIN_ROLLED_BACK_TABLES; slot++)
        akin_rolled_back_add(list, akin_qdrant_store_rolled_back(target->place, slot));
    digest_of(target, before_of(target), digest);
    if (is_younger(before_of(target), live_of(target))) akin_rolled_back_add(list, digest);
}

static akin_status look(akin_target *target, akin_live *live) {
    akin_status status = AKIN_OK;
    bool taken = false;
    *live = (akin_live){0};
    AKIN_TRY(akin_qdrant_store_read_aliases(target->place));
    if (*live_of(target)) {
        live->there = true;
        digest_of(target, live_of(target), live->digest);
        list_rolled_back(target, live->rolled_back);
        status = count_points(target, live_of(target), &live->items);
        goto done;
    }
    AKIN_TRY(for_collections(target, is_alias, &taken));
    if (taken)
        status = akin_error_set(AKIN_INPUT,
                                "Qdrant: %s is itself a collection, where akin needs an alias: "
                                "choose another name, or move it away",
                                alias_of(target));
done:
    return status;
}

/* Reads what the name "<alias>-<digest>-<microseconds>" and the points say. */
static akin_status describe_edition(akin_target *target, const char *collection,
                                    akin_edition *out) {
    *out = (akin_edition){.there = *collection != '\0'};
    if (!out->there) return AKIN_OK;
    snprintf(out->generation, sizeof out->generation, "%s", collection);
    digest_of(target, collection, out->digest);
    if (*out->digest)
        akin_lease_stamp((time_t)(atoll(strrchr(collection, '-') + 1) / 1000000), out->time);
    return count_points(target, collection, &out->items);
}

static akin_status describe(akin_target *target, akin_standing *standing) {
    akin_status status = AKIN_OK;
    akin_lease_holder holder;
    *standing = (akin_standing){0};
    AKIN_TRY(akin_qdrant_store_read_aliases(target->place));
    AKIN_TRY(describe_edition(target, live_of(target), &standing->live));
    AKIN_TRY(describe_edition(target, before_of(target), &standing->kept));
    AKIN_TRY(akin_qdrant_store_holder(target->place, &holder));
    akin_lease_busy(&holder, standing->busy, sizeof standing->busy);
done:
    return status;
}

static akin_status prepare(akin_target *target, const akin_sink_source *source,
                           akin_published *published) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(published->digest, sizeof published->digest, "%s", source->digest);
    snprintf(target->next, sizeof target->next, "%s-%s-%lld%06ld", alias_of(target), source->digest,
             (long long)now.tv_sec, now.tv_nsec / 1000);
    target->rows =
        akin_mem_alloc(BATCH * akin_embeddings_dim(source->embeddings), sizeof *target->rows);
    return target->rows ? AKIN_OK : AKIN_FAILED;
}

/* --- points --- */

static akin_status append_id(akin_text *body, const char *id) {
    char uuid[AKIN_UUID_SIZE];
    akin_uuid5(id, uuid);
    return akin_text_append(body, "\"%s\"", uuid);
}

/* Points of these rows: with_payload and with_vector as JSON. */
static akin_status retrieve(akin_target *target, const char *collection,
                            const akin_sink_source *source, const size_t *rows, size_t count,
                            const char *more, akin_json **answer) {
    akin_status status = AKIN_OK;
    akin_text_clear(target->body);
    AKIN_TRY(akin_text_append(target->body, "{\"ids\": ["));
    for (size_t i = 0; i < count; i++) {
        if (i > 0) AKIN_TRY(akin_text_append(target->body, ", "));
        AKIN_TRY(append_id(target->body, akin_ids_text(source->ids, rows[i])));
    }
    AKIN_TRY(akin_text_append(target->body, "], %s}", more));
    status = ask_of(target, "POST", collection, "/points", akin_text_bytes(target->body), answer);
done:
    return status;
}

/* Which of the new items already exist; vectors are not compared. */
static akin_status compare(akin_target *target, const akin_sink_source *source,
                           akin_publish_diff *change) {
    akin_status status = AKIN_OK;
    akin_json *answer = NULL;
    size_t rows[BATCH], n = source->items, items = 0;
    for (size_t first = 0; first < n; first += BATCH) {
        size_t count = n - first < BATCH ? n - first : BATCH;
        for (size_t i = 0; i < count; i++) rows[i] = first + i;
        AKIN_TRY(source->pulse(source->context, "comparing", first, n));
        AKIN_TRY(retrieve(target, live_of(target), source, rows, count,
                          "\"with_payload\": [\"id\"], \"with_vector\": false", &answer));
        for (const akin_json *it = akin_json_first(akin_json_get(answer, "result")); it;
             it = akin_json_next(it)) {
            const char *id = akin_json_text(akin_json_get(it, "payload"), "id");
            if (id && akin_ids_find(source->ids, id) >= 0)
                AKIN_TRY(akin_publish_diff_see(change, id, 0, NULL, NULL));
        }
        akin_json_free(answer);
        answer = NULL;
    }
    AKIN_TRY(count_points(target, live_of(target), &items));
    akin_publish_diff_count(change, items);
done:
    akin_json_free(answer);
    return status;
}

static akin_status append_name(akin_text *body, const char *key, int32_t index, const char *name) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_text_append(body, ", \"%s\": ", key));
    status = index < 0 ? akin_text_append(body, "null") : akin_text_append_json(body, name);
done:
    return status;
}

static akin_status append_point(akin_target *target, const akin_sink_source *source, size_t item,
                                const float *row) {
    akin_status status = AKIN_OK;
    akin_text *body = target->body;
    akin_labels *labels = source->labels;
    int32_t category = akin_labels_category(labels)[item], group = akin_labels_group(labels)[item];
    AKIN_TRY(akin_text_append(body, "{\"id\": "));
    AKIN_TRY(append_id(body, akin_ids_text(source->ids, item)));
    AKIN_TRY(akin_text_append(body, ", \"vector\": ["));
    for (size_t d = 0; d < akin_embeddings_dim(source->embeddings); d++) {
        if (d > 0) AKIN_TRY(akin_text_append_bytes(body, ",", 1));
        AKIN_TRY(akin_listing_score(body, row[d]));
    }
    AKIN_TRY(akin_text_append(body, "], \"payload\": {\"id\": "));
    AKIN_TRY(akin_text_append_json(body, akin_ids_text(source->ids, item)));
    AKIN_TRY(append_name(body, "category", category, akin_labels_category_name(labels, category)));
    AKIN_TRY(append_name(body, "group", group, akin_labels_group_name(labels, group)));
    status = akin_text_append(body, ", \"available\": %s}}",
                              akin_labels_available(labels)[item] ? "true" : "false");
done:
    return status;
}

static akin_status send_points(akin_target *target, const akin_sink_source *source,
                               akin_published *published) {
    akin_status status = AKIN_OK;
    size_t n = source->items, dim = akin_embeddings_dim(source->embeddings);
    for (size_t first = 0; first < n; first += BATCH) {
        size_t count = n - first < BATCH ? n - first : BATCH;
        AKIN_TRY(source->pulse(source->context, "publishing", first, n));
        AKIN_TRY(akin_embeddings_rows(source->embeddings, first, count, target->rows));
        akin_text_clear(target->body);
        AKIN_TRY(akin_text_append(target->body, "{\"points\": ["));
        for (size_t i = 0; i < count; i++) {
            if (i > 0) AKIN_TRY(akin_text_append(target->body, ", "));
            AKIN_TRY(append_point(target, source, first + i, target->rows + i * dim));
        }
        AKIN_TRY(akin_text_append(target->body, "]}"));
        AKIN_TRY(ask_of(target, "PUT", target->next, "/points?wait=true",
                        akin_text_bytes(target->body), NULL));
        published->bytes += akin_text_length(target->body);
        published->sent += count;
    }
done:
    return status;
}

static akin_status stage(akin_target *target, const akin_sink_source *source,
                         akin_published *published) {
    akin_status status = AKIN_OK;
    size_t count = 0;
    akin_text_clear(target->body);
    AKIN_TRY(akin_text_append(target->body,
                              "{\"vectors\": {\"size\": %zu, \"distance\": \"Cosine\"}}",
                              akin_embeddings_dim(source->embeddings)));
    AKIN_TRY(akin_qdrant_store_lock(target->place));
    target->staged = true;
    AKIN_TRY(ask_of(target, "PUT", target->next, "", akin_text_bytes(target->body), NULL));
    AKIN_TRY(send_points(target, source, published));
    AKIN_TRY(count_points(target, target->next, &count));
    if (count != source->items)
        status = akin_error_set(AKIN_FAILED, "Qdrant: %s holds %zu points, not %zu", target->next,
                                count, source->items);
done:
    return status;
}

/* --- the switch --- */

/* Removes generations that no alias names: older ones, and those left by a killed publisher. A
 * collection that was created after this one may belong to another publisher. The aliases are
 * queried again each time. */
static void remove_old(akin_target *target, const char *name, bool *flag) {
    char digest[AKIN_HASH_TEXT_SIZE];
    (void)flag;
    digest_of(target, name, digest);
    if (!*digest || !is_younger(target->next, name)) return;
    if (akin_qdrant_store_read_aliases(target->place) != AKIN_OK) {
        akin_error_clear();
        return;
    }
    if (strcmp(name, live_of(target)) == 0 || strcmp(name, before_of(target)) == 0) return;
    if (ask_of(target, "DELETE", name, "", NULL, NULL) != AKIN_OK)
        akin_error_clear(); /* it will expire in time */
}

static void remove_all_old(akin_target *target) {
    if (for_collections(target, remove_old, NULL) != AKIN_OK) akin_error_clear();
}

static void tidy(akin_target *target) {
    if (akin_qdrant_store_lock(target->place) == AKIN_OK)
        remove_all_old(target); /* otherwise another publisher is active */
    akin_qdrant_store_unlock(target->place);
    akin_error_clear();
}

static akin_status keep(akin_target *target) {
    return akin_qdrant_store_keep(target->place);
}

static akin_status commit(akin_target *target, const akin_sink_source *source,
                          akin_published *published) {
    char live[AKIN_QDRANT_COLLECTION], rolled_back[AKIN_ROLLED_BACK_SIZE];
    (void)published;
    akin_status status = akin_qdrant_store_keep(target->place);
    if (status == AKIN_OK) status = akin_qdrant_store_read_aliases(target->place);
    if (status != AKIN_OK) return status;
    memcpy(live, live_of(target), sizeof live);
    list_rolled_back(target, rolled_back);
    akin_rolled_back_remove(rolled_back, source->digest);
    status = akin_qdrant_switch(target->place, target->body, target->next, live, rolled_back);
    if (status != AKIN_OK) return status;
    target->committed = true;
    remove_all_old(target);
    akin_qdrant_store_unlock(target->place);
    return AKIN_OK;
}

/* Qdrant normalises vectors once more: they differ in the last bits. */
static bool same_point(const akin_json *point, const float *row, size_t dim) {
    const akin_json *value = akin_json_first(akin_json_get(point, "vector"));
    size_t d = 0;
    for (; value && d < dim; value = akin_json_next(value), d++)
        if (!(fabs(akin_json_as_number(value, NAN) - (double)row[d]) <= 1e-5)) return false;
    return d == dim && !value;
}

static akin_status verify(akin_target *target, const akin_sink_source *source, const size_t *rows,
                          size_t count) {
    akin_status status = AKIN_OK;
    akin_json *answer = NULL;
    size_t found = 0;
    AKIN_TRY(retrieve(target, alias_of(target), source, rows, count,
                      "\"with_payload\": true, \"with_vector\": true", &answer));
    for (const akin_json *it = akin_json_first(akin_json_get(answer, "result")); it;
         it = akin_json_next(it)) {
        const char *id = akin_json_text(akin_json_get(it, "payload"), "id");
        int64_t row = id ? akin_ids_find(source->ids, id) : -1;
        if (row < 0) continue;
        AKIN_TRY(akin_embeddings_rows(source->embeddings, (size_t)row, 1, target->rows));
        found += same_point(it, target->rows, akin_embeddings_dim(source->embeddings));
    }
    if (found != count)
        status = akin_error_set(AKIN_FAILED,
                                "Qdrant: %zu of %zu points of %s differ from what was written when "
                                "read back: publish again, or roll back",
                                count - found, count, alias_of(target));
done:
    akin_json_free(answer);
    return status;
}

static akin_status check_rollback(akin_target *target) {
    akin_status status = akin_qdrant_store_read_aliases(target->place);
    if (status == AKIN_OK && (!*live_of(target) || !*before_of(target)))
        status = akin_error_set(AKIN_FAILED,
                                "Qdrant: there is no alias %s-previous, so nothing to roll back to",
                                alias_of(target));
    return status;
}

static akin_status rollback(akin_target *target, akin_live *live) {
    char now[AKIN_QDRANT_COLLECTION], before[AKIN_QDRANT_COLLECTION];
    akin_status status = akin_qdrant_store_lock(target->place);
    if (status == AKIN_OK) status = check_rollback(target); /* again, under the lock */
    if (status != AKIN_OK) return status;
    memcpy(now, live_of(target), sizeof now);
    memcpy(before, before_of(target), sizeof before);
    status = akin_qdrant_switch(target->place, target->body, before, now, NULL);
    return status == AKIN_OK ? look(target, live) : status;
}

const akin_sink akin_sink_qdrant = {
    .schemes = {"qdrant", "qdrants"},
    .forms = "qdrant://host:port/COLLECTION (for embeddings.nc)",
    .input = AKIN_SINK_EMBEDDINGS,
    .check_url = akin_qdrant_store_check,
    .identity = akin_qdrant_store_identity,
    .open = open_target,
    .look = look,
    .describe = describe,
    .prepare = prepare,
    .compare = compare,
    .stage = stage,
    .tidy = tidy,
    .keep = keep,
    .commit = commit,
    .verify = verify,
    .check_rollback = check_rollback,
    .rollback = rollback,
    .close = close_target,
};
