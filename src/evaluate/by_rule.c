/* by_rule: options of a table that fix how many of its neighbours have the label of the item. */
#include "by_rule.h"
#include <string.h>

static const struct {
    const char *option;
    akin_evaluate_label label;
    const char *words;
} fixed[] = {
    {"same-category=yes", AKIN_EVALUATE_CATEGORY,
     "made with --same-category: every neighbour has the item's category"},
    {"same=category", AKIN_EVALUATE_CATEGORY,
     "made with --same category: every neighbour has the item's category"},
    {"different=category", AKIN_EVALUATE_CATEGORY,
     "made with --different category: no neighbour has the item's category"},
    {"exclude-same-group=yes", AKIN_EVALUATE_GROUP,
     "made with --exclude-same-group: no neighbour has the item's group"},
    {"same=group", AKIN_EVALUATE_GROUP,
     "made with --same group: every neighbour has the item's group"},
    {"different=group", AKIN_EVALUATE_GROUP,
     "made with --different group: no neighbour has the item's group"},
};

/* One of the words between blanks is the option, or begins with it if that ends with "=". */
static bool holds(const char *options, const char *option) {
    size_t length = strlen(option);
    bool begins = option[length - 1] == '=';
    for (const char *at = options; at && (at = strstr(at, option)); at += length)
        if ((at == options || at[-1] == ' ') && (begins || !at[length] || at[length] == ' '))
            return true;
    return false;
}

const char *akin_by_rule_precision(const char *options, akin_evaluate_label label) {
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (fixed[i].label == label && holds(options, fixed[i].option)) return fixed[i].words;
    return NULL;
}

bool akin_by_rule_categories(const char *options) {
    return akin_by_rule_precision(options, AKIN_EVALUATE_CATEGORY) ||
           holds(options, "categories=") || holds(options, "only=category=") ||
           holds(options, "not=category=");
}
