/* label_parts: splits the values of an attribute that has several per item, "a|b". Not collective.
 */
#ifndef AKIN_LABEL_PARTS_H
#define AKIN_LABEL_PARTS_H

#include "item_attributes.h"
#include <stdint.h>

typedef struct {
    uint32_t *first; /* [values + 1]: where the parts of each value begin in part */
    int32_t *part;   /* ascending within a value; equal numbers mean equal texts */
    size_t names;    /* number of different parts */
} akin_label_parts;

AKIN_MUST_CHECK akin_status akin_label_parts_create(const akin_item_attribute *attribute,
                                                    akin_label_parts **out);
void akin_label_parts_free(akin_label_parts *parts); /* NULL is fine */

#endif
