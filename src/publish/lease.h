/* lease: the lock that lets only one process at a time publish to a target, and its errors; also
 * names and times, which all kinds of targets share. A store provides three requests; lock_owner.h
 * has the signature. Not collective. */
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

/* The owner of a lock, as far as the target knows. */
typedef struct {
    bool there;
    char signature[AKIN_LOCK_OWNER_SIZE]; /* "": unknown, or not signed yet */
    double left;                          /* seconds until it expires; 0 or less: it has expired */
} akin_lease_holder;

typedef struct {
    const char *kind, *place; /* for messages: "Qdrant", "shop" */
    void *context;            /* passed to the requests */
    /* Creates the lock if it does not exist. */
    akin_status (*make)(void *context, bool *made);
    akin_status (*ask)(void *context, akin_lease_holder *holder);
    /* Removes, or takes over (*taken), the lock of this owner, unless someone else was faster. */
    akin_status (*take_over)(void *context, const akin_lease_holder *holder, bool *taken);
} akin_lease;

/* AKIN_FAILED names the owner. A lock whose owner has ended is taken over. */
AKIN_MUST_CHECK akin_status akin_lease_take(const akin_lease *lease);
/* The readable part of the owner's signature, if the lock is held by a process that may be alive;
 * otherwise "". */
void akin_lease_busy(const akin_lease_holder *holder, char *out, size_t size);
/* AKIN_FAILED: the error for a lock that is no longer held; `limit`: its lifetime in seconds. */
akin_status akin_lease_lost(const char *kind, const char *place, int limit);

#endif
