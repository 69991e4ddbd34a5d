/* addresses: options of the verbs that download pictures. */
#ifndef AKIN_ADDRESSES_H
#define AKIN_ADDRESSES_H

#include <akin/fetch.h>
#include <akin/json.h>
#include <akin/options.h>

/* Entries of a table of options, to be followed by a comma. */
#define AKIN_ADDRESS_OPTIONS                                                                       \
    {.name = "cache",                                                                              \
     .type = AKIN_OPTION_TEXT,                                                                     \
     .unrecorded = true,                                                                           \
     .argument = "DIR",                                                                            \
     .help = "the folder that keeps downloads of paths that are https:// addresses"},              \
        {.name = "s3-endpoint",                                                                    \
         .type = AKIN_OPTION_TEXT,                                                                 \
         .unrecorded = true,                                                                       \
         .is_address = true,                                                                       \
         .argument = "URL",                                                                        \
         .help = "download s3://bucket/key from URL/bucket/key, unsigned"},                        \
        {.name = "connections",                                                                    \
         .type = AKIN_OPTION_INT,                                                                  \
         .initial = "8",                                                                           \
         .minimum = 1,                                                                             \
         .maximum = 1024,                                                                          \
         .unrecorded = true,                                                                       \
         .argument = "N",                                                                          \
         .help = "concurrent downloads per host, over all ranks"},                                 \
        {.name = "rate",                                                                           \
         .type = AKIN_OPTION_REAL,                                                                 \
         .initial = "100",                                                                         \
         .minimum = 0,                                                                             \
         .maximum = 1e6,                                                                           \
         .unrecorded = true,                                                                       \
         .argument = "N",                                                                          \
         .help = "requests per second and host, over all ranks; 0 = no limit"},                    \
        {.name = "retries",                                                                        \
         .type = AKIN_OPTION_INT,                                                                  \
         .initial = "4",                                                                           \
         .minimum = 0,                                                                             \
         .maximum = 100,                                                                           \
         .unrecorded = true,                                                                       \
         .argument = "N",                                                                          \
         .help = "retries after a temporary failure, at increasing intervals"},                    \
        {.name = "fetch-timeout",                                                                  \
         .type = AKIN_OPTION_REAL,                                                                 \
         .initial = "60",                                                                          \
         .minimum = 0.1,                                                                           \
         .maximum = 86400,                                                                         \
         .unrecorded = true,                                                                       \
         .argument = "SECONDS",                                                                    \
         .help = "time limit of one download"},                                                    \
        {.name = "max-bytes",                                                                      \
         .type = AKIN_OPTION_INT,                                                                  \
         .initial = "67108864",                                                                    \
         .minimum = 1,                                                                             \
         .maximum = 536870912,                                                                     \
         .unrecorded = true,                                                                       \
         .argument = "BYTES",                                                                      \
         .help = "reject a download larger than this"},                                            \
        {.name = "allow-private",                                                                  \
         .type = AKIN_OPTION_FLAG,                                                                 \
         .unrecorded = true,                                                                       \
         .help = "also download from private networks and from this machine"},                     \
    {                                                                                              \
        .name = "fresh", .type = AKIN_OPTION_TEXT, .initial = "12h", .unrecorded = true,           \
        .argument = "TIME",                                                                        \
        .help = "for this long after a run with failures, only retry the failures (30m, 12h, 2d)"  \
    }

/* Sets all but max_pixels and offline. AKIN_USAGE: not a duration, or an endpoint that is not an
 * address. */
AKIN_MUST_CHECK akin_status akin_addresses_params(const akin_options *options,
                                                  akin_fetch_params *out);

/* addresses, fetched, unchanged, kept, failed, fetched_bytes. */
void akin_addresses_report(akin_json *report, const akin_fetch_result *result);

#endif
