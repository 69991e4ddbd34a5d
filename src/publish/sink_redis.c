/* sink_redis: tables published to Redis: one hash per catalogue, or B of them. redis_store.h
 * describes the keys. The new lists are written to :next; then one transaction renames all
 * hashes: a reader's HGET finds the old table or the new one. In a cluster there is one such
 * transaction per bucket, and the meta comes last. */
#include "bucket.h"
#include "lease.h"
#include "listing.h"
#include "redis_room.h"
#include "redis_stage.h"
#include "redis_store.h"
#include "redis_switch.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/sink.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define READ_ROWS ((size_t)2048) /* lists requested at a time */
#define PULSE_ROWS 1024
#define BUCKETS ((size_t)16384) /* the most that are possible */

struct akin_target {
    akin_redis_store *place;
    akin_sink_options options;
    akin_redis_meta meta;
    akin_listing *lists;
    akin_redis_stage *stage;
    bool same_layout; /* whether the live table has the layout of the new one */
    bool locked, committed;
};

/* --- open, look --- */

static akin_status open_target(const char *url, const akin_sink_options *options,
                               akin_target **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_target *target = akin_mem_zalloc(1, sizeof *target);
    if (!target) return AKIN_FAILED;
    target->options = *options;
    AKIN_TRY(akin_redis_store_open(url, options, &target->place));
    *out = target;
    target = NULL;
done:
    akin_mem_free(target);
    return status;
}

static const char *digits(size_t number, char out[24]) {
    snprintf(out, 24, "%zu", number);
    return out;
}

/* Number of fields in all hashes. */
static akin_status count_fields(akin_target *target, bool next, size_t *count) {
    akin_status status = AKIN_OK;
    *count = 0;
    for (size_t b = 0; b < akin_redis_store_count(target->place); b++) {
        akin_redis_hash hash = akin_redis_store_hash(target->place, b);
        akin_redis_reply *reply = NULL;
        AKIN_TRY(akin_redis_call(hash.server, &reply, "HLEN", next ? hash.next : hash.live, NULL));
        *count += (size_t)akin_redis_integer(reply);
        akin_redis_free(reply);
    }
done:
    return status;
}

/* The live table's keys are those of its own number of buckets, whatever the option says. */
static akin_status read_live(akin_target *target) {
    akin_status status = akin_redis_store_read_meta(target->place, &target->meta);
    if (status != AKIN_OK) return status;
    const char *number = target->meta.now[AKIN_REDIS_BUCKETS];
    size_t buckets = (size_t)atoll(number);
    bool known = *number && buckets <= BUCKETS;
    return akin_redis_store_set_buckets(target->place, known ? buckets : target->options.buckets);
}

/* With the table that the last rollback removed. */
static void list_rolled_back(const akin_redis_meta *meta, char list[AKIN_ROLLED_BACK_SIZE]) {
    memcpy(list, meta->rolled_back, AKIN_ROLLED_BACK_SIZE);
    if (atoll(meta->before[AKIN_REDIS_GENERATION]) > atoll(meta->now[AKIN_REDIS_GENERATION]))
        akin_rolled_back_add(list, meta->before[AKIN_REDIS_DIGEST]);
}

static akin_status look(akin_target *target, akin_live *live) {
    akin_status status = AKIN_OK;
    char number[24];
    *live = (akin_live){0};
    if (akin_redis_store_is_cluster(target->place) && target->options.buckets == 0)
        AKIN_TRY(akin_error_set(AKIN_FAILED,
                                "%s: Redis is a cluster, where one hash cannot be renamed: publish "
                                "with --buckets B",
                                akin_redis_store_name(target->place)));
    AKIN_TRY(read_live(target));
    AKIN_TRY(count_fields(target, false, &live->items));
    const akin_redis_meta *meta = &target->meta;
    bool whole = strcmp(meta->now[AKIN_REDIS_ITEMS], digits(live->items, number)) == 0;
    const char *format = akin_listing_format(target->options.ids_only);
    live->there = live->items > 0;
    target->same_layout =
        live->there && whole && strcmp(meta->now[AKIN_REDIS_FORMAT], format) == 0 &&
        strcmp(meta->now[AKIN_REDIS_BUCKETS], digits(target->options.buckets, number)) == 0;
    if (whole && live->there)
        snprintf(live->table_digest, sizeof live->table_digest, "%.32s",
                 meta->now[AKIN_REDIS_DIGEST]);
    if (target->same_layout) memcpy(live->digest, live->table_digest, sizeof live->digest);
    list_rolled_back(meta, live->rolled_back);
done:
    return status;
}

