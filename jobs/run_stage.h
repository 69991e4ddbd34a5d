/* run_stage: one stage of a run, for its tables: one is up to date and is skipped, or its verb runs on
 * what may be reused; metrics.json and the run's report get what it did. */
#ifndef AKIN_RUN_STAGE_H
#define AKIN_RUN_STAGE_H

#include "last_additions.h"
#include "metrics.h"
#include "stages.h"
#include <akin/source.h>

/* What the stages of a run share. */
typedef struct {
    akin_call *call;
    akin_jobs read; /* as the file says them, of which `jobs` are what this run makes */
    akin_jobs jobs;
    akin_jobfile *job; /* that of table.nc */
    akin_folder *folder;
    akin_metrics *metrics;
    akin_json *stages;          /* the report's: what each stage did in this or an earlier run */
    akin_last_additions *added; /* on rank 0; NULL: none */
    akin_source *listed;        /* for ingest, if the rules already needed it */
} akin_run_state;

/* Runs the stage for each table that has it: at once where the verb can (verbs.h: run_together), else
 * one after another. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_stage_run_tables(akin_run_state *run, const akin_stage *stage);

/* Adds a stage's entry to the report; table NULL: table.nc, or what all tables share. Not collective. */
void akin_stage_report(akin_run_state *run, const char *verb, const char *table,
                       const akin_json *entry, bool skipped);

#endif
