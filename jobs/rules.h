/* rules: options for which neighbours are wanted, the same for `neighbors` and `query`. Not
 * collective. */
#ifndef AKIN_RULES_H
#define AKIN_RULES_H

#include <akin/neighbors.h>
#include <akin/options.h>
#include <akin/topk.h>

/* Entries of a table of options, to be followed by a comma. */
#define AKIN_RULE_OPTIONS                                                                          \
    {.name = "k",                                                                                  \
     .letter = 'k',                                                                                \
     .type = AKIN_OPTION_INT,                                                                      \
     .initial = "20",                                                                              \
     .minimum = 1,                                                                                 \
     .maximum = AKIN_TOPK_MAX,                                                                     \
     .shapes_result = true,                                                                        \
     .argument = "N",                                                                              \
     .help = "neighbours per item"},                                                               \
        {.name = "min-score",                                                                      \
         .type = AKIN_OPTION_REAL,                                                                 \
         .initial = "-1",                                                                          \
         .minimum = -1,                                                                            \
         .maximum = 1,                                                                             \
         .shapes_result = true,                                                                    \
         .argument = "S",                                                                          \
         .help = "keep only neighbours with a cosine of at least S"},                              \
        {.name = "same-category",                                                                  \
         .type = AKIN_OPTION_FLAG,                                                                 \
         .shapes_result = true,                                                                    \
         .help = "only neighbours of the item's category; items without one get none"},            \
        {.name = "exclude-same-group",                                                             \
         .type = AKIN_OPTION_FLAG,                                                                 \
         .shapes_result = true,                                                                    \
         .help = "no neighbours of the item's own group"},                                         \
        {.name = "only-available",                                                                 \
         .type = AKIN_OPTION_FLAG,                                                                 \
         .shapes_result = true,                                                                    \
         .help = "recommend only available items"},                                                \
    {                                                                                              \
        .name = "ids", .type = AKIN_OPTION_TEXT, .argument = "FILE",                               \
        .help = "ids of the rows of a .npy file, one per line (default: row numbers)"              \
    }

/* Rules for each source item. */
#define AKIN_ITEM_RULE(option, value, text)                                                        \
    {                                                                                              \
        .name = option, .type = AKIN_OPTION_LIST, .shapes_result = true, .argument = value,        \
        .help = text                                                                               \
    }
#define AKIN_ITEM_RULE_OPTIONS                                                                     \
    AKIN_ITEM_RULE("same", "ATTR", "only neighbours with the item's value of ATTR"),               \
        AKIN_ITEM_RULE("different", "ATTR", "only neighbours with another value of ATTR"),         \
        AKIN_ITEM_RULE("within", "ATTR=LOW..HIGHx",                                                \
                       "only neighbours whose ATTR is LOW to HIGH times the item's; without x: "   \
                       "LOW to HIGH more"),                                                        \
        AKIN_ITEM_RULE("at-most", "ATTR=N",                                                        \
                       "at most N neighbours of one value of ATTR in a list"),                     \
        AKIN_ITEM_RULE("only", "ATTR=VALUE", "recommend only items with this value of ATTR"),      \
        AKIN_ITEM_RULE("not", "ATTR=VALUE", "recommend no items with this value of ATTR"),         \
        AKIN_ITEM_RULE("categories", "FILE", "CSV from,to: which categories may recommend which"), \
        AKIN_ITEM_RULE("boost", "ATTR=WEIGHT",                                                     \
                       "add WEIGHT times the item's rank by ATTR, in [0, 1], to its scores"),      \
        {.name = "damp-hubs",                                                                      \
         .type = AKIN_OPTION_FLAG,                                                                 \
         .shapes_result = true,                                                                    \
         .help = "subtract from an item's scores its mean score with its own neighbours"},         \
        AKIN_ITEM_RULE("pins", "FILE", "CSV id,neighbor[,rank]: neighbours to put first"),         \
        AKIN_ITEM_RULE("blocks", "FILE",                                                           \
                       "CSV id,neighbor: pairs not to recommend; * for every item")

static inline akin_neighbors_rules akin_rules_of(const akin_options *o) {
    return (akin_neighbors_rules){.same_category = akin_options_flag(o, "same-category"),
                                  .exclude_same_group = akin_options_flag(o, "exclude-same-group"),
                                  .only_available = akin_options_flag(o, "only-available"),
                                  .min_score = akin_options_real(o, "min-score")};
}

static inline akin_neighbors_words akin_rules_words(const akin_options *o, const char *name) {
    akin_neighbors_words words;
    words.count = akin_options_list(o, name, &words.words);
    return words;
}

static inline akin_neighbors_rules akin_item_rules_of(const akin_options *o) {
    akin_neighbors_rules rules = akin_rules_of(o);
    rules.same = akin_rules_words(o, "same");
    rules.different = akin_rules_words(o, "different");
    rules.within = akin_rules_words(o, "within");
    rules.only = akin_rules_words(o, "only");
    rules.barred = akin_rules_words(o, "not");
    rules.at_most = akin_rules_words(o, "at-most");
    rules.categories = akin_rules_words(o, "categories");
    rules.boost = akin_rules_words(o, "boost");
    rules.pins = akin_rules_words(o, "pins");
    rules.damp_hubs = akin_options_flag(o, "damp-hubs");
    rules.blocks = akin_rules_words(o, "blocks");
    return rules;
}

#endif
