/* redis_stage: writes a catalogue's new lists into :next, which no reader uses. Not collective.
 * The caller holds the lock. Each block of lists is a transaction that fails if the lock was
 * lost in the meantime (WATCH), so two publishers never mix; while the server works on one
 * block, the next is formatted. */
#ifndef AKIN_REDIS_STAGE_H
#define AKIN_REDIS_STAGE_H

#include "listing.h"
#include "redis_store.h"
#include <akin/error.h>
#include <akin/sink.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct akin_redis_stage akin_redis_stage;

/* All borrowed. buckets: as the user gave it, 0 = one hash. */
AKIN_MUST_CHECK akin_status akin_redis_stage_create(akin_redis_store *place, size_t buckets,
                                                    akin_listing *lists,
                                                    const akin_sink_source *source,
                                                    akin_redis_stage **out);
void akin_redis_stage_free(akin_redis_stage *stage); /* NULL is fine */

/* Removes :next. */
AKIN_MUST_CHECK akin_status akin_redis_stage_clear(akin_redis_stage *stage);
/* The server copies the live table to :next; *copied false: it cannot (COPY was added in Redis
 * 6.2). */
AKIN_MUST_CHECK akin_status akin_redis_stage_copy(akin_redis_stage *stage, bool *copied);
/* Removes the ids of removed items from :next. */
AKIN_MUST_CHECK akin_status akin_redis_stage_remove(akin_redis_stage *stage,
                                                    const akin_publish_diff *change);
/* Adds the list of a row. */
AKIN_MUST_CHECK akin_status akin_redis_stage_add(akin_redis_stage *stage, size_t row,
                                                 akin_published *published);
/* Waits until everything is sent and answered. */
AKIN_MUST_CHECK akin_status akin_redis_stage_finish(akin_redis_stage *stage);

#endif
