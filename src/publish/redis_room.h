/* redis_room: whether a Redis server has room for a new table next to the live one, and will not
 * evict either. Not collective.
 */
#ifndef AKIN_REDIS_ROOM_H
#define AKIN_REDIS_ROOM_H

#include "listing.h"
#include "redis_store.h"
#include <akin/error.h>
#include <akin/ids.h>
#include <stddef.h>

/* Asks each server for its memory and eviction policy, before anything is written. AKIN_FAILED: too
 * little room. Warns if the policy may evict the live table; a server that does not report them is
 * accepted. */
AKIN_MUST_CHECK akin_status akin_redis_room_check(akin_redis_store *place, akin_listing *lists,
                                                  const akin_ids *ids, size_t items);

#endif
