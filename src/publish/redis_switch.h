/* redis_switch: the written table takes the place of the published one in Redis, or the one before
 * comes back: in one transaction, in a cluster one for each bucket and then the meta. Under the lock
 * of redis_store.h, which it gives up. Not collective. */
#ifndef AKIN_REDIS_SWITCH_H
#define AKIN_REDIS_SWITCH_H

#include "redis_store.h"
#include <akin/error.h>

/* :next becomes what readers find, and that becomes :prev, which ends after so many seconds. */
AKIN_MUST_CHECK akin_status akin_redis_switch_forward(akin_redis_store *store, double keep_seconds,
                                                      const akin_redis_meta *meta);
/* What readers find and :prev change places. */
AKIN_MUST_CHECK akin_status akin_redis_switch_back(akin_redis_store *store, double keep_seconds,
                                                   const akin_redis_meta *meta);

#endif
