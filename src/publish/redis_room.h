/* redis_room: whether a Redis server has room for a new table beside the one that is read, and keeps
 * both. Not collective.
 */
#ifndef AKIN_REDIS_ROOM_H
#define AKIN_REDIS_ROOM_H

#include "listing.h"
#include "redis_store.h"
#include <akin/error.h>
#include <akin/ids.h>
#include <stddef.h>

/* Asks each server for its memory and its policy, before anything is written. AKIN_FAILED: there is
 * too little room. A policy that may throw away the live table is warned of; a server that does not
 * tell is taken as it is. */
AKIN_MUST_CHECK akin_status akin_redis_room_check(akin_redis_store *place, akin_listing *lists,
                                                  const akin_ids *ids, size_t items);

#endif