static void edition_of(const char fields[][AKIN_REDIS_VALUE], akin_edition *out) {
    *out = (akin_edition){.items = (size_t)atoll(fields[AKIN_REDIS_ITEMS]),
                          .k = (size_t)atoll(fields[AKIN_REDIS_K])};
    snprintf(out->generation, sizeof out->generation, "%s", fields[AKIN_REDIS_GENERATION]);
    snprintf(out->time, sizeof out->time, "%.31s", fields[AKIN_REDIS_TIME]);
    snprintf(out->digest, sizeof out->digest, "%.32s", fields[AKIN_REDIS_DIGEST]);
    memcpy(out->table_digest, out->digest, sizeof out->table_digest);
    snprintf(out->format, sizeof out->format, "%.7s", fields[AKIN_REDIS_FORMAT]);
    snprintf(out->buckets, sizeof out->buckets, "%.7s", fields[AKIN_REDIS_BUCKETS]);
}

static akin_status describe(akin_target *target, akin_standing *standing) {
    akin_status status = AKIN_OK;
    akin_redis_reply *left = NULL;
    akin_lease_holder holder;
    *standing = (akin_standing){0};
    AKIN_TRY(read_live(target));
    const akin_redis_meta *meta = &target->meta;
    edition_of(meta->now, &standing->live);
    AKIN_TRY(count_fields(target, false, &standing->live.items));
    standing->live.there = standing->live.items > 0;
    akin_redis_hash first = akin_redis_store_hash(target->place, 0);
    AKIN_TRY(akin_redis_call(first.server, &left, "PTTL", first.prev, NULL));
    if (akin_redis_integer(left) != -2 && *meta->before[AKIN_REDIS_GENERATION]) {
        edition_of(meta->before, &standing->kept);
        standing->kept.there = true;
        standing->kept.seconds_left = fmax(0, (double)akin_redis_integer(left) * 1e-3);
    }
    AKIN_TRY(akin_redis_store_holder(target->place, &holder));
    akin_lease_busy(&holder, standing->busy, sizeof standing->busy);
done:
    akin_redis_free(left);
    return status;
}

static akin_status create_lists(akin_target *target, const akin_sink_source *source) {
    return akin_listing_create(source->table, source->ids, target->options.ids_only,
                               &target->lists);
}

static akin_status prepare(akin_target *target, const akin_sink_source *source,
                           akin_published *published) {
    snprintf(published->digest, sizeof published->digest, "%s", source->digest);
    return create_lists(target, source);
}

/* --- reading lists --- */

static akin_redis_hash hash_of(const akin_target *target, const akin_ids *ids, size_t row,
                               size_t *index) {
    *index = akin_bucket(akin_ids_text(ids, row), akin_ids_length(ids, row),
                         akin_redis_store_buckets(target->place));
    return akin_redis_store_hash(target->place, *index);
}

static akin_status ask(akin_target *target, const akin_ids *ids, size_t row) {
    size_t index;
    akin_redis_hash hash = hash_of(target, ids, row, &index);
    return akin_redis_queue_texts(hash.server, "HGET", hash.live, akin_ids_text(ids, row), NULL);
}

static akin_status hear(akin_target *target, const akin_ids *ids, size_t row,
                        akin_redis_reply **reply) {
    size_t index;
    akin_redis_hash hash = hash_of(target, ids, row, &index);
    return akin_redis_next(hash.server, reply);
}

static akin_status compare(akin_target *target, const akin_sink_source *source,
                           akin_publish_diff *change) {
    akin_status status = AKIN_OK;
    akin_redis_reply *reply = NULL;
    size_t n = source->items, length = 0;
    bool ids_only = strcmp(target->meta.now[AKIN_REDIS_FORMAT], "ids") == 0;
    if (!target->lists) AKIN_TRY(create_lists(target, source));
    for (size_t first = 0; first < n; first += READ_ROWS) {
        size_t end = n - first < READ_ROWS ? n : first + READ_ROWS;
        AKIN_TRY(source->pulse(source->context, "comparing", first, n));
        for (size_t row = first; row < end; row++) AKIN_TRY(ask(target, source->ids, row));
        for (size_t row = first; row < end; row++) {
            AKIN_TRY(hear(target, source->ids, row, &reply));
            const char *value = akin_redis_text(reply, &length);
            if (value)
                AKIN_TRY(akin_listing_see(target->lists, row, ids_only, value, length, change));
            akin_redis_free(reply);
            reply = NULL;
        }
    }
    AKIN_TRY(count_fields(target, false, &length));
    akin_publish_diff_count(change, length);
done:
    akin_redis_free(reply);
    if (status != AKIN_OK) akin_redis_store_drain(target->place);
    return status;
}

