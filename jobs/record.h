/* record: what a run leaves in its folder for others to read, besides metrics.json.
 *
 * Floor 4 (jobs); looks down to stages.h and everything below. By rank 0; Not collective.
 *
 *   job.ini        the job file with every key as it was resolved; akin run takes it again
 *   metrics.prom   the figures of metrics.json in Prometheus' text format, for node_exporter's textfile collector
 */
#ifndef AKIN_RECORD_H
#define AKIN_RECORD_H

#include "stages.h"

/* Of a job file that is known to be right. Whole and atomically. */
AKIN_MUST_CHECK akin_status akin_record_job(const char *path, const char *folder);

/* `entries`: what metrics.json holds, the report of each stage under its verb. */
AKIN_MUST_CHECK akin_status akin_record_metrics(const akin_json *entries, const char *job, const char *folder);

#endif
