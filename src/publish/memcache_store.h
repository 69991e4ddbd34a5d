/* memcache_store: a catalogue in memcached: its keys, its lock, and its meta. Not collective.
 *
 *   akin:NAME:current             the generation that a storefront reads; set last
 *   akin:NAME:<generation>:<id>   its lists. An id that would make the key invalid (blanks, control
 *                                 bytes, a leading '#', too long) becomes # and its uuid5 (uuid.h)
 *   akin:NAME:meta                JSON: generation, time, digest, items, k, model, format, and
 *                                 those of the previous generation
 *   akin:NAME:next                the generation that is being written
 *   akin:NAME:lock                who is publishing; expires */
#ifndef AKIN_MEMCACHE_STORE_H
#define AKIN_MEMCACHE_STORE_H

#include "lease.h"
#include "memcache.h"
#include <akin/error.h>
#include <akin/json.h>
#include <stdbool.h>

enum { AKIN_MEMCACHE_STORE_KEY = 256 }; /* room for a key with its NUL */

typedef struct akin_memcache_store akin_memcache_store;

/* memcached://host:port[,host:port]?catalog=NAME: AKIN_USAGE */
AKIN_MUST_CHECK akin_status akin_memcache_store_check(const char *url);
char *akin_memcache_store_identity(const char *url); /* owned; NULL: out of memory */

/* timeout: seconds. */
AKIN_MUST_CHECK akin_status akin_memcache_store_open(const char *url, double timeout,
                                                     akin_memcache_store **out);
void akin_memcache_store_close(akin_memcache_store *place); /* NULL is fine */

akin_memcache *akin_memcache_store_cache(const akin_memcache_store *place);
const char *akin_memcache_store_catalog(const akin_memcache_store *place); /* NAME */
void akin_memcache_store_list_key(const akin_memcache_store *place, const char *generation,
                                  const char *id, char key[AKIN_MEMCACHE_STORE_KEY]);

/* akin:NAME:<what>, with an answer. *value owned; NULL: not found. */
AKIN_MUST_CHECK akin_status akin_memcache_store_get(akin_memcache_store *place, const char *what,
                                                    char **value);
AKIN_MUST_CHECK akin_status akin_memcache_store_set(akin_memcache_store *place, const char *what,
                                                    const char *value);
AKIN_MUST_CHECK akin_status akin_memcache_store_delete(akin_memcache_store *place,
                                                       const char *what);

/* Reads the meta of the generation that `current` names; *there: whether a table is live. */
AKIN_MUST_CHECK akin_status akin_memcache_store_look(akin_memcache_store *place, bool *there);
/* As last read: an empty object, and "", if no table is live. Borrowed. */
const akin_json *akin_memcache_store_meta(const akin_memcache_store *place);
const char *akin_memcache_store_generation(const akin_memcache_store *place);

/* AKIN_FAILED names the owner. A lock whose process has ended is taken over. */
AKIN_MUST_CHECK akin_status akin_memcache_store_lock(akin_memcache_store *place);
AKIN_MUST_CHECK akin_status akin_memcache_store_holder(akin_memcache_store *place,
                                                       akin_lease_holder *holder);
AKIN_MUST_CHECK akin_status
akin_memcache_store_keep(akin_memcache_store *place); /* AKIN_FAILED: the lock is lost */
AKIN_MUST_CHECK akin_status akin_memcache_store_is_mine(akin_memcache_store *place, bool *mine);
void akin_memcache_store_unlock(akin_memcache_store *place);
/* The error for a lock that is no longer ours. */
akin_status akin_memcache_store_lost(const akin_memcache_store *place);

#endif