static akin_status verify(akin_target *target, const akin_sink_source *source, const size_t *rows,
                          size_t count) {
    akin_status status = AKIN_OK;
    akin_redis_reply *reply = NULL;
    for (size_t i = 0; i < count; i++) AKIN_TRY(ask(target, source->ids, rows[i]));
    for (size_t i = 0; i < count; i++) {
        size_t length = 0;
        bool same = false;
        AKIN_TRY(hear(target, source->ids, rows[i], &reply));
        const char *value = akin_redis_text(reply, &length);
        AKIN_TRY(akin_listing_is(target->lists, rows[i], value, length, &same));
        akin_redis_free(reply);
        reply = NULL;
        if (!same)
            AKIN_TRY(akin_error_set(AKIN_FAILED,
                                    "%s: the list of \"%s\" differs from what was written when "
                                    "read back: publish again, or roll back",
                                    akin_redis_store_name(target->place),
                                    akin_ids_text(source->ids, rows[i])));
    }
done:
    akin_redis_free(reply);
    if (status != AKIN_OK) akin_redis_store_drain(target->place); /* it may be published again */
    return status;
}

/* --- writing --- */

static akin_status keep(akin_target *target) {
    if (!target->locked || target->stage)
        return AKIN_OK; /* while it writes, its transactions renew the lock */
    return akin_redis_store_keep(target->place);
}

/* Whether the server holds exactly the table that was compared with, and most of it is unchanged.
 */
static bool is_delta(const akin_target *target, const akin_sink_source *source) {
    if (!source->change || !*source->previous_digest || !target->same_layout) return false;
    if (strcmp(target->meta.now[AKIN_REDIS_DIGEST], source->previous_digest) != 0) return false;
    akin_publish_diff_figures figures = akin_publish_diff_result(source->change);
    return figures.gone == akin_publish_diff_gone_seen(source->change) &&
           figures.changed + figures.fresh + figures.gone <= source->items / 2;
}

static akin_status send_lists(akin_target *target, const akin_sink_source *source, bool delta,
                              akin_published *published) {
    akin_status status = AKIN_OK;
    for (size_t row = 0; row < source->items; row++) {
        if (row % PULSE_ROWS == 0)
            AKIN_TRY(source->pulse(source->context, "publishing", row, source->items));
        if (delta && akin_publish_diff_of(source->change, row) == AKIN_PUBLISH_DIFF_SAME) continue;
        AKIN_TRY(akin_redis_stage_add(target->stage, row, published));
    }
    status = akin_redis_stage_finish(target->stage);
done:
    return status;
}

static akin_status stage(akin_target *target, const akin_sink_source *source,
                         akin_published *published) {
    akin_status status = AKIN_OK;
    size_t count = 0;
    bool delta = false;
    AKIN_TRY(akin_redis_store_set_buckets(target->place, target->options.buckets));
    target->locked = true; /* also if only some of the buckets are */
    AKIN_TRY(akin_redis_store_lock(target->place));
    AKIN_TRY(akin_redis_switch_check(target->place, &target->meta));
    AKIN_TRY(akin_redis_stage_create(target->place, target->options.buckets, target->lists, source,
                                     &target->stage));
    AKIN_TRY(akin_redis_stage_clear(target->stage));
    AKIN_TRY(akin_redis_room_check(target->place, target->lists, source->ids, source->items));
    if (is_delta(target, source)) AKIN_TRY(akin_redis_stage_copy(target->stage, &delta));
    if (delta) AKIN_TRY(akin_redis_stage_remove(target->stage, source->change));
    AKIN_TRY(send_lists(target, source, delta, published));
    AKIN_TRY(count_fields(target, true, &count));
    if (count != source->items) AKIN_TRY(akin_redis_switch_check(target->place, &target->meta));
    if (count != source->items)
        status = akin_error_set(
            AKIN_FAILED, "%s:next: holds %zu lists, not %zu: is another program writing to it?",
            akin_redis_store_name(target->place), count, source->items);
done:
    akin_redis_stage_free(target->stage);
    target->stage = NULL;
    return status;
}

