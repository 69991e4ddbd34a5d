/* limited_lists: applies limits (item_limits.h) to the lists of the comparison. */
#ifndef AKIN_LIMITED_LISTS_H
#define AKIN_LIMITED_LISTS_H

#include "item_pins.h"
#include "item_rules.h"
#include <akin/comm.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

typedef struct {
    const akin_row_block_rules *rules;
    const akin_item_rules *more;
    const akin_item_pins *pins; /* are counted first; NULL: none */
    const int32_t
        *duplicate_of;     /* [items], see duplicates.h: they are removed first, and the limits
                                  * must be loosened; NULL: they stay */
    const uint64_t *lists; /* [count of the shard, stride], sorted */
    size_t stride;
    const uint64_t *horizon; /* [count]: exact down to this key (delta.h), 0: complete; or NULL */
} akin_limited_lists_source;

/* *out: [count, k], owned. *sought: number of lists on all ranks that were too short and were
 * searched again. Collective; agreed; same k. */
AKIN_MUST_CHECK akin_status akin_limited_lists(akin_comm *comm, const akin_vectors *vectors,
                                               const akin_limited_lists_source *source, size_t k,
                                               uint64_t **out, size_t *sought);

#endif
