/* memcache_lists: the lists of a table in memcached, in batches: whether each fits, sending those of
 * a generation, reading them back, comparing what is published, removing them. Not collective. */
#ifndef AKIN_MEMCACHE_LISTS_H
#define AKIN_MEMCACHE_LISTS_H

#include "memcache_store.h"
#include <akin/error.h>
#include <akin/sink.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct akin_memcache_lists akin_memcache_lists;

/* The lists of the source's table; both are borrowed. */
AKIN_MUST_CHECK akin_status akin_memcache_lists_create(akin_memcache_store *place,
                                                       const akin_sink_source *source,
                                                       bool ids_only, akin_memcache_lists **out);
void akin_memcache_lists_free(akin_memcache_lists *lists); /* NULL is fine */

/* Whether each list fits into an item of the servers: AKIN_INPUT, with the id. */
AKIN_MUST_CHECK akin_status akin_memcache_lists_check_sizes(akin_memcache_lists *lists);

/* Sends all of them as this generation, and counts them. */
AKIN_MUST_CHECK akin_status akin_memcache_lists_send(akin_memcache_lists *lists,
                                                     const char *generation,
                                                     akin_published *published);
/* Removes the lists sent as this generation, as far as the servers answer; lists NULL: none were
 * sent. */
void akin_memcache_lists_withdraw(akin_memcache_lists *lists, const char *generation);
/* Removes a generation as far as its ids are also in the new table; the rest is evicted when memory
 * is short. */
AKIN_MUST_CHECK akin_status akin_memcache_lists_forget(akin_memcache_lists *lists,
                                                       const char *generation);

/* Whether these rows, or all, are stored as they were sent: AKIN_FAILED, with the number and an id
 * of those that are not. */
AKIN_MUST_CHECK akin_status akin_memcache_lists_check(akin_memcache_lists *lists,
                                                      const char *generation, const size_t *rows,
                                                      size_t count);
AKIN_MUST_CHECK akin_status akin_memcache_lists_check_all(akin_memcache_lists *lists,
                                                          const char *generation);

/* The changes that publishing this table makes in the lists of that generation, which have ids only
 * or scores too. */
AKIN_MUST_CHECK akin_status akin_memcache_lists_compare(akin_memcache_lists *lists,
                                                        const char *generation, bool ids_only,
                                                        akin_publish_diff *change);

#endif
