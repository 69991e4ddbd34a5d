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

static inline akin_neighbors_rules akin_rules_of(const akin_options *o) {
    return (akin_neighbors_rules){
        akin_options_flag(o, "same-category"), akin_options_flag(o, "exclude-same-group"),
        akin_options_flag(o, "only-available"), akin_options_real(o, "min-score")};
}

#endif