/* --- commit, roll back, close --- */

static const char *keep_milliseconds(const akin_target *target, char out[24]) {
    snprintf(out, 24, "%.0f", target->options.keep_previous * 1000);
    return out;
}

static void put(char field[AKIN_REDIS_VALUE], const char *value) {
    snprintf(field, AKIN_REDIS_VALUE, "%s", value);
}

static void write_meta(const akin_target *target, const akin_sink_source *source,
                       akin_redis_meta *meta) {
    char number[24];
    const akin_redis_meta *old = &target->meta;
    long long one = atoll(old->now[AKIN_REDIS_GENERATION]),
              other = atoll(old->before[AKIN_REDIS_GENERATION]);
    *meta = (akin_redis_meta){0};
    bool kept = strcmp(old->now[AKIN_REDIS_BUCKETS], digits(target->options.buckets, number)) == 0;
    if (kept) memcpy(meta->before, old->now, sizeof meta->before);
    list_rolled_back(old, meta->rolled_back);
    akin_rolled_back_remove(meta->rolled_back, source->digest);
    put(meta->now[AKIN_REDIS_GENERATION], digits((size_t)(one > other ? one : other) + 1, number));
    akin_lease_stamp(time(NULL), meta->now[AKIN_REDIS_TIME]);
    put(meta->now[AKIN_REDIS_DIGEST], source->digest);
    put(meta->now[AKIN_REDIS_ITEMS], digits(source->items, number));
    put(meta->now[AKIN_REDIS_K], digits(akin_table_k(source->table), number));
    put(meta->now[AKIN_REDIS_MODEL], source->model);
    put(meta->now[AKIN_REDIS_FORMAT], akin_listing_format(target->options.ids_only));
    put(meta->now[AKIN_REDIS_BUCKETS], digits(target->options.buckets, number));
}

/* Hashes of different numbers of buckets have names in common, but a single one has its own. */
static void tell_buckets(const akin_target *target, size_t before) {
    const char *name = akin_redis_store_name(target->place), *catalog = strchr(name, ':') + 1;
    size_t now = target->options.buckets;
    char keys[AKIN_REDIS_KEY + 64], old[96];
    snprintf(keys, sizeof keys, now ? "akin:{%s:b} with b = crc32(id) mod %zu" : "akin:%s", catalog,
             now);
    if (before > 0 && now > 0)
        snprintf(old, sizeof old, "a storefront that still reads %zu buckets misses items", before);
    else
        snprintf(old, sizeof old, "the old keys stay for another %.3g h (--keep-previous)",
                 target->options.keep_previous / 3600);
    akin_log_warning("%s: it was published with --buckets %zu, and now with %zu: a storefront must "
                     "now read %s; %s",
                     name, before, now, keys, old);
}

static akin_status commit(akin_target *target, const akin_sink_source *source,
                          akin_published *published) {
    akin_status status = AKIN_OK;
    akin_redis_meta meta;
    char number[24];
    const char *buckets = target->meta.now[AKIN_REDIS_BUCKETS];
    (void)published;
    write_meta(target, source, &meta);
    AKIN_TRY(akin_redis_switch_forward(target->place, &target->meta, target->options.keep_previous,
                                       &meta));
    target->committed = true;
    akin_listing_tell_format(akin_redis_store_name(target->place),
                             target->meta.now[AKIN_REDIS_FORMAT], meta.now[AKIN_REDIS_FORMAT]);
    if (!*buckets || strcmp(buckets, digits(target->options.buckets, number)) == 0) goto done;
    tell_buckets(target, (size_t)atoll(buckets));
    status = akin_redis_store_expire(target->place, (size_t)atoll(buckets),
                                     keep_milliseconds(target, number));
done:
    return status;
}

static akin_status nothing_before(const akin_target *target) {
    return akin_error_set(
        AKIN_FAILED,
        "%s: there is no previous table, so nothing to roll back to: it is kept for "
        "--keep-previous, and only for the same --buckets",
        akin_redis_store_name(target->place));
}

