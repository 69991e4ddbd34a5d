/* item_limits: at most so many neighbours of one value in each list.
 *
 * A list is what one gets who goes through an item's neighbours, best first, and takes each that
 * exceeds no limit. The comparison itself (topk.h) keeps items of the same kind, that is,
 * with the same values of all limited attributes, to the least of their limits: with one attribute
 * of one value for each item that is all. With several it is not: then the lists of the comparison
 * are longer, are gone through afterwards, and those that prove too short are searched again. */
#ifndef AKIN_ITEM_LIMITS_H
#define AKIN_ITEM_LIMITS_H

#include "item_attributes.h"
#include "label_parts.h"
#include "products.h"
#include <akin/comm.h>
#include <akin/topk.h>
#include <akin/vectors.h>

enum { AKIN_ITEM_LIMITS_MOST = 8 };

typedef struct {
    akin_item_attribute attribute; /* of labels */
    int32_t most;
} akin_item_limit;

typedef struct akin_item_limits akin_item_limits;

/* count >= 1, at most AKIN_ITEM_LIMITS_MOST. products: of lists that hold them, and what their first
 * pictures have; NULL: of items. Collective; agreed; same limits. */
AKIN_MUST_CHECK akin_status akin_item_limits_create(akin_comm *comm, const akin_vectors *vectors,
                                                    const akin_products *products,
                                                    const akin_item_limit *limits, size_t count,
                                                    akin_item_limits **out);
void akin_item_limits_free(akin_item_limits *limits); /* NULL is fine */

/* For the comparison; borrowed. */
const akin_topk_limits *akin_item_limits_kinds(const akin_item_limits *limits);

/* Whether the lists of the comparison have to be gone through. */
bool akin_item_limits_several(const akin_item_limits *limits);

/* The first k of the list's keys that exceed no limit, in place; what is behind them is 0. Returns
 * how many. taken: rows [taken_count] that count first, and are left out. Not collective. */
size_t akin_item_limits_take(akin_item_limits *limits, const int32_t *taken, size_t taken_count,
                             uint64_t *list, size_t width, size_t k);

#endif
