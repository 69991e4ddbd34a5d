/* by_rule: options of a table that fix how many of its neighbours have the label of the row. */
#include "by_rule.h"
#include <akin/options.h>
#include <string.h>

static const struct {
    const char *option;
    akin_evaluate_label label;
    const char *words;
} fixed[] = {
    {"same-category=yes", AKIN_EVALUATE_CATEGORY,
     "made with --same-category: every neighbour has the same category"},
    {"same=category", AKIN_EVALUATE_CATEGORY,
     "made with --same category: every neighbour has the same category"},
    {"different=category", AKIN_EVALUATE_CATEGORY,
     "made with --different category: no neighbour has the same category"},
    {"exclude-same-group=yes", AKIN_EVALUATE_GROUP,
     "made with --exclude-same-group: no neighbour has the same group"},
    {"same=group", AKIN_EVALUATE_GROUP,
     "made with --same group: every neighbour has the same group"},
    {"different=group", AKIN_EVALUATE_GROUP,
     "made with --different group: no neighbour has the same group"},
};

static const char *find_fixed(char *const *words, size_t count, akin_evaluate_label label) {
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        for (size_t w = 0; w < count; w++)
            if (fixed[i].label == label && strcmp(words[w], fixed[i].option) == 0)
                return fixed[i].words;
    return NULL;
}

akin_status akin_by_rule_precision(const char *options, akin_evaluate_label label,
                                   const char **why) {
    char **words;
    size_t count;
    *why = NULL;
    akin_status status = akin_options_recorded(options, &words, &count);
    if (status == AKIN_OK) *why = find_fixed(words, count, label);
    akin_options_free_words(words, count);
    return status;
}

akin_status akin_by_rule_categories(const char *options, bool *named) {
    static const char *const rules[] = {"categories=", "only=category=", "not=category="};
    char **words;
    size_t count;
    akin_status status = akin_options_recorded(options, &words, &count);
    *named = status == AKIN_OK && find_fixed(words, count, AKIN_EVALUATE_CATEGORY);
    for (size_t r = 0; status == AKIN_OK && r < sizeof rules / sizeof *rules; r++)
        *named = *named || akin_options_after(words, count, rules[r]);
    akin_options_free_words(words, count);
    return status;
}

akin_status akin_by_rule_available(const char *options, bool *only) {
    char **words;
    size_t count;
    akin_status status = akin_options_recorded(options, &words, &count);
    *only = status == AKIN_OK && akin_options_after(words, count, "only-available=yes");
    akin_options_free_words(words, count);
    return status;
}
