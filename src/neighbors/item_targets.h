/* item_targets: which items the words of --only and --not, "ATTR=VALUE", bar from being a neighbour. */
#ifndef AKIN_ITEM_TARGETS_H
#define AKIN_ITEM_TARGETS_H

#include "item_attributes.h"
#include <akin/neighbors.h>

/* Sets target, [count], to 0 for the items that word w of an option and all later words about its
 * attribute, a, reject: those without one of the values if they are wanted, otherwise those with one;
 * and those without any value. Warns of a value that no item has. Not collective. */
AKIN_MUST_CHECK akin_status akin_item_targets_strike(const akin_neighbors_words *words, size_t w,
                                                     const akin_item_attribute *a,
                                                     const char *option, bool wanted,
                                                     uint8_t *target, size_t count);

#endif
