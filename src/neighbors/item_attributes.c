/* item_attributes: the attributes of items that rules can use. */
#include "item_attributes.h"
#include <akin/text.h>
#include <math.h>
#include <string.h>

enum { CATEGORY = -1, GROUP = -2, AVAILABLE = AKIN_ITEM_ATTRIBUTE_AVAILABLE };

bool akin_item_attribute_find(akin_labels *labels, const char *name, akin_item_attribute *out) {
    *out = (akin_item_attribute){.labels = labels};
    if (strcmp(name, "category") == 0) {
        out->which = CATEGORY, out->values = akin_labels_category_count(labels);
        return out->values > 0;
    }
    if (strcmp(name, "group") == 0) {
        out->which = GROUP, out->values = akin_labels_group_count(labels);
        return out->values > 0;
    }
    if (strcmp(name, "available") == 0) {
        out->which = AVAILABLE, out->values = 2;
        return true;
    }
    size_t a = akin_labels_find_attribute(labels, name);
    if (a == SIZE_MAX) return false;
    out->which = (int)a;
    out->number = akin_labels_attribute_kind(labels, a) == AKIN_ATTRIBUTE_NUMBER;
    out->many = akin_labels_attribute_kind(labels, a) == AKIN_ATTRIBUTE_LABELS;
    out->values = out->number ? 0 : akin_labels_attribute_value_count(labels, a);
    return true;
}

int32_t akin_item_attribute_value(const akin_item_attribute *a, size_t item) {
    switch (a->which) {
    case CATEGORY: return akin_labels_category(a->labels)[item];
    case GROUP: return akin_labels_group(a->labels)[item];
    case AVAILABLE: return akin_labels_available(a->labels)[item] != 0;
    }
    if (!a->number) return akin_labels_attribute_values(a->labels, (size_t)a->which)[item];
    int32_t bits;
    memcpy(&bits, &akin_labels_attribute_numbers(a->labels, (size_t)a->which)[item], sizeof bits);
    return bits;
}

const char *akin_item_attribute_text(const akin_item_attribute *a, int32_t value) {
    switch (a->which) {
    case CATEGORY: return akin_labels_category_name(a->labels, value);
    case GROUP: return akin_labels_group_name(a->labels, value);
    case AVAILABLE: return value > 0 ? "1" : "0";
    }
    return akin_labels_attribute_value(a->labels, (size_t)a->which, value);
}

static float number_of(int32_t bits) {
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

bool akin_item_attribute_none(const akin_item_attribute *a, int32_t value) {
    return a->number ? isnan(number_of(value)) : value < 0;
}

static bool is_flag(const char *text, bool on) {
    static const char *const words[2][3] = {{"0", "no", "false"}, {"1", "yes", "true"}};
    for (int w = 0; w < 3; w++)
        if (strcmp(text, words[on][w]) == 0) return true;
    return false;
}

bool akin_item_attribute_is(const akin_item_attribute *a, int32_t value, const char *text) {
    double number;
    if (a->number) return akin_text_to_real(text, &number) && number_of(value) == (float)number;
    if (value < 0) return false;
    if (a->which == AVAILABLE) return is_flag(text, value != 0);
    const char *name = akin_item_attribute_text(a, value);
    return a->many ? akin_text_has_part(name, text) : strcmp(name, text) == 0;
}

void akin_item_attribute_hash(const akin_item_attribute *a, size_t item, akin_hasher *hasher) {
    int32_t value = akin_item_attribute_value(a, item);
    if (!a->number) {
        char some = value >= 0;
        akin_hasher_add(hasher, &some, 1);
        akin_hasher_add_text(hasher, value >= 0 ? akin_item_attribute_text(a, value) : "");
        return;
    }
    float number = isnan(number_of(value)) ? NAN : number_of(value) + 0.0f;
    akin_hasher_add(hasher, &number, sizeof number);
}
