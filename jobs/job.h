/* job: a job file, once for each table that it asks for, because the options of a stage differ
 * from table to table: table.nc, which [neighbors] describes, then the tables of the sections [table
 * NAME] in their order, but for those with enabled = no. Not collective. */
#ifndef AKIN_JOB_H
#define AKIN_JOB_H

#include <akin/jobfile.h>
#include <akin/options.h>
#include <stddef.h>

typedef struct {
    akin_jobfile *file;
    const char *table;   /* NAME, borrowed from the file; NULL: table.nc */
    const char *section; /* "table NAME"; NULL: table.nc */
} akin_job;

typedef struct {
    akin_job *list; /* [count]; the first is that of table.nc */
    size_t count;
} akin_jobs;

/* *wrong_keys as in akin_jobfile_read_on. */
AKIN_MUST_CHECK akin_status akin_jobs_read(const char *path, akin_error_kept *wrong_keys,
                                           akin_jobs *out);
/* The same jobs once more, as they were read (akin_jobfile_again). */
AKIN_MUST_CHECK akin_status akin_jobs_again(const akin_jobs *jobs, akin_jobs *out);
void akin_jobs_free(akin_jobs *jobs); /* all zero is fine */

/* Sets what the run decides (akin_stages_settle), for each table. */
AKIN_MUST_CHECK akin_status akin_jobs_settle(akin_jobs *jobs, const akin_options *run,
                                             const char *folder, const char *previous);
/* What can be refused in settled jobs before anything is changed (akin_stages_check). */
AKIN_MUST_CHECK akin_status akin_jobs_check(const akin_jobs *jobs);

/* The output folder that the job file says: [job] output, or results/<name>. `path` is the job file's;
 * *output is owned, and also set where the name is not that of a folder: AKIN_USAGE. */
AKIN_MUST_CHECK akin_status akin_job_output(const akin_jobfile *file, const char *path,
                                            char **output);

/* The section of the i-th table of a job file, "table NAME"; NULL past the last. */
#define AKIN_TABLE_SECTION "table"
const char *akin_job_table_section(const akin_jobfile *file, size_t index);
/* The sections that describe tables: "neighbors", then those; NULL past the last. */
const char *akin_job_neighbors_section(const akin_jobfile *file, size_t index);
/* Whether the rows of its table are products. */
bool akin_job_of_products(const akin_job *job);
/* Puts the line of the key and the section before the message of the error. */
akin_status akin_job_at_key(const akin_jobfile *file, const char *section, const char *key,
                            akin_status status);
/* The same of one of the values of a key that takes several, from 0. */
akin_status akin_job_at_item(const akin_jobfile *file, const char *section, const char *key,
                             size_t at, akin_status status);
/* NAME of "table NAME". */
const char *akin_job_table_name(const char *section);

/* The name of a file for this table: "table.nc" is "table-NAME.nc"; others are the same for all. */
enum { AKIN_JOB_FILE_SIZE = 128 };
const char *akin_job_file(const char *file, const char *table, char room[AKIN_JOB_FILE_SIZE]);

/* "neighbors", or "neighbors (table NAME)": for messages. */
const char *akin_job_title(const char *verb, const char *table, char room[AKIN_JOB_FILE_SIZE]);

#endif
