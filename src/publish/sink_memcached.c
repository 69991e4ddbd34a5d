/* sink_memcached: tables published to memcached; memcache_store.h describes the keys. A
 * generation's name is never reused, so two publishers never mix. memcached evicts keys when
 * memory is short, so every list is read back before `current` names the generation. The
 * previous generation stays until the next publication. */
#include "lease.h"
#include "listing.h"
#include "memcache_lists.h"
#include "memcache_store.h"
#include <akin/json.h>
#include <akin/mem.h>
#include <akin/sink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GENERATION_SIZE = 24 };

struct akin_target {
    akin_memcache_store *place;
    akin_memcache *cache; /* of the target */
    char generation[GENERATION_SIZE];
    akin_sink_options options;
    akin_memcache_lists *lists;
    bool locked, committed;
};

static const akin_json *meta_of(const akin_target *target) {
    return akin_memcache_store_meta(target->place);
}

static const char *live_generation(const akin_target *target) {
    return akin_memcache_store_generation(target->place);
}

/* A generation is named by its time; see name_generation. */
static unsigned long long microseconds_of(const char *generation) {
    return strtoull(generation, NULL, 16);
}

/* --- open, look --- */

static akin_status open_target(const char *url, const akin_sink_options *options,
                               akin_target **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_target *target = akin_mem_zalloc(1, sizeof *target);
    if (!target) return AKIN_FAILED;
    target->options = *options;
    AKIN_TRY(akin_memcache_store_open(url, options->timeout, &target->place));
    target->cache = akin_memcache_store_cache(target->place);
    *out = target;
    target = NULL;
done:
    akin_mem_free(target);
    return status;
}

/* With the table that the last rollback removed. */
static void list_rolled_back(const akin_target *target, char list[AKIN_ROLLED_BACK_SIZE]) {
    const akin_json *before = akin_json_get(meta_of(target), "previous");
    const char *younger = akin_json_text(before, "generation"),
               *digest = akin_json_text(before, "digest");
    (void)!akin_rolled_back_read(list, akin_json_text(meta_of(target), "rolled_back"));
    if (younger && digest && microseconds_of(younger) > microseconds_of(live_generation(target)))
        akin_rolled_back_add(list, digest);
}

static akin_status look(akin_target *target, akin_live *live) {
    akin_status status = AKIN_OK;
    *live = (akin_live){0};
    AKIN_TRY(akin_memcache_store_look(target->place, &live->there));
    live->items = (size_t)akin_json_number(meta_of(target), "items", 0);
    const char *digest = akin_json_text(meta_of(target), "digest"),
               *format = akin_json_text(meta_of(target), "format");
    if (!live->there || !digest || !format) goto done;
    snprintf(live->table_digest, sizeof live->table_digest, "%s", digest);
    if (strcmp(format, akin_listing_format(target->options.ids_only)) == 0)
        memcpy(live->digest, live->table_digest, sizeof live->digest);
    list_rolled_back(target, live->rolled_back);
done:
    return status;
}

static akin_status lock(akin_target *target) {
    akin_status status = akin_memcache_store_lock(target->place);
    target->locked = status == AKIN_OK;
    return status;
}

static void unlock(akin_target *target) {
    akin_memcache_store_unlock(target->place);
    target->locked = false;
}

static akin_status keep(akin_target *target) {
    return target->locked ? akin_memcache_store_keep(target->place) : AKIN_OK;
}

/* --- before anything is sent --- */

static akin_status create_lists(akin_target *target, const akin_sink_source *source) {
    return akin_memcache_lists_create(target->place, source, target->options.ids_only,
                                      &target->lists);
}

static akin_status prepare(akin_target *target, const akin_sink_source *source,
                           akin_published *published) {
    akin_status status = AKIN_OK;
    snprintf(published->digest, sizeof published->digest, "%s", source->digest);
    AKIN_TRY(create_lists(target, source));
    status = akin_memcache_lists_check_sizes(target->lists);
done:
    return status;
}

static akin_status compare(akin_target *target, const akin_sink_source *source,
                           akin_publish_diff *change) {
    const char *format = akin_json_text(meta_of(target), "format");
    bool ids_only = format && strcmp(format, "ids") == 0;
    akin_status status = AKIN_OK;
    if (!target->lists) AKIN_TRY(create_lists(target, source));
    AKIN_TRY(akin_memcache_lists_compare(target->lists, live_generation(target), ids_only, change));
    akin_publish_diff_count(change, (size_t)akin_json_number(meta_of(target), "items", 0));
done:
    return status;
}

static akin_status verify(akin_target *target, const akin_sink_source *source, const size_t *rows,
                          size_t count) {
    akin_status status = AKIN_OK;
    akin_live live;
    char generation[GENERATION_SIZE];
    (void)source;
    AKIN_TRY(look(target, &live));
    snprintf(generation, sizeof generation, "%s", live_generation(target));
    status = akin_memcache_lists_check(target->lists, generation, rows, count);
done:
    return status;
}

