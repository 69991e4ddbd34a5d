/* places: the options that say where tables are published and how a cache is spoken to, the same
 * for `publish` and `rollback`. Not collective.
 */
#ifndef AKIN_PLACES_H
#define AKIN_PLACES_H

#include <akin/json.h>
#include <akin/options.h>
#include <akin/sink.h>

/* Entries of a table of options, to be followed by a comma. */
#define AKIN_PLACE_OPTIONS                                                                         \
    {.name = "format",                                                                             \
     .type = AKIN_OPTION_CHOICE,                                                                   \
     .initial = "json",                                                                            \
     .choices = "json|ids",                                                                        \
     .help = "in a cache: JSON pairs of id and score, or ids joined by blanks"},                   \
        {.name = "buckets",                                                                        \
         .type = AKIN_OPTION_INT,                                                                  \
         .initial = "0",                                                                           \
         .minimum = 0,                                                                             \
         .maximum = 16384,                                                                         \
         .argument = "B",                                                                          \
         .help = "Redis: spread the catalogue over B hashes, for a cluster; 0 = one"},             \
        {.name = "keep-previous",                                                                  \
         .type = AKIN_OPTION_TEXT,                                                                 \
         .initial = "12h",                                                                         \
         .argument = "TIME",                                                                       \
         .help = "Redis: how long the table before is kept (30m, 12h, 2d)"},                       \
    {                                                                                              \
        .name = "timeout", .type = AKIN_OPTION_REAL, .initial = "30", .minimum = 0.1,              \
        .maximum = 86400, .argument = "SECONDS",                                                   \
        .help = "how long a server may take for an answer"                                         \
    }

/* "45s", "30m", "12h", "2d" or a number of seconds; false: it is none. */
bool akin_places_seconds(const char *text, double *seconds);

/* AKIN_USAGE: a time that is none. */
AKIN_MUST_CHECK akin_status akin_places_options(const akin_options *options,
                                                akin_sink_options *out);

/* For `run`: whether every place still holds what the entry of metrics.json says was published
 * there, so that it need not be published again. False where a place holds nothing, or cannot be
 * asked. A place that holds another table was rolled back, or published to by someone else: that is
 * not undone, only said (a warning; *left: how many), and true.
 */
bool akin_published_stands(const akin_json *entry, const akin_options *options, size_t *left);

/* "url", without its password. */
AKIN_MUST_CHECK akin_status akin_places_set_url(akin_json *object, const char *url);

#endif
