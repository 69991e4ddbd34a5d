/* redis_room: see redis_room.h. */
#include "redis_room.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = 256, ENTRY_BYTES = 96 }; /* bytes per hash entry besides id and value (measured) */

typedef struct {
    uint64_t most, used; /* bytes; most 0 = no limit */
    char policy[32];     /* "" = unknown */
} memory;

/* The value of "name:value\r\n" in INFO's answer; NULL: it has none. */
static const char *find(const char *info, const char *name) {
    size_t length = strlen(name);
    for (const char *at = info; at && *at;) {
        if (strncmp(at, name, length) == 0 && at[length] == ':') return at + length + 1;
        at = strchr(at, '\n');
        if (at) at++;
    }
    return NULL;
}

static uint64_t number_of(const char *info, const char *name) {
    const char *value = find(info, name);
    return value ? strtoull(value, NULL, 10) : 0;
}

static void take_word(const char *text, char *out, size_t size) {
    snprintf(out, size, "%.*s", text ? (int)strcspn(text, "\r\n") : 0, text ? text : "");
}

/* Servers before about 4.0.10 report the policy only as a setting. */
static void ask_policy(akin_redis *server, memory *found) {
    akin_redis_reply *reply = NULL;
    size_t length;
    if (*found->policy) return;
    if (akin_redis_call(server, &reply, "CONFIG", "GET", "maxmemory-policy", NULL) != AKIN_OK)
        akin_error_clear();
    else if (akin_redis_count(reply) == 2)
        take_word(akin_redis_text(akin_redis_at(reply, 1), &length), found->policy,
                  sizeof found->policy);
    akin_redis_free(reply);
}

/* *told: whether the answer has any of these values. */
static akin_status ask(akin_redis *server, memory *found, bool *told) {
    akin_redis_reply *reply = NULL;
    size_t length;
    *found = (memory){0};
    akin_status status = akin_redis_call(server, &reply, "INFO", "memory", NULL);
    const char *info = status == AKIN_OK ? akin_redis_text(reply, &length) : NULL;
    *told = info && find(info, "used_memory");
    if (*told) {
        found->most = number_of(info, "maxmemory");
        found->used = number_of(info, "used_memory");
        take_word(find(info, "maxmemory_policy"), found->policy, sizeof found->policy);
        ask_policy(server, found);
    }
    akin_redis_free(reply);
    if (status != AKIN_OK && akin_redis_broken(server)) return status;
    if (status != AKIN_OK) akin_error_clear(); /* the user lacks the permission */
    return AKIN_OK;
}

/* Estimates the size of all lists from some that are evenly spaced. */
static akin_status measure(akin_listing *lists, const akin_ids *ids, size_t items, double *bytes) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    size_t step = items / SAMPLE + 1, seen = 0, letters = 0;
    AKIN_TRY(akin_text_create(&text));
    for (size_t row = 0; row < items; row += step, seen++) {
        AKIN_TRY(akin_listing_append(lists, row, text));
        letters += strlen(akin_ids_text(ids, row));
    }
    *bytes = seen ? (double)items *
                        ((double)(akin_text_length(text) + letters) / (double)seen + ENTRY_BYTES)
                  : 0;
done:
    akin_text_free(text);
    return status;
}

/* "1.5 MiB" */
typedef struct {
    char text[32];
} amount;

static amount amount_of(double bytes) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    amount out;
    for (bytes = bytes > 0 ? bytes : 0; bytes >= 1000 && unit < 4; unit++) bytes /= 1024;
    snprintf(out.text, sizeof out.text, bytes < 10 ? "%.2g %s" : "%.0f %s", bytes, units[unit]);
    return out;
}

static akin_status judge(const akin_redis_store *place, const memory *found, double needed) {
    const char *name = akin_redis_store_name(place), *policy = found->policy;
    bool evicts = strncmp(policy, "allkeys", 7) == 0;
    double room = (double)found->most - (double)found->used;
    if (found->most == 0) return AKIN_OK;
    if (needed > room)
        return akin_error_set(
            AKIN_FAILED,
            "%s: the server has room for %s (maxmemory %s, used %s), but the new table takes "
            "about %s in addition to the published one%s; nothing was sent: raise its maxmemory",
            name, amount_of(room).text, amount_of((double)found->most).text,
            amount_of((double)found->used).text, amount_of(needed).text,
            evicts ? ", which its policy would evict" : "");
    if (evicts)
        akin_log_warning("%s: the server's maxmemory-policy %s may evict the published table when "
                         "memory is short: set it to noeviction or to a volatile one",
                         name, policy);
    return AKIN_OK;
}

akin_status akin_redis_room_check(akin_redis_store *place, akin_listing *lists, const akin_ids *ids,
                                  size_t items) {
    akin_status status = AKIN_OK;
    double needed = 0;
    size_t count = akin_redis_store_count(place);
    AKIN_TRY(measure(lists, ids, items, &needed));
    for (size_t b = 0; b < count; b++) {
        akin_redis *server = akin_redis_store_hash(place, b).server;
        size_t here = 0, first = count;
        memory found;
        bool told;
        for (size_t other = 0; other < count; other++)
            if (akin_redis_store_hash(place, other).server == server) {
                here++;
                if (first == count) first = other;
            }
        if (first != b) continue; /* already known */
        AKIN_TRY(ask(server, &found, &told));
        if (told) AKIN_TRY(judge(place, &found, needed * (double)here / (double)count));
    }
done:
    return status;
}
