/* redis_switch: replaces the published table in Redis by the staged one, or restores the previous
 * one: in one transaction, or in a cluster one per bucket and then the meta. Needs the lock of
 * redis_store.h, and releases it. Not collective. */
#ifndef AKIN_REDIS_SWITCH_H
#define AKIN_REDIS_SWITCH_H

#include "redis_store.h"
#include <akin/error.h>

/* AKIN_FAILED: what is live is no longer what this meta says. Publishers with one hash and those with
 * buckets have different locks, so one can end while the other is at work. */
AKIN_MUST_CHECK akin_status akin_redis_switch_check(akin_redis_store *store,
                                                    const akin_redis_meta *seen);

/* :next becomes the live table, and the live one :prev, which expires after this many seconds. Nothing
 * is switched over if akin_redis_switch_check fails: up to the transaction, or in a cluster, where all
 * have buckets and so a lock in common, right before the first. */
AKIN_MUST_CHECK akin_status akin_redis_switch_forward(akin_redis_store *store,
                                                      const akin_redis_meta *seen,
                                                      double keep_seconds,
                                                      const akin_redis_meta *meta);
/* Exchanges the live table and :prev; likewise. */
AKIN_MUST_CHECK akin_status akin_redis_switch_back(akin_redis_store *store,
                                                   const akin_redis_meta *seen, double keep_seconds,
                                                   const akin_redis_meta *meta);

#endif
