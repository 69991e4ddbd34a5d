/* label_kinds: categories and groups, for what treats both alike (label_kinds.h). */
#include "label_kinds.h"

static const char *category_at(const akin_labels *labels, size_t which, int32_t index) {
    (void)which;
    return akin_labels_category_name(labels, index);
}

static const char *group_at(const akin_labels *labels, size_t which, int32_t index) {
    (void)which;
    return akin_labels_group_name(labels, index);
}

const akin_label_kind akin_label_kinds[AKIN_LABEL_KINDS] = {
    {akin_labels_category_count, category_at, akin_labels_category, akin_labels_set_category_names},
    {akin_labels_group_count, group_at, akin_labels_group, akin_labels_set_group_names}};