/* --- creating and removing a generation --- */

static akin_status store_meta(akin_target *target, const akin_json *meta) {
    char *text = akin_json_check(meta) == AKIN_OK ? akin_json_print(meta, false) : NULL;
    akin_status status = text ? akin_memcache_store_set(target->place, "meta", text)
                              : akin_error_set(AKIN_FAILED, "not enough memory for the meta");
    akin_mem_free(text);
    return status;
}

/* The meta of what readers find, in place of that of a table that was never switched to. */
static akin_status put_meta_back(akin_target *target) {
    return *live_generation(target) ? store_meta(target, meta_of(target)) : AKIN_OK;
}

/* Left by a publisher that was killed, perhaps between the meta and the switch. Under the lock. */
static akin_status clear_leftover(akin_target *target) {
    akin_status status = AKIN_OK;
    char *left = NULL;
    bool there;
    AKIN_TRY(akin_memcache_store_look(target->place, &there));
    const akin_json *before = akin_json_get(meta_of(target), "previous");
    const char *older = akin_json_text(before, "generation");
    AKIN_TRY(akin_memcache_store_get(target->place, "next", &left));
    if (!left || strlen(left) >= GENERATION_SIZE) goto done;
    if (strcmp(left, live_generation(target)) != 0 && (!older || strcmp(left, older) != 0)) {
        AKIN_TRY(put_meta_back(target));
        AKIN_TRY(akin_memcache_lists_forget(target->lists, left));
    }
    status = akin_memcache_store_delete(target->place, "next");
done:
    akin_mem_free(left);
    return status;
}

