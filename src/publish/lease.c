/* lease: the lock that lets only one process at a time publish to a target. */
#include "lease.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* A lock that exists but is not signed yet gets this many attempts to be signed. */
enum { UNSIGNED_TURNS = 20, TURNS = 40 };

/* --- names and times --- */

void akin_lease_stamp(time_t when, char out[AKIN_LEASE_STAMP]) {
    struct tm utc;
    gmtime_r(&when, &utc);
    strftime(out, AKIN_LEASE_STAMP, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

bool akin_lease_is_name(const char *name, size_t most) {
    size_t length = strlen(name);
    return length > 0 && length <= most && strspn(name, NAME_LETTERS) == length;
}

/* --- the lock --- */

static void wait_a_little(void) {
    const struct timespec quarter = {0, 250000000};
    nanosleep(&quarter, NULL);
}

static akin_status refuse(const akin_lease *lease, const akin_lease_holder *holder) {
    const char *who = *holder->signature ? holder->signature : "the lock does not say who";
    return akin_error_set(AKIN_FAILED,
                          "%s: someone else is publishing to %s (%.*s); try again when that is "
                          "done, or in %.0f s if it was killed",
                          lease->kind, lease->place, akin_lock_owner_shown(who), who, holder->left);
}

/* An existing lock: taken over if it has expired, otherwise refused. */
static akin_status look(const akin_lease *lease, int *unsigned_turns, bool *taken) {
    akin_lease_holder holder = {0};
    akin_status status = lease->ask(lease->context, &holder);
    if (status != AKIN_OK || !holder.there) return status;
    if (!*holder.signature && ++*unsigned_turns < UNSIGNED_TURNS) {
        wait_a_little();
        return AKIN_OK;
    }
    if (*holder.signature && holder.left > 0 && !akin_lock_owner_has_ended(holder.signature))
        return refuse(lease, &holder);
    return lease->take_over(lease->context, &holder, taken);
}

akin_status akin_lease_take(const akin_lease *lease) {
    bool taken = false;
    int unsigned_turns = 0;
    for (int turn = 0; turn < TURNS && !taken; turn++) {
        akin_status status = lease->make(lease->context, &taken);
        if (status == AKIN_OK && !taken) status = look(lease, &unsigned_turns, &taken);
        if (status != AKIN_OK) return status;
    }
    if (taken) return AKIN_OK;
    return akin_error_set(
        AKIN_FAILED,
        "%s: the lock of %s cannot be taken: others keep taking it, or something else has its name",
        lease->kind, lease->place);
}

void akin_lease_busy(const akin_lease_holder *holder, char *out, size_t size) {
    bool held = holder->there && holder->left > 0 && !akin_lock_owner_has_ended(holder->signature);
    const char *who = *holder->signature ? holder->signature : "someone";
    snprintf(out, size, "%.*s", held ? akin_lock_owner_shown(who) : 0, who);
}

akin_status akin_lease_lost(const char *kind, const char *place, int limit) {
    return akin_error_set(AKIN_FAILED,
                          "%s: the lock of %s was lost: this process was suspended for longer than "
                          "%d s, or the lock was removed; nothing was published: run it again",
                          kind, place, limit);
}
