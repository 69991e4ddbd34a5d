/* addresses: the options of the verbs that fetch pictures from addresses. */
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
     .help = "the folder that keeps what was fetched for paths that are https:// addresses"},      \
        {.name = "s3-endpoint",                                                                    \
         .type = AKIN_OPTION_TEXT,                                                                 \
         .unrecorded = true,                                                                       \
         .is_address = true,                                                                       \
         .argument = "URL",                                                                        \
         .help = "where s3://bucket/key is fetched, without signing: URL/bucket/key"},             \
        {.name = "connections",                                                                    \
         .type = AKIN_OPTION_INT,                                                                  \
         .initial = "8",                                                                           \
         .minimum = 1,                                                                             \
         .maximum = 1024,                                                                          \
         .unrecorded = true,                                                                       \
         .argument = "N",                                                                          \
         .help = "transfers from one host at a time, over all ranks"},                             \
        {.name = "rate",                                                                           \
         .type = AKIN_OPTION_REAL,                                                                 \
         .initial = "100",                                                                         \
         .minimum = 0,                                                                             \
         .maximum = 1e6,                                                                           \
         .unrecorded = true,                                                                       \
         .argument = "N",                                                                          \
         .help = "requests to one host a second, over all ranks; 0 = no limit"},                   \
        {.name = "retries",                                                                        \
         .type = AKIN_OPTION_INT,                                                                  \
         .initial = "4",                                                                           \
         .minimum = 0,                                                                             \
         .maximum = 100,                                                                           \
         .unrecorded = true,                                                                       \
         .argument = "N",                                                                          \
         .help = "more tries, at growing distances, after a failure that may pass"},               \
        {.name = "fetch-timeout",                                                                  \
         .type = AKIN_OPTION_REAL,                                                                 \
         .initial = "60",                                                                          \
         .minimum = 0.1,                                                                           \
         .maximum = 86400,                                                                         \
         .unrecorded = true,                                                                       \
         .argument = "SECONDS",                                                                    \
         .help = "how long one transfer may take"},                                                \
        {.name = "max-bytes",                                                                      \
         .type = AKIN_OPTION_INT,                                                                  \
         .initial = "67108864",                                                                    \
         .minimum = 1,                                                                             \
         .maximum = 536870912,                                                                     \
         .unrecorded = true,                                                                       \
         .argument = "BYTES",                                                                      \
         .help = "a picture at an address that holds more is refused"},                            \
        {.name = "allow-private",                                                                  \
         .type = AKIN_OPTION_FLAG,                                                                 \
         .unrecorded = true,                                                                       \
         .help = "fetch addresses inside private networks too, this machine's own among them"},    \
    {                                                                                              \
        .name = "fresh", .type = AKIN_OPTION_TEXT, .initial = "12h", .unrecorded = true,           \
        .argument = "TIME",                                                                        \
        .help = "a fetch that left failures tries only those again for so long (30m, 12h, 2d)"     \
    }

/* All but max_pixels and offline. AKIN_USAGE: a time that is none, an endpoint that is no address.
 */
AKIN_MUST_CHECK akin_status akin_addresses_params(const akin_options *options,
                                                  akin_fetch_params *out);

/* addresses, fetched, unchanged, kept, failed, fetched_bytes. */
void akin_addresses_report(akin_json *report, const akin_fetch_result *result);

#endif
