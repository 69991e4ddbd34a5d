/* record: what a run leaves in its folder for others to read, besides metrics.json. By rank 0; Not
 * collective.
 *
 * job.ini the job file with every key as it was resolved; akin run takes it again
 * metrics.prom the figures of metrics.json in Prometheus' text format, for node_exporter's textfile
 * collector, and which of them are of an earlier run (akin_stage_skipped)
 */
#ifndef AKIN_RECORD_H
#define AKIN_RECORD_H

#include "stages.h"

/* Of a job file that is known to be right. Whole and atomically. */
AKIN_MUST_CHECK akin_status akin_record_job(const char *path, const char *folder);

/* `entries`: what metrics.json holds, the report of each stage under its verb; `ran`: has the verbs
 * of those that this run did, the figures of the others are of an earlier one. */
AKIN_MUST_CHECK akin_status akin_record_metrics(const akin_json *entries, const akin_json *ran,
                                                const char *job, const char *folder);

#endif
