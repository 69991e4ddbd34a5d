/* label_attributes: the attributes of items inside labels - further columns of the catalogue, each
 * a number or an index into names. akin/labels.h has the public functions and the file format. Not
 * collective unless stated. */
#ifndef AKIN_LABEL_ATTRIBUTES_H
#define AKIN_LABEL_ATTRIBUTES_H

#include "label_names.h"
#include <akin/labels.h>

typedef struct {
    char name[AKIN_ATTRIBUTE_NAME_MAX + 1];
    akin_attribute_kind kind;
    float *numbers;         /* [items], of NUMBER; owned */
    int32_t *indices;       /* [items], of the others; owned */
    akin_label_names names; /* of the others */
} akin_label_attribute;

typedef struct {
    akin_label_attribute *all; /* [count] */
    size_t count, items;
} akin_label_attributes;

/* One more, of which no item has a value. */
AKIN_MUST_CHECK akin_status akin_label_attributes_add(akin_label_attributes *attributes,
                                                      const char *name, akin_attribute_kind kind,
                                                      size_t count, const char *const *values);
/* Reads rows [first, first + items) of the file's attributes. AKIN_INPUT: invalid. */
AKIN_MUST_CHECK akin_status akin_label_attributes_read(const akin_ncfile *file, size_t first,
                                                       akin_label_attributes *out);
void akin_label_attributes_define(const akin_label_attributes *attributes, akin_ncfile *file);
/* Collective. */
AKIN_MUST_CHECK akin_status akin_label_attributes_put(const akin_label_attributes *attributes,
                                                      akin_ncfile *file, akin_comm *comm,
                                                      size_t first);
void akin_label_attributes_release(akin_label_attributes *attributes);

#endif
