/* places: options for where tables are published and how a cache is addressed, those of
 * `publish`, `rollback` and `status`. Not collective. */
#ifndef AKIN_PLACES_H
#define AKIN_PLACES_H

#include <akin/comm.h>
#include <akin/json.h>
#include <akin/options.h>
#include <akin/sink.h>

/* Entries of a table of options, to be followed by a comma; with what each does in that verb. */
#define AKIN_PLACE_OPTIONS(FORMAT_HELP, KEEP_HELP, BUCKETS_HELP)                                   \
    {.name = "format",                                                                             \
     .type = AKIN_OPTION_CHOICE,                                                                   \
     .initial = "json",                                                                            \
     .choices = "json|ids",                                                                        \
     .help = FORMAT_HELP},                                                                         \
        {.name = "keep-previous",                                                                  \
         .type = AKIN_OPTION_TEXT,                                                                 \
         .initial = "12h",                                                                         \
         .argument = "TIME",                                                                       \
         .help = KEEP_HELP},                                                                       \
        AKIN_PLACE_SERVER_OPTIONS(BUCKETS_HELP)

/* Those of them that read-only verbs share. */
#define AKIN_PLACE_SERVER_OPTIONS(BUCKETS_HELP)                                                    \
    {.name = "buckets",                                                                            \
     .type = AKIN_OPTION_INT,                                                                      \
     .initial = "0",                                                                               \
     .minimum = 0,                                                                                 \
     .maximum = 16384,                                                                             \
     .argument = "B",                                                                              \
     .help = BUCKETS_HELP},                                                                        \
    {                                                                                              \
        .name = "timeout", .type = AKIN_OPTION_REAL, .initial = "30", .minimum = 0.1,              \
        .maximum = 86400, .argument = "SECONDS", .help = "time limit for an answer of a server"    \
    }

/* What --buckets is where nothing new is published. */
#define AKIN_PLACE_BUCKETS_PUBLISHED                                                               \
    "Redis: the B that the table was published with; needed only where the catalogue's meta, "     \
    "which "                                                                                       \
    "says it, is gone"

/* "45s", "30m", "12h", "2d" or a number of seconds; false if it is not a duration. */
bool akin_places_seconds(const char *text, double *seconds);

/* AKIN_USAGE if it is not a duration. */
AKIN_MUST_CHECK akin_status akin_places_options(const akin_options *options,
                                                akin_sink_options *out);

/* For `run`: whether every target still holds what metrics.json says was published there, so
 * that it need not be published again. False if a target holds nothing or cannot be asked. A
 * target that holds another table was rolled back, or someone else published to it: this is not
 * undone but only reported (a warning; *left: how many), and the answer is true. */
bool akin_published_stands(const akin_json *entry, const akin_options *options, size_t *left);

/* For `add`: AKIN_FAILED if what metrics.json says was published at a target was rolled back there,
 * and the options respect that. A target that cannot be asked is left to publish. */
AKIN_MUST_CHECK akin_status akin_published_refuse_rolled_back(const akin_json *entry,
                                                              const akin_options *options);

/* The targets of --to, how they are addressed, and what they hold. */
typedef struct {
    const char *const *urls; /* [count]; borrowed from the options */
    size_t count;
    akin_sink_options sink;
    akin_standing *standings; /* [count], zero at first; to be freed by akin_mem_free */
} akin_places;

/* Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_places_take(akin_comm *comm, const akin_options *options,
                                             akin_places *out);

/* "places" of a report, one for each target: "url", "published", generation, time, items, k, digest,
 * table_digest, format, buckets, "kept" (the same of what a rollback would restore, or null), "busy" (who is publishing, or null);
 * and the items of what is live at the first. `tell`, with its context, is called for each with its
 * URL, the password hidden. */
typedef void akin_places_tell(void *context, const char *url, const akin_standing *standing);
AKIN_MUST_CHECK akin_status akin_places_report(akin_json *report, const akin_places *places,
                                               akin_places_tell *tell, void *context);
/* "generation 12 of 2026-03-01T02:00:00Z, 300 items, k 5, format ids", as far as it is known. */
enum { AKIN_PLACES_EDITION = 512 };
void akin_places_edition_text(const akin_edition *edition, char out[AKIN_PLACES_EDITION]);

/* "url", without its password. */
AKIN_MUST_CHECK akin_status akin_places_set_url(akin_json *object, const char *url);

#endif
