/* record: files that a run leaves in its folder for other programs, besides metrics.json. Written
 * by rank 0. Not collective.
 *
 *   job.ini        the job file with the resolved value of every key; akin run accepts it
 *   metrics.prom   the figures of metrics.json in Prometheus' text format, for the textfile
 *                  collector of node_exporter, and which of them are from an earlier run
 *                  (akin_stage_skipped) */
#ifndef AKIN_RECORD_H
#define AKIN_RECORD_H

#include "stages.h"

/* For a job file that was already checked. Written atomically. */
AKIN_MUST_CHECK akin_status akin_record_job(const akin_jobfile *read, const char *path,
                                            const char *folder);

/* The job's runs as a whole: seconds since 1970, NaN = not known. */
typedef struct {
    double success;   /* when a run last did all that its job says */
    double ended;     /* when a run last ended */
    double exit_code; /* of that run */
    double seconds;   /* that it took */
    double warnings;  /* that it gave */
    double published; /* when a run last published a table that was not there yet */
} akin_record_runs;

/* As recorded by an earlier metrics.prom in the folder; all NaN if there is none. */
void akin_record_read_runs(const char *folder, akin_record_runs *out);

/* `entries`: what metrics.json holds, the report of each stage under its verb; `ran`: the verbs
 * that this run executed; the figures of the others are from an earlier run. */
AKIN_MUST_CHECK akin_status akin_record_metrics(const akin_json *entries, const akin_json *ran,
                                                const akin_record_runs *runs, const char *job,
                                                const char *folder);

#endif
