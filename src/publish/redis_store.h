/* redis_store: a catalogue in Redis: its keys, the servers that have them, its lock, and its
 * meta. Not collective.
 *
 *   akin:NAME        hash, id -> list: what a storefront reads
 *   akin:NAME:next   the one that is being written
 *   akin:NAME:prev   the previous one, for some time
 *   akin:NAME:lock   who is publishing; expires
 *   akin:NAME:meta   hash: generation, time, digest, items, k, model, format, buckets; and each of
 *                    them with the prefix previous_, for the previous table; rolled_back: the
 *                    digests of tables that were rolled back before the last publication
 *
 * With B buckets there are B hashes akin:{NAME:b}, b from 0, each with its own :next, :prev and
 * :lock, which a cluster keeps on one server; bucket.h computes the bucket of an id. */
#ifndef AKIN_REDIS_STORE_H
#define AKIN_REDIS_STORE_H

#include "lease.h"
#include "redis.h"
#include <akin/error.h>
#include <akin/sink.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct akin_redis_store akin_redis_store;

typedef struct {
    const char *live, *next, *prev, *lock; /* keys */
    akin_redis *server;
} akin_redis_hash;

typedef enum {
    AKIN_REDIS_GENERATION,
    AKIN_REDIS_TIME,
    AKIN_REDIS_DIGEST,
    AKIN_REDIS_ITEMS,
    AKIN_REDIS_K,
    AKIN_REDIS_MODEL,
    AKIN_REDIS_FORMAT,
    AKIN_REDIS_BUCKETS,
    AKIN_REDIS_FIELDS
} akin_redis_field;

enum { AKIN_REDIS_VALUE = 40, AKIN_REDIS_KEY = 160, AKIN_REDIS_LOCK_SECONDS = 60 };

/* "" = not given */
typedef struct {
    char now[AKIN_REDIS_FIELDS][AKIN_REDIS_VALUE], before[AKIN_REDIS_FIELDS][AKIN_REDIS_VALUE];
    char rolled_back[AKIN_ROLLED_BACK_SIZE];
} akin_redis_meta;

/* redis://[user:password@]host[:port][/db]?catalog=NAME, rediss://,
 * redis+unix:/path?catalog=NAME[&db=N]: AKIN_USAGE.
 */
AKIN_MUST_CHECK akin_status akin_redis_store_check(const char *url);
char *akin_redis_store_identity(const char *url); /* owned; NULL: out of memory */

/* Connects, and finds out which server has which key. */
AKIN_MUST_CHECK akin_status akin_redis_store_open(const char *url, const akin_sink_options *options,
                                                  akin_redis_store **out);
void akin_redis_store_close(akin_redis_store *place); /* NULL is fine */

/* From now on refers to the hashes of a catalogue with this number of buckets; at first, with that
 * of the options. */
AKIN_MUST_CHECK akin_status akin_redis_store_set_buckets(akin_redis_store *place, size_t buckets);
size_t akin_redis_store_buckets(const akin_redis_store *place);

size_t akin_redis_store_count(const akin_redis_store *place); /* number of hashes */
akin_redis_hash akin_redis_store_hash(const akin_redis_store *place, size_t index);
void akin_redis_store_drain(akin_redis_store *place); /* akin_redis_drain for all servers */
bool akin_redis_store_is_cluster(
    const akin_redis_store *place); /* no single transaction can contain all keys */
const char *akin_redis_store_name(const akin_redis_store *place); /* "akin:NAME", for messages */

AKIN_MUST_CHECK akin_status akin_redis_store_read_meta(akin_redis_store *place,
                                                       akin_redis_meta *meta);
/* The next transaction on its server fails if it is written until then. */
AKIN_MUST_CHECK akin_status akin_redis_store_watch_meta(akin_redis_store *place);
akin_redis *akin_redis_store_meta_server(const akin_redis_store *place);
/* Queues the two commands that replace the meta. */
AKIN_MUST_CHECK akin_status akin_redis_store_queue_meta(akin_redis_store *place,
                                                        const akin_redis_meta *meta);
/* The keys of this number of buckets expire after this many milliseconds, except those that the
 * table now has as well. */
AKIN_MUST_CHECK akin_status akin_redis_store_expire(akin_redis_store *place, size_t buckets,
                                                    const char *milliseconds);

/* Takes the locks of all hashes: AKIN_FAILED names the owner of one. A lock whose process has
 * ended is taken over. */
AKIN_MUST_CHECK akin_status akin_redis_store_lock(akin_redis_store *place);
AKIN_MUST_CHECK akin_status
akin_redis_store_keep(akin_redis_store *place); /* for another AKIN_REDIS_LOCK_SECONDS */
/* Queues the two commands after which a transaction on this hash fails if the lock is lost in
 * the meantime, and takes their answers: AKIN_FAILED if it is already lost. */
AKIN_MUST_CHECK akin_status akin_redis_store_queue_guard(akin_redis_store *place,
                                                         const akin_redis_hash *hash);
AKIN_MUST_CHECK akin_status akin_redis_store_take_guard(akin_redis_store *place,
                                                        const akin_redis_hash *hash);
/* The owner of the first hash's lock. */
AKIN_MUST_CHECK akin_status akin_redis_store_holder(akin_redis_store *place,
                                                    akin_lease_holder *holder);
/* The error for a transaction that was refused because of that. */
akin_status akin_redis_store_lost(const akin_redis_store *place);

#endif
