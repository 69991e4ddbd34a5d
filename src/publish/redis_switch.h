/* redis_switch: replaces the published table in Redis by the staged one, or restores the previous
 * one: in one transaction, or in a cluster one per bucket and then the meta. Needs the lock of
 * redis_store.h, and releases it. Not collective. */
#ifndef AKIN_REDIS_SWITCH_H
#define AKIN_REDIS_SWITCH_H

#include "redis_store.h"
#include <akin/error.h>

/* :next becomes the live table, and the live one :prev, which expires after this many seconds. */
AKIN_MUST_CHECK akin_status akin_redis_switch_forward(akin_redis_store *store, double keep_seconds,
                                                      const akin_redis_meta *meta);
/* Exchanges the live table and :prev. */
AKIN_MUST_CHECK akin_status akin_redis_switch_back(akin_redis_store *store, double keep_seconds,
                                                   const akin_redis_meta *meta);

#endif
