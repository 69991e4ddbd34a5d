/* metrics: metrics.json in the output folder, the report of each stage (entries.h). Rank 0
 * holds it; on the other ranks it is empty and nothing is written. The entries of evaluate,
 * publish and gallery also hold `input_digest`, over all their inputs, and `options`, so that a
 * later run knows whether they are up to date. */
#ifndef AKIN_METRICS_H
#define AKIN_METRICS_H

#include "stages.h"

typedef struct akin_metrics akin_metrics;

/* Reads an existing file; if it cannot be read, warns and starts empty. Collective; agreed. */
/* `job`: the label of the job in metrics.prom, which is written along with it, and into `root`, the
 * output folder, where nights have their own. */
AKIN_MUST_CHECK akin_status akin_metrics_open(akin_comm *comm, const char *folder, const char *root,
                                              const char *job, akin_metrics **out);
/* The run has ended so. `whole`: it did all that its job says. Never fails: a disk that is full has
 * been told of. Collective. */
void akin_metrics_end(akin_comm *comm, akin_metrics *metrics, akin_status outcome, bool whole,
                      double seconds);
void akin_metrics_free(akin_metrics *metrics); /* Not collective; NULL is fine */

/* The entry of the verb for that table (NULL: table.nc); borrowed, NULL if none. Not collective; only
 * rank 0 has it. */
const akin_json *akin_metrics_entry(const akin_metrics *metrics, const char *verb,
                                    const char *table);
/* Makes a copy of the report the verb's entry and writes the file. `ran`: this run executed the
 * stage, or tried to. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_metrics_put(akin_comm *comm, akin_metrics *metrics,
                                             const char *verb, const char *table,
                                             const akin_json *report, bool ran);
/* Copies the verb's entry from another folder's metrics.json, if there is none here yet: for
 * results that were reused from there; "night" in it names the folder. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_metrics_inherit(akin_comm *comm, akin_metrics *metrics,
                                                 const char *verb, const char *from);
/* Adds or changes a number in the entry of a verb, if it has one. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_metrics_add(akin_comm *comm, akin_metrics *metrics,
                                             const char *verb, const char *table, const char *key,
                                             double value);
/* All entries of a folder's metrics.json, owned. Not collective. */
AKIN_MUST_CHECK akin_status akin_metrics_load(const char *folder, akin_json **out);
/* A number of the entry in another folder's metrics.json; NaN if missing. Not collective. */
double akin_metrics_number(const char *folder, const char *verb, const char *key);
/* Removes entries that the settled jobs do not run, and sorts the others into the order of the
 * stages. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_metrics_keep_wanted(akin_comm *comm, akin_metrics *metrics,
                                                     const akin_jobs *jobs);

/* For a stage that metrics.json records: what `up_to_date` needs of its last run, and the digest of all
 * its inputs: the files that it reads, the options, and for a gallery the figures of the others. The
 * entry is borrowed until the next change. Not collective. */
AKIN_MUST_CHECK akin_status akin_metrics_recall(const akin_metrics *metrics,
                                                const akin_stage *stage, const char *table,
                                                akin_call *call);

#endif