/* Microseconds since 1970, hexadecimal: never repeated. */
static void name_generation(akin_target *target) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(target->generation, sizeof target->generation, "%llx",
             (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
}

static akin_status stage(akin_target *target, const akin_sink_source *source,
                         akin_published *published) {
    akin_status status = AKIN_OK;
    (void)source;
    AKIN_TRY(lock(target));
    AKIN_TRY(clear_leftover(target));
    name_generation(target);
    AKIN_TRY(akin_memcache_store_set(target->place, "next", target->generation));
    AKIN_TRY(akin_memcache_lists_send(target->lists, target->generation, published));
    status = akin_memcache_lists_check_all(target->lists, target->generation);
done:
    return status;
}

/* --- the switch --- */

static void write_meta(const akin_target *target, const akin_sink_source *source, akin_json *meta) {
    char when[AKIN_LEASE_STAMP];
    char rolled_back[AKIN_ROLLED_BACK_SIZE];
    akin_lease_stamp(time(NULL), when);
    list_rolled_back(target, rolled_back);
    akin_rolled_back_remove(rolled_back, source->digest);
    if (*rolled_back) akin_json_set_text(meta, "rolled_back", rolled_back);
    akin_json_set_text(meta, "generation", target->generation);
    akin_json_set_text(meta, "time", when);
    akin_json_set_text(meta, "digest", source->digest);
    akin_json_set_integer(meta, "items", (long long)source->items);
    akin_json_set_integer(meta, "k", (long long)akin_table_k(source->table));
    akin_json_set_text(meta, "model", source->model);
    akin_json_set_text(meta, "format", akin_listing_format(target->options.ids_only));
    akin_json_set_text(meta, "probe", akin_ids_text(source->ids, source->items / 2));
    if (!*live_generation(target)) return;
    akin_json *before = akin_json_copy(meta_of(target));
    akin_json_set_null(before, "previous");
    akin_json_set_null(before, "rolled_back");
    akin_json_set_node(meta, "previous", &before);
}

/* The meta first: readers of it follow the generation that `current` names. */
static akin_status switch_to(akin_target *target, const akin_json *meta) {
    akin_status status = AKIN_OK;
    bool mine = false;
    AKIN_TRY(akin_memcache_store_is_mine(target->place, &mine));
    if (!mine) AKIN_TRY(akin_memcache_store_lost(target->place));
    AKIN_TRY(store_meta(target, meta));
    AKIN_TRY(akin_memcache_store_set(target->place, "current", akin_json_text(meta, "generation")));
    target->committed = true;
    status = akin_memcache_store_delete(target->place, "next");
done:
    return status;
}

static void tell_format(const akin_target *target) {
    char name[AKIN_MEMCACHE_STORE_KEY];
    const char *before = akin_json_text(meta_of(target), "format");
    snprintf(name, sizeof name, "akin:%s", akin_memcache_store_catalog(target->place));
    akin_listing_tell_format(name, before ? before : "",
                             akin_listing_format(target->options.ids_only));
}

static akin_status commit(akin_target *target, const akin_sink_source *source,
                          akin_published *published) {
    akin_status status = AKIN_OK;
    (void)published;
    const char *oldest = akin_json_text(akin_json_get(meta_of(target), "previous"), "generation");
    akin_json *meta = akin_json_object();
    write_meta(target, source, meta);
    AKIN_TRY(switch_to(target, meta));
    tell_format(target);
    if (oldest && akin_memcache_lists_forget(target->lists, oldest) != AKIN_OK)
        akin_error_clear(); /* it will expire in time */
done:
    unlock(target);
    akin_json_free(meta);
    return status;
}

/* Whether the generation that a meta describes is still there, as far as one of its lists shows. */
static akin_status is_kept(akin_target *target, const akin_json *meta, bool *kept) {
    char key[AKIN_MEMCACHE_STORE_KEY], *value = NULL;
    const char *generation = akin_json_text(meta, "generation"),
               *probe = akin_json_text(meta, "probe");
    *kept = false;
    if (!generation || !probe) return AKIN_OK;
    akin_memcache_store_list_key(target->place, generation, probe, key);
    akin_status status = akin_memcache_get(target->cache, key, &value, NULL);
    *kept = value != NULL;
    akin_mem_free(value);
    return status;
}

static akin_status describe_edition(akin_target *target, const akin_json *meta, akin_edition *out) {
    const char *generation = akin_json_text(meta, "generation"),
               *when = akin_json_text(meta, "time"), *digest = akin_json_text(meta, "digest"),
               *format = akin_json_text(meta, "format");
    *out = (akin_edition){.items = (size_t)akin_json_number(meta, "items", 0),
                          .k = (size_t)akin_json_number(meta, "k", 0)};
    snprintf(out->generation, sizeof out->generation, "%s", generation ? generation : "");
    snprintf(out->time, sizeof out->time, "%s", when ? when : "");
    snprintf(out->digest, sizeof out->digest, "%s", digest ? digest : "");
    memcpy(out->table_digest, out->digest, sizeof out->table_digest);
    snprintf(out->format, sizeof out->format, "%s", format ? format : "");
    return is_kept(target, meta, &out->there);
}

static akin_status describe(akin_target *target, akin_standing *standing) {
    akin_status status = AKIN_OK;
    akin_lease_holder holder;
    akin_live live;
    *standing = (akin_standing){0};
    AKIN_TRY(look(target, &live));
    const akin_json *meta = meta_of(target);
    AKIN_TRY(describe_edition(target, meta, &standing->live));
    AKIN_TRY(describe_edition(target, akin_json_get(meta, "previous"), &standing->kept));
    AKIN_TRY(akin_memcache_store_holder(target->place, &holder));
    akin_lease_busy(&holder, standing->busy, sizeof standing->busy);
done:
    return status;
}

static akin_status check_rollback(akin_target *target) {
    akin_status status = AKIN_OK;
    akin_live live;
    bool kept = false;
    AKIN_TRY(look(target, &live));
    AKIN_TRY(is_kept(target, akin_json_get(meta_of(target), "previous"), &kept));
    if (!kept)
        status = akin_error_set(AKIN_FAILED,
                                "akin:%s: there is no previous table, so nothing to roll back to",
                                akin_memcache_store_catalog(target->place));
done:
    return status;
}

static akin_status rollback(akin_target *target, akin_live *live) {
    akin_status status = AKIN_OK;
    akin_json *meta = NULL, *now = NULL;
    AKIN_TRY(lock(target));
    AKIN_TRY(check_rollback(target)); /* again, under the lock */
    meta = akin_json_copy(akin_json_get(meta_of(target), "previous"));
    now = akin_json_copy(meta_of(target));
    const char *rolled_back = akin_json_text(now, "rolled_back");
    if (rolled_back) akin_json_set_text(meta, "rolled_back", rolled_back);
    akin_json_set_null(now, "previous");
    akin_json_set_null(now, "rolled_back");
    akin_json_set_node(meta, "previous", &now);
    status = switch_to(target, meta);
    if (status == AKIN_OK) status = look(target, live);
done:
    unlock(target);
    akin_json_free(now);
    akin_json_free(meta);
    return status;
}

/* A publisher that was killed after the switch left its lock alone. */
static void tidy(akin_target *target) {
    if (lock(target) == AKIN_OK) {
        (void)!clear_leftover(target);
        unlock(target);
    }
    akin_error_clear();
}

static void close_target(akin_target *target) {
    if (!target) return;
    if (target->locked && !target->committed) {
        akin_error_kept first;
        akin_error_keep(&first);
        akin_memcache_lists_withdraw(target->lists, target->generation);
        unlock(target);
        akin_error_restore(&first);
    }
    akin_memcache_lists_free(target->lists);
    akin_memcache_store_close(target->place);
    akin_mem_free(target);
}

const akin_sink akin_sink_memcached = {
    .schemes = {"memcached"},
    .forms = "memcached://host:port[,host:port]?catalog=NAME",
    .input = AKIN_SINK_TABLE,
    .heeds = {"format"},
    .check_url = akin_memcache_store_check,
    .identity = akin_memcache_store_identity,
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
