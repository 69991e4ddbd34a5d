/* hubs: how evenly a table recommends the items. Not collective. */
#ifndef AKIN_HUBS_H
#define AKIN_HUBS_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    double share;         /* of all places that the most recommended hundredth of the items (rounded
                             up) holds; NaN: there are no places */
    size_t never, seldom; /* items that are in no list; in at most one */
} akin_hubs;

/* times [items]: in how many lists each item is. */
AKIN_MUST_CHECK akin_status akin_hubs_measure(const int64_t *times, size_t items, akin_hubs *out);

#endif
