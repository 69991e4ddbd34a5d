/* sink: a kind of target to which a table can be published. A new one is a module sink_<name>.c
 * and a line in the table of sink.c. Not collective: the one rank that publishes calls, the
 * others learn the outcome through akin_agree. Publishing proceeds in steps, each for all
 * targets before the next: open and look (nothing is written), prepare, compare, stage (written
 * where no reader sees it), commit (readers see it, at once and completely), verify (read back).
 * So a target that is unavailable stops the others too. */
#ifndef AKIN_SINK_H
#define AKIN_SINK_H

#include <akin/embeddings.h>
#include <akin/error.h>
#include <akin/hash.h>
#include <akin/ids.h>
#include <akin/labels.h>
#include <akin/publish_diff.h>
#include <akin/rolled_back.h>
#include <akin/table.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    bool ids_only;        /* caches: only the ids, joined by blanks */
    size_t buckets;       /* Redis: hashes that a catalogue is spread over; 0 = one, under the
                     * catalogue's name */
    double keep_previous; /* seconds that a cache keeps the previous table, if it supports expiry */
    double timeout;       /* seconds that a server may take for an answer */
} akin_sink_options;

/* What is published; borrowed until the target is closed. Either a table or embeddings: the
 * other is NULL. */
typedef struct {
    const akin_table *table;
    const akin_ids *ids; /* of all items */
    const akin_embeddings *embeddings;
    akin_labels *labels; /* of the embeddings' items */
    size_t items;
    const char *digest;          /* content_digest of the file */
    const char *model;           /* digest of the model that it was made with; "" unknown */
    const char *previous_digest; /* of the table that `change` was measured against; "" none */
    const akin_publish_diff *change;
    /* Called now and then during long work: shows progress, renews the other targets' locks, and
     * stops at a signal (AKIN_INTERRUPTED). */
    akin_status (*pulse)(void *context, const char *doing, size_t done, size_t total);
    void *context;
} akin_sink_source;

/* What readers find now. */
typedef struct {
    bool there;
    size_t items;                            /* 0: unknown */
    char digest[AKIN_HASH_TEXT_SIZE];        /* as in akin_published; "" = unknown */
    char table_digest[AKIN_HASH_TEXT_SIZE];  /* "" = unknown */
    char rolled_back[AKIN_ROLLED_BACK_SIZE]; /* digests of tables rolled back here */
} akin_live;

enum { AKIN_EDITION_NAME = 256, AKIN_EDITION_TIME = 32, AKIN_STANDING_BUSY = 400 };

/* A published table as its target describes it. */
typedef struct {
    bool there;
    size_t items, k;                    /* 0: unknown */
    double seconds_left;                /* until the target drops it; 0: no end is known */
    char generation[AKIN_EDITION_NAME]; /* as the target names it; "" = it does not */
    char time[AKIN_EDITION_TIME];       /* of publication, "2026-01-31T02:00:00Z"; "" = unknown */
    char digest[AKIN_HASH_TEXT_SIZE];   /* as in akin_published; "" = unknown */
    char table_digest[AKIN_HASH_TEXT_SIZE]; /* of its table.nc; "" = unknown */
    char format[8], buckets[8]; /* "ids", "4": of a cache, how it was published; "" = no such
                                         * choice, or unknown */
} akin_edition;

/* What readers find, what a rollback would restore, and who is publishing ("": nobody). */
typedef struct {
    akin_edition live, kept;
    char busy[AKIN_STANDING_BUSY];
} akin_standing;

/* What was published where. */
typedef struct {
    uint64_t bytes;                   /* of the file; of the keys and values that were sent */
    size_t sent;                      /* lists that were sent */
    char digest[AKIN_HASH_TEXT_SIZE]; /* identifies it: XXH3-128 of a file's bytes, otherwise the
                                       * content_digest */
    bool already;                     /* it was already there */
} akin_published;

typedef struct akin_target akin_target; /* each sink defines its own body */

typedef enum { AKIN_SINK_TABLE, AKIN_SINK_EMBEDDINGS } akin_sink_input;

typedef struct {
    const char *schemes[4]; /* "file" of file:PATH; ends with NULL */
    const char *forms;      /* "file:PATH.jsonl, file:PATH.csv": for messages */
    akin_sink_input input;
    const char *heeds[4]; /* which of the options of publish.h's akin_publish_heeds it uses; ends
                           * with NULL */

    /* Checks the text only: AKIN_USAGE if the sink does not accept the URL. */
    akin_status (*check_url)(const char *url);
    /* Text that is the same for two URLs of one target. Owned; NULL: out of memory. */
    char *(*identity)(const char *url);
    /* Whether publishing there would overwrite this file; NULL: never. */
    bool (*overwrites)(const char *url, const char *path);

    akin_status (*open)(const char *url, const akin_sink_options *options, akin_target **out);
    akin_status (*look)(akin_target *target, akin_live *live);
    /* In more detail, for people. */
    akin_status (*describe)(akin_target *target, akin_standing *standing);
    /* Checks what it can of the source, and sets digest and bytes if they are known beforehand. */
    akin_status (*prepare)(akin_target *target, const akin_sink_source *source,
                           akin_published *published);
    /* Whether what readers find is what publishing this other source would produce; NULL: `look`
     * finds out by itself. */
    akin_status (*recognise)(akin_target *target, const akin_sink_source *other, bool *same);
    /* Feeds what is published to the diff; the source may be ids alone, then without `prepare`. */
    akin_status (*compare)(akin_target *target, const akin_sink_source *source,
                           akin_publish_diff *change);
    akin_status (*stage)(akin_target *target, const akin_sink_source *source,
                         akin_published *published);
    void (*tidy)(akin_target *target); /* removes what a killed publisher left, if it has ended;
                                        * NULL: nothing */
    akin_status (*keep)(akin_target *target); /* renews a lock; NULL: there is none */
    akin_status (*commit)(akin_target *target, const akin_sink_source *source,
                          akin_published *published);
    /* Reads these rows back, ascending, and compares: AKIN_FAILED. */
    akin_status (*verify)(akin_target *target, const akin_sink_source *source, const size_t *rows,
                          size_t count);
    /* AKIN_FAILED if there is nothing to roll back to; rollback swaps the published table and
     * the previous one, and describes what readers find then. */
    akin_status (*check_rollback)(akin_target *target);
    akin_status (*rollback)(akin_target *target, akin_live *live);
    void (*close)(
        akin_target *target); /* removes what was staged and not committed; NULL is fine */
} akin_sink;

/* The sink for the scheme of the URL; NULL: none. */
const akin_sink *akin_sink_of(const char *url);

/* As akin_publish_check (publish.h). */
AKIN_MUST_CHECK akin_status akin_sink_check(const char *const *urls, size_t url_count,
                                            const char *const *inputs, size_t input_count);

extern const akin_sink akin_sink_file, akin_sink_redis, akin_sink_memcached, akin_sink_qdrant;

#endif
