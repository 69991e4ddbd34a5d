/* publish: exports a table to where a storefront reads it, and restores the previous one. */
#ifndef AKIN_PUBLISH_H
#define AKIN_PUBLISH_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/hash.h>
#include <akin/publish_diff.h>
#include <akin/sink.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *const *inputs; /* table.nc, embeddings.nc or both, in any order */
    size_t input_count;
    const char *const *urls;
    size_t url_count;
    const char *previous; /* the previous table: a cache that holds it is not read; NULL = none */
    double min_coverage, max_churn, max_shrink; /* gates, as shares of 1 */
    const char *golden;                         /* approved lists (golden.h); NULL = none */
    double min_golden;                          /* gate: least share of them in the table */
    bool dry_run;
    bool respect_rollback; /* do not publish a table where it was rolled back */
    akin_sink_options sink;
} akin_publish_params;

/* The result for one target. */
typedef struct {
    akin_live live; /* before */
    bool compared;
    akin_publish_diff_figures change; /* if compared */
    akin_published published;
    bool left; /* unchanged, because this table was rolled back there */
} akin_publish_place;

typedef struct {
    size_t items;
    double coverage; /* share of items with a neighbour; NaN: no table */
    double golden;   /* share of the approved pairs in the table; NaN: none */
    size_t golden_pairs, golden_unknown;
    char table_digest[AKIN_HASH_TEXT_SIZE];
} akin_publish_result;

/* A limit that a table must keep. */
typedef struct {
    const char *option;     /* "max-churn" */
    double measured, limit; /* measured NaN: not measured */
    bool refuses;
} akin_publish_gate;

enum { AKIN_PUBLISH_GATES = 2 };

/* The gates on the table itself (place NULL) or on what changes at a target: how many. Not
 * collective. */
size_t akin_publish_gates(const akin_publish_params *params, const akin_publish_result *result,
                          const akin_publish_place *place,
                          akin_publish_gate gates[AKIN_PUBLISH_GATES]);
/* Appends what a gate that refuses says, of the table (url NULL) or of a target: "file:t.csv: churn is
 * 0.7, --max-churn is 0.6". Not collective. */
AKIN_MUST_CHECK akin_status akin_publish_append_refusal(const akin_publish_params *params,
                                                        const akin_publish_gate *gate,
                                                        const char *url, akin_text *text);
/* The line after those. */
#define AKIN_PUBLISH_REFUSED                                                                       \
    "nothing was published: inspect the table, and publish with another limit if it is right"

/* Whether each URL names a sink and a form that it knows, none is given twice, and publishing
 * would overwrite none of `inputs`: AKIN_USAGE. Changes nothing. Not collective. */
AKIN_MUST_CHECK akin_status akin_publish_check(const char *const *urls, size_t url_count,
                                               const char *const *inputs, size_t input_count);

/* Whether a URL takes embeddings.nc rather than table.nc. Not collective. */
bool akin_publish_takes_embeddings(const char *url);

/* Whether the target of this URL uses the option: format, buckets or keep-previous. Not
 * collective. */
bool akin_publish_heeds(const char *url, const char *option);

/* Warns that a target was left unchanged, and says how to publish these inputs anyway. Not
 * collective; rank 0. */
#define AKIN_PUBLISH_ROLLED_BACK "this table was rolled back there"
void akin_publish_warn_left(const char *url, const char *const *inputs, size_t input_count,
                            const char *why);

/* Publishes to all URLs, or to none if one is unavailable; places [url_count]. AKIN_GATE if a
 * gate refuses; result and places are filled then too. One rank does the work; memory: the ids,
 * and a few MiB. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_publish(akin_comm *comm, const akin_publish_params *params,
                                         akin_publish_place *places, akin_publish_result *result);

/* Restores the previously published table at every URL, or at none if one has none; standings
 * [url_count] describes what is then published. dry_run: restores nothing, and describes what is
 * published. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_rollback(akin_comm *comm, const char *const *urls,
                                          size_t url_count, const akin_sink_options *options,
                                          bool dry_run, akin_standing *standings);

/* What is published at every URL; standings [url_count]. Changes nothing. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_publish_describe(akin_comm *comm, const char *const *urls,
                                                  size_t url_count,
                                                  const akin_sink_options *options,
                                                  akin_standing *standings);

/* The same of one URL; change: what a table with these ids would change there, except of the lists. ids
 * NULL: not known. Not collective. */
AKIN_MUST_CHECK akin_status akin_publish_ask(const char *url, const akin_sink_options *options,
                                             const akin_ids *ids, akin_standing *standing,
                                             akin_publish_diff_figures *change);

/* What readers find at a URL now. Not collective. */
AKIN_MUST_CHECK akin_status akin_publish_look(const char *url, const akin_sink_options *options,
                                              akin_live *live);

#endif
