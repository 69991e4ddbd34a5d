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
     .help = "names of a CSV's columns: \"id=NAME path=NAME ...\", also category, group and "      \
             "available; path=A,B: the first that is not empty; path=A[2]: the second picture "    \
             "listed in a cell; or a preset for an export: shopify, woocommerce or merchant, "     \
             "optionally followed by names"},                                                      \
        {.name = "attributes",                                                                     \
         .type = AKIN_OPTION_TEXT,                                                                 \
         .argument = "TEXT",                                                                       \
         .help =                                                                                   \
             "further columns of a CSV to keep: \"price:number brand:label season:labels\"; a "    \
             "cell of labels holds several, separated by |"},                                      \
        {.name = "bad-attribute",                                                                  \
         .type = AKIN_OPTION_CHOICE,                                                               \
         .choices = "empty|reject",                                                                \
         .help = "an invalid value of an attribute, such as a number that cannot be read: leave "  \
                 "it empty and warn (the default), or reject its row"},                            \
        {.name = "separator",                                                                      \
         .type = AKIN_OPTION_CHOICE,                                                               \
         .initial = "auto",                                                                        \
         .choices = "auto|comma|semicolon|tab|pipe",                                               \
         .help = "the field separator of a CSV; auto: detected from its header"},                  \
        {.name = "last-replaces",                                                                  \
         .type = AKIN_OPTION_FLAG,                                                                 \
         .unrecorded = true,                                                                       \
         .help = "rows of the last source replace those with the same id in the others"},          \
    {                                                                                              \
        .name = "encoding", .type = AKIN_OPTION_TEXT, .argument = "NAME",                          \
        .help = "encoding of a CSV without a byte order mark: utf-8 (the default), utf-16, "       \
                "utf-16le, utf-16be, windows-1252 or iso-8859-1 (latin1; both are read as "        \
                "windows-1252)"                                                                    \
    }

/* An entry of a table of options, likewise. */
#define AKIN_WITHDRAWALS_OPTION                                                                    \
    {                                                                                              \
        .name = "withdrawals", .type = AKIN_OPTION_FLAG,                                           \
        .help = "rows that are not available need no picture: an address is not requested, and "   \
                "ingest gives a black one (akin add sets this, and takes such items out of the "   \
                "table)"                                                                           \
    }

/* Their names, and root: what the stages that read one table have in common. */
#define AKIN_TABLE_KEYS                                                                            \
    { "root", "columns", "separator", "encoding", "attributes", "bad-attribute", "last-replaces" }

/* AKIN_USAGE: one of them is wrong. Not collective. */
AKIN_MUST_CHECK akin_status akin_tables_params(const akin_options *options,
                                               akin_source_params *params);

#endif
