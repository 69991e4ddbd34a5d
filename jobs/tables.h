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
        {.name = "separator",                                                                      \
         .type = AKIN_OPTION_CHOICE,                                                               \
         .initial = "auto",                                                                        \
         .choices = "auto|comma|semicolon|tab|pipe",                                               \
         .help = "between the fields of a CSV; auto: found from its header"},                      \
    {                                                                                              \
        .name = "encoding", .type = AKIN_OPTION_TEXT, .argument = "NAME",                          \
        .help = "of a CSV without a byte order mark: utf-8 (without this option), utf-16, "        \
                "utf-16le, utf-16be or windows-1252"                                               \
    }

/* AKIN_USAGE: one of them is wrong. Not collective. */
AKIN_MUST_CHECK akin_status akin_tables_params(const akin_options *options,
                                               akin_source_params *params);

#endif
