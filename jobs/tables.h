/* tables: the options of the verbs that read a catalogue's table. */
#ifndef AKIN_TABLES_H
#define AKIN_TABLES_H

#include <akin/options.h>
#include <akin/source.h>

/* Entries of a table of options, to be followed by a comma. */
#define AKIN_TABLE_OPTIONS                                                                         \
    {.name = "columns",                                                                            \
     .type = AKIN_OPTION_TEXT,                                                                     \
     .argument = "TEXT",                                                                           \
     .help = "which columns of a CSV are what: \"id=NAME path=NAME ...\", also for category, "     \
             "group and available; of path=A,B the first that is not empty, of path=A[2] the "     \
             "second of the pictures that a cell lists; or an export: shopify, woocommerce or "    \
             "merchant, optionally followed by names"},                                            \
        {.name = "attributes",                                                                     \
         .type = AKIN_OPTION_TEXT,                                                                 \
         .argument = "TEXT",                                                                       \
         .help = "further columns of a CSV that the items keep: \"price:number brand:label "       \
                 "season:labels\"; a cell of labels has several between |"},                       \
        {.name = "bad-attribute",                                                                  \
         .type = AKIN_OPTION_CHOICE,                                                               \
         .choices = "empty|reject",                                                                \
         .help = "what a wrong value of an attribute does, such as a number that is none: it is "  \
                 "left out with a warning (without this option), or its row is rejected"},         \
        {.name = "separator",                                                                      \
         .type = AKIN_OPTION_CHOICE,                                                               \
         .initial = "auto",                                                                        \
         .choices = "auto|comma|semicolon|tab|pipe",                                               \
         .help = "between the fields of a CSV; auto: found from its header"},                      \
        {.name = "last-replaces",                                                                  \
         .type = AKIN_OPTION_FLAG,                                                                 \
         .unrecorded = true,                                                                       \
         .help = "rows of the last source replace those of the others with the same id"},          \
    {                                                                                              \
        .name = "encoding", .type = AKIN_OPTION_TEXT, .argument = "NAME",                          \
        .help = "of a CSV without a byte order mark: utf-8 (without this option), utf-16, "        \
                "utf-16le, utf-16be or windows-1252"                                               \
    }

/* Their names, and root: what the stages that read one table have in common. */
#define AKIN_TABLE_KEYS                                                                            \
    { "root", "columns", "separator", "encoding", "attributes", "bad-attribute", "last-replaces" }

/* AKIN_USAGE: one of them is wrong. Not collective. */
AKIN_MUST_CHECK akin_status akin_tables_params(const akin_options *options,
                                               akin_source_params *params);

#endif
