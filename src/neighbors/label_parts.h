/* label_parts: the parts of each value of an attribute that has several, "a|b". Not collective. */
#ifndef AKIN_LABEL_PARTS_H
#define AKIN_LABEL_PARTS_H

#include "item_attributes.h"
#include <stdint.h>

typedef struct {
    uint32_t *first; /* [values + 1]: of each value in part */
    int32_t *part;   /* ascending within a value; the same number is the same text */
    size_t names;    /* how many there are */
} akin_label_parts;

AKIN_MUST_CHECK akin_status akin_label_parts_create(const akin_item_attribute *attribute,
                                                    akin_label_parts **out);
void akin_label_parts_free(akin_label_parts *parts); /* NULL is fine */

#endif
