/* item_attributes: the attributes of items that rules can use, by name: category, group, available
 * (0 or 1), and the attributes of labels.h. Not collective. */
#ifndef AKIN_ITEM_ATTRIBUTES_H
#define AKIN_ITEM_ATTRIBUTES_H

#include <akin/hash.h>
#include <akin/labels.h>
#include <stdbool.h>

enum { AKIN_ITEM_ATTRIBUTE_AVAILABLE = -3 /* of the labels */ };

typedef struct {
    akin_labels *labels; /* borrowed */
    int which;           /* an attribute of the labels, or one of the three */
    bool number;
    bool many;     /* a value can consist of several, "a|b", ascending */
    size_t values; /* number of names; 0 for a number */
} akin_item_attribute;

/* False: the items have no attribute of this name. */
bool akin_item_attribute_find(akin_labels *labels, const char *name, akin_item_attribute *out);

/* For an item: the index of its name, -1 = none; for a number, its bits. */
int32_t akin_item_attribute_value(const akin_item_attribute *attribute, size_t item);
bool akin_item_attribute_none(const akin_item_attribute *attribute, int32_t value);
const char *akin_item_attribute_text(const akin_item_attribute *attribute, int32_t value);

/* Whether a value is `text`, or contains it as one of several. */
bool akin_item_attribute_is(const akin_item_attribute *attribute, int32_t value, const char *text);

/* Depends on the content alone: the same for any catalogue. */
void akin_item_attribute_hash(const akin_item_attribute *attribute, size_t item,
                              akin_hasher *hasher);

#endif
