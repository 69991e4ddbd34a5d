/* label_kinds: categories and groups, for code that treats both alike. Not collective. */
#ifndef AKIN_LABEL_KINDS_H
#define AKIN_LABEL_KINDS_H

#include <akin/labels.h>

/* As akin_labels_attribute_value; `which` has a meaning there only. */
typedef const char *akin_label_name_at(const akin_labels *labels, size_t which, int32_t index);

typedef struct {
    size_t (*count)(const akin_labels *labels);
    akin_label_name_at *name;
    int32_t *(*indices)(akin_labels *labels);
    akin_status (*set_names)(akin_labels *labels, size_t count, const char *const *names);
} akin_label_kind;

enum { AKIN_LABEL_KINDS = 2 };
extern const akin_label_kind akin_label_kinds[AKIN_LABEL_KINDS];

#endif
