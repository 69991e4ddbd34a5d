/* memcache: a connection to memcached servers; the one module with libmemcached. Not collective.
 * Keys are distributed over several servers by consistent hashing (ketama), as in libmemcached's
 * clients. Writes can be sent in bulk, without answers; the caller then reads back what has to
 * be there. */
#ifndef AKIN_MEMCACHE_H
#define AKIN_MEMCACHE_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

enum { AKIN_MEMCACHE_KEY = 250 }; /* maximum bytes of a key */

typedef struct akin_memcache akin_memcache;

/* servers: "host:port,host:port"; timeout: seconds. AKIN_USAGE: not such a list. Does not
 * connect yet. */
AKIN_MUST_CHECK akin_status akin_memcache_open(const char *servers, double timeout,
                                               akin_memcache **out);
void akin_memcache_close(akin_memcache *cache); /* NULL is fine */

/* With an answer. *value is owned and NUL-terminated; NULL: not found. */
AKIN_MUST_CHECK akin_status akin_memcache_get(akin_memcache *cache, const char *key, char **value,
                                              size_t *length);
AKIN_MUST_CHECK akin_status akin_memcache_set(akin_memcache *cache, const char *key,
                                              const char *value);
/* Only if the key does not exist: *added. It expires after this many seconds. */
AKIN_MUST_CHECK akin_status akin_memcache_add(akin_memcache *cache, const char *key,
                                              const char *value, int seconds, bool *added);
AKIN_MUST_CHECK akin_status akin_memcache_touch(akin_memcache *cache, const char *key, int seconds);
AKIN_MUST_CHECK akin_status akin_memcache_delete(akin_memcache *cache,
                                                 /* no error if it does not exist */
                                                 const char *key);

/* In bulk, without an answer. */
AKIN_MUST_CHECK akin_status akin_memcache_send_set(akin_memcache *cache, const char *key,
                                                   const char *value, size_t length);
AKIN_MUST_CHECK akin_status akin_memcache_send_delete(akin_memcache *cache, const char *key);
AKIN_MUST_CHECK akin_status akin_memcache_flush(akin_memcache *cache);

/* Calls `each` for every key that exists, in any order; a result other than AKIN_OK stops the
 * reading. */
typedef akin_status (*akin_memcache_each)(void *context, const char *key, const char *value,
                                          size_t length);
AKIN_MUST_CHECK akin_status akin_memcache_get_many(akin_memcache *cache, const char *const *keys,
                                                   size_t count, akin_memcache_each each,
                                                   void *context);

/* The smallest item limit (key, value and some 60 bytes) of the servers. */
AKIN_MUST_CHECK akin_status akin_memcache_item_limit(akin_memcache *cache, size_t *bytes);

#endif
