/* lease: the lock by which one process at a time publishes to a place: how it is taken, and what is
 * said where it is not to be had; with what all kinds of places share beside it, names and times. A
 * store lends it three requests; lock_owner.h has the signature. Not collective. */
#ifndef AKIN_LEASE_H
#define AKIN_LEASE_H

#include "lock_owner.h"
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { AKIN_LEASE_NAME = 100, AKIN_LEASE_STAMP = 32 };

/* "2026-01-31T02:00:00Z" */
void akin_lease_stamp(time_t when, char out[AKIN_LEASE_STAMP]);
/* Whether a catalogue may have this name: 1 to `most` letters, digits and . _ - */
bool akin_lease_is_name(const char *name, size_t most);

/* Who holds a lock, as far as the place tells. */
typedef struct {
    bool there;
    char signature[AKIN_LOCK_OWNER_SIZE]; /* "": not told, or not yet */
    double left;                          /* seconds until it ends by itself; 0 or less: it has */
} akin_lease_holder;

typedef struct {
    const char *kind, *place; /* for messages: "Qdrant", "shop" */
    void *context;            /* of the requests */
    /* Makes the lock where there is none. */
    akin_status (*make)(void *context, bool *made);
    akin_status (*ask)(void *context, akin_lease_holder *holder);
    /* Takes away, or over (*taken), the lock of this holder, unless another was faster. */
    akin_status (*take_over)(void *context, const akin_lease_holder *holder, bool *taken);
} akin_lease;

/* AKIN_FAILED names who has it. One whose holder has ended is taken over. */
AKIN_MUST_CHECK akin_status akin_lease_take(const akin_lease *lease);
/* AKIN_FAILED: what to say where it is held no more; `limit`: seconds that it lasts. */
akin_status akin_lease_lost(const char *kind, const char *place, int limit);

#endif
