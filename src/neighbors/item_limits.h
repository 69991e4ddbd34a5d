/* item_limits: limits the number of neighbours with the same value in each list.
 *
 * A list is made by going through an item's neighbours, best first, and taking each one that
 * exceeds no limit. The comparison itself (topk.h) limits the number of items of the same kind,
 * that is, with the same values of all limited attributes, to the smallest of their limits. That is
 * sufficient for one attribute with one value per item. In other cases the lists of the comparison
 * are made longer, the limits are applied afterwards, and lists that prove too short are searched
 * again. */
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
    akin_item_attribute attribute; /* an attribute of the labels */
    int32_t most;
} akin_item_limit;

typedef struct akin_item_limits akin_item_limits;

/* count: from 1 to AKIN_ITEM_LIMITS_MOST. products: lists contain products, whose values are those
 * of their first pictures; NULL: lists contain items. Collective; agreed; same limits. */
AKIN_MUST_CHECK akin_status akin_item_limits_create(akin_comm *comm, const akin_vectors *vectors,
                                                    const akin_products *products,
                                                    const akin_item_limit *limits, size_t count,
                                                    akin_item_limits **out);
void akin_item_limits_free(akin_item_limits *limits); /* NULL is fine */

/* For the comparison; borrowed. */
const akin_topk_limits *akin_item_limits_kinds(const akin_item_limits *limits);

/* Whether limits must be applied to the lists of the comparison. */
bool akin_item_limits_several(const akin_item_limits *limits);

/* Makes the comparison keep `times` as many of each kind, for lists from which rows are removed before
 * the limits are applied. Not collective. */
AKIN_MUST_CHECK akin_status akin_item_limits_loosen(akin_item_limits *limits, int32_t times);

/* Removes duplicates (of [items]: the row that stands for each, -1 = none does) and the row `same`, -1 = none,
 * from a list of the comparison. The list ends before the first key behind which rows may be missing
 * that the comparison left out in favour of a removed one. Returns false if there is such a key. Requires
 * loosened limits. Not collective. */
bool akin_item_limits_remove(akin_item_limits *limits, const int32_t *of, int32_t same,
                             uint64_t *list, size_t width);

/* Keeps the first k keys of the list that exceed no limit, in place, followed by zeros. Returns how
 * many. taken: rows [taken_count] that are counted first and left out of the result. Not
 * collective. */
size_t akin_item_limits_take(akin_item_limits *limits, const int32_t *taken, size_t taken_count,
                             uint64_t *list, size_t width, size_t k);

#endif
