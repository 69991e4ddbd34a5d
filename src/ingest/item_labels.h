/* item_labels: what the accepted rows of a source become in catalog.nc: ids, categories, groups,
 * attributes. Not collective. */
#ifndef AKIN_ITEM_LABELS_H
#define AKIN_ITEM_LABELS_H

#include <akin/error.h>
#include <akin/labels.h>
#include <akin/source.h>

/* Items [first, first + count) of the accepted: a bit of `accepted` for each position in the
 * source's order, `items` of them set. The names are those of all items. */
AKIN_MUST_CHECK akin_status akin_item_labels_create(const akin_source *source,
                                                    const int64_t *accepted, size_t items,
                                                    size_t first, size_t count, akin_labels **out);

#endif
