/* qdrant_store: an alias in Qdrant, a vector database: requests to its REST API, the collections of
 * the alias, and its lock. Not collective.
 *
 * <alias>             alias: what a storefront queries
 * <alias>-previous    alias: the previous generation
 * akin-lock-<alias>   collection: created by the publisher, which fails if it exists (Qdrant has
 *                     no other lock); the payload of its only point has its holder and when it
 *                     expires, by the holder's clock */
#ifndef AKIN_QDRANT_STORE_H
#define AKIN_QDRANT_STORE_H

#include "lease.h"
#include <akin/error.h>
#include <akin/json.h>
#include <akin/sink.h>

enum { AKIN_QDRANT_COLLECTION = 256 }; /* bytes of a collection's name, with its NUL */

typedef struct akin_qdrant_store akin_qdrant_store;

/* qdrant://host[:port]/NAME, qdrants://: AKIN_USAGE. */
AKIN_MUST_CHECK akin_status akin_qdrant_store_check(const char *url);
char *akin_qdrant_store_identity(const char *url); /* owned; NULL: out of memory */

AKIN_MUST_CHECK akin_status akin_qdrant_store_open(const char *url,
                                                   const akin_sink_options *options,
                                                   akin_qdrant_store **out);
void akin_qdrant_store_close(akin_qdrant_store *place); /* releases the lock; NULL is fine */

/* *answer (may be NULL): the complete answer, owned. AKIN_FAILED for any HTTP status but 2xx. */
AKIN_MUST_CHECK akin_status akin_qdrant_store_ask(akin_qdrant_store *place, const char *method,
                                                  const char *path, const char *body,
                                                  akin_json **answer);
/* The same for /collections/<collection><rest>. */
AKIN_MUST_CHECK akin_status akin_qdrant_store_ask_of(akin_qdrant_store *place, const char *method,
                                                     const char *collection, const char *rest,
                                                     const char *body, akin_json **answer);

const char *akin_qdrant_store_alias(const akin_qdrant_store *place);
/* The collections of the alias and of -previous when last queried; "" = none. Borrowed. */
AKIN_MUST_CHECK akin_status akin_qdrant_store_read_aliases(akin_qdrant_store *place);
const char *akin_qdrant_store_live(const akin_qdrant_store *place);
const char *akin_qdrant_store_before(const akin_qdrant_store *place);
/* The digest in the name of the further alias <alias>-rolled-back-<slot>-<digest>, slots up to
 * AKIN_ROLLED_BACK_TABLES; "" = none. */
const char *akin_qdrant_store_rolled_back(const akin_qdrant_store *place, size_t slot);

/* AKIN_FAILED names the owner. A lock that has expired, or whose process has ended, is taken
 * over. */
AKIN_MUST_CHECK akin_status akin_qdrant_store_lock(akin_qdrant_store *place);
/* The owner of the lock. */
AKIN_MUST_CHECK akin_status akin_qdrant_store_holder(akin_qdrant_store *place,
                                                     akin_lease_holder *holder);
/* Checks that the lock is still ours and extends it; AKIN_FAILED: it is lost. Does nothing without
 * a lock. */
AKIN_MUST_CHECK akin_status akin_qdrant_store_keep(akin_qdrant_store *place);
void akin_qdrant_store_unlock(akin_qdrant_store *place);

#endif
