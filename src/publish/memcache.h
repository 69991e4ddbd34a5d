/* memcache: a connection to memcached servers; the one module with libmemcached. Not collective.
 *
 * Keys are spread over several servers by consistent hashing (ketama), as libmemcached's clients
 * know it. Writes can be sent in bulk, without answers: whoever does that reads back what must be
 * there.
 */
#ifndef AKIN_MEMCACHE_H
#define AKIN_MEMCACHE_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

enum { AKIN_MEMCACHE_KEY = 250 }; /* bytes of a key at most */

typedef struct akin_memcache akin_memcache;

/* servers: "host:port,host:port"; timeout: seconds. AKIN_USAGE: no such list. Does not connect yet.
 */
AKIN_MUST_CHECK akin_status akin_memcache_open(const char *servers, double timeout,
                                               akin_memcache **out);
void akin_memcache_close(akin_memcache *cache); /* NULL is fine */

/* With an answer. *value owned, with a NUL behind it; NULL: there is none. */
AKIN_MUST_CHECK akin_status akin_memcache_get(akin_memcache *cache, const char *key, char **value,
                                              size_t *length);
AKIN_MUST_CHECK akin_status akin_memcache_set(akin_memcache *cache, const char *key,
                                              const char *value);
/* Only where there is none: *added. It expires after so many seconds. */
AKIN_MUST_CHECK akin_status akin_memcache_add(akin_memcache *cache, const char *key,
                                              const char *value, int seconds, bool *added);
AKIN_MUST_CHECK akin_status akin_memcache_touch(akin_memcache *cache, const char *key, int seconds);
AKIN_MUST_CHECK akin_status akin_memcache_delete(akin_memcache *cache,
                                                 const char *key); /* none there: fine */

/* In bulk, without an answer. */
AKIN_MUST_CHECK akin_status akin_memcache_send_set(akin_memcache *cache, const char *key,
                                                   const char *value, size_t length);
AKIN_MUST_CHECK akin_status akin_memcache_send_delete(akin_memcache *cache, const char *key);
AKIN_MUST_CHECK akin_status akin_memcache_flush(akin_memcache *cache);

/* Calls `each` for every one of the keys that is there, in any order; what it returns ends the
 * reading. */
typedef akin_status (*akin_memcache_each)(void *context, const char *key, const char *value,
                                          size_t length);
AKIN_MUST_CHECK akin_status akin_memcache_get_many(akin_memcache *cache, const char *const *keys,
                                                   size_t count, akin_memcache_each each,
                                                   void *context);

/* The smallest item limit (key, value and some 60 bytes) of the servers. */
AKIN_MUST_CHECK akin_status akin_memcache_item_limit(akin_memcache *cache, size_t *bytes);

#endif