static akin_status check_rollback(akin_target *target) {
    akin_status status = AKIN_OK;
    size_t found = 0;
    AKIN_TRY(akin_redis_store_read_meta(target->place, &target->meta));
    for (size_t b = 0; b < akin_redis_store_count(target->place); b++) {
        akin_redis_hash hash = akin_redis_store_hash(target->place, b);
        akin_redis_reply *reply = NULL;
        AKIN_TRY(akin_redis_call(hash.server, &reply, "EXISTS", hash.prev, NULL));
        found += akin_redis_integer(reply) > 0;
        akin_redis_free(reply);
    }
    if (found == 0 || !*target->meta.before[AKIN_REDIS_GENERATION]) status = nothing_before(target);
done:
    return status;
}

static akin_status rollback(akin_target *target, akin_live *live) {
    akin_status status = AKIN_OK;
    akin_redis_meta meta;
    target->locked = true;
    AKIN_TRY(akin_redis_store_lock(target->place));
    AKIN_TRY(check_rollback(target)); /* again, under the lock */
    memcpy(meta.now, target->meta.before, sizeof meta.now);
    memcpy(meta.before, target->meta.now, sizeof meta.before);
    memcpy(meta.rolled_back, target->meta.rolled_back, sizeof meta.rolled_back);
    AKIN_TRY(
        akin_redis_switch_back(target->place, &target->meta, target->options.keep_previous, &meta));
    target->committed = true;
    *live = (akin_live){.there = true, .items = (size_t)atoll(meta.now[AKIN_REDIS_ITEMS])};
    snprintf(live->digest, sizeof live->digest, "%.32s", meta.now[AKIN_REDIS_DIGEST]);
done:
    return status;
}

/* Removes what was staged, as far as the lock is ours and the servers answer. */
static void take_back(akin_target *target) {
    akin_redis_store_drain(target->place);
    for (size_t b = 0; b < akin_redis_store_count(target->place); b++) {
        akin_redis_hash hash = akin_redis_store_hash(target->place, b);
        if (akin_redis_broken(hash.server)) continue;
        akin_status status = akin_redis_store_queue_guard(target->place, &hash);
        if (status == AKIN_OK) status = akin_redis_store_take_guard(target->place, &hash);
        if (status != AKIN_OK) {
            if (!akin_redis_broken(hash.server))
                (void)!akin_redis_call(hash.server, NULL, "UNWATCH", NULL);
            continue;
        }
        (void)!akin_redis_queue_texts(hash.server, "MULTI", NULL);
        (void)!akin_redis_queue_texts(hash.server, "UNLINK", hash.next, NULL);
        (void)!akin_redis_queue_texts(hash.server, "DEL", hash.lock, NULL);
        (void)!akin_redis_queue_texts(hash.server, "EXEC", NULL);
        (void)!akin_redis_take(hash.server, 4, NULL);
    }
}

static void tidy(akin_target *target) {
    akin_redis_hash first = akin_redis_store_hash(target->place, 0);
    akin_redis_reply *left = NULL;
    if (akin_redis_call(first.server, &left, "EXISTS", first.next, first.lock, NULL) == AKIN_OK &&
        akin_redis_integer(left) > 0) {
        (void)!akin_redis_store_lock(target->place); /* what someone else has locked stays */
        take_back(target);
    }
    akin_redis_free(left);
    akin_error_clear();
}

static void close_target(akin_target *target) {
    if (!target) return;
    if (target->locked && !target->committed) {
        akin_error_kept first;
        akin_error_keep(&first);
        take_back(target);
        akin_error_restore(&first);
    }
    akin_redis_stage_free(target->stage);
    akin_listing_free(target->lists);
    akin_redis_store_close(target->place);
    akin_mem_free(target);
}

const akin_sink akin_sink_redis = {
    .schemes = {"redis", "rediss", "redis+unix"},
    .forms = "redis://[user:password@]host:port/db?catalog=NAME, redis+unix:/path?catalog=NAME",
    .input = AKIN_SINK_TABLE,
    .heeds = {"format", "buckets", "keep-previous"},
    .check_url = akin_redis_store_check,
    .identity = akin_redis_store_identity,
    .open = open_target,
    .look = look,
    .describe = describe,
    .prepare = prepare,
    .compare = compare,
    .stage = stage,
    .keep = keep,
    .tidy = tidy,
    .commit = commit,
    .verify = verify,
    .check_rollback = check_rollback,
    .rollback = rollback,
    .close = close_target,
};
