/* stages: the order of the stages of a run, and which files of the output folder each reads and
 * writes. */
#ifndef AKIN_STAGES_H
#define AKIN_STAGES_H

#include "folder.h"
#include "job.h"
#include "retrain.h"
#include "verbs.h"
#include <akin/jobfile.h>

/* What a stage's hooks are given: the options of all stages while they are settled ... */
typedef struct {
    akin_jobfile *job;
    const akin_options *run;     /* those of `akin run` */
    const char *folder;          /* the output's */
    const char *table, *section; /* as in akin_job */
} akin_stage_setting;
/* ... and the stage that runs. */
typedef struct {
    akin_call *call;
    const akin_jobs *jobs;
    const akin_job *job; /* the one that it is run for */
    akin_folder *folder;
    akin_metrics *metrics;
    akin_retrain_measure measure; /* train's */
} akin_stage_run;
typedef akin_status akin_stage_hook(akin_stage_run *run); /* collective; agreed */

/* --option <folder>/file */
typedef struct {
    const char *option, *file;
} akin_stage_path;

typedef struct {
    const char *verb;
    bool always;                          /* also without a section */
    bool (*needed)(const akin_jobfile *); /* whether a job needs it at all; NULL: each does */
    /* Whether it is run for each further table too, with that table's own options; NULL: it is not. */
    bool (*of_tables)(const akin_job *job);
    bool online;              /* not for a run without network */
    const char *argument_key; /* the key of the arguments in a job file; NULL: the run gives them */
    const akin_jobfile_refusal *refusals;
    /* Files in the output folder; not set if they are the output of a stage that the job does not run. */
    const char *argument; /* or NULL */
    akin_stage_path paths[4];
    /* The same for `akin add` (addition.h), where they differ: these stages process only the new
     * items, which no earlier file covers. `not_added`: add leaves the stage out. */
    const char *argument_added;
    akin_stage_path paths_added[6];
    bool not_added;
    /* What else the run decides for its options; what it refuses in them, besides the verb's own
     * check. Not collective; NULL: nothing. */
    akin_status (*settle)(const akin_stage_setting *, akin_options *);
    akin_status (*check)(const akin_options *);
    /* Before it is decided whether it is up to date; before it runs; and after that, also if it was
     * up to date. NULL: nothing. */
    akin_stage_hook *prepare, *begin, *end;
    const char *before;  /* the option that takes the table of the night before; NULL = none */
    const char *decides; /* a flag that the run sets if the job does not; NULL = none */
    /* What it builds upon, of the last run here or of the night before: an option (where the verb
     * has it) and its file. The first one decides: it must serve (`previous_serves`), and all come from
     * one folder. */
    struct {
        const char *option, *file;
    } previous[3];
    /* Whether the verb would accept it; second: the name of the second file. */
    bool (*previous_serves)(const akin_call *call, const char *folder, const char *second);
    /* The second of these files under another name, in this run's folder: its state when the
     * first one was made (akin_stage_set_aside in reuse.h). */
    const char *previous_here;
    /* Its output does not say what it was made from: metrics.json records a digest of its inputs.
     * `shows_all`: the catalogue and the figures of all other stages are among them. */
    bool recorded, shows_all;
    const char *
        measured_again; /* a figure that `up_to_date` finds also for a stage that is skipped, or NULL */
} akin_stage;

extern const akin_stage akin_stages[]; /* in order; ends with a NULL verb */

const akin_stage *akin_stage_find(const char *verb); /* must be a stage's */

/* The sections of a job file: [job], the stages', [table NAME]. Ends with a NULL name. */
const akin_jobfile_section *akin_stage_sections(void);

/* The file of vectors that the job imports ([embed] from); NULL = none, or they are joined with
 * a model's ([embed] from-weight). If set, there is no training stage. */
const char *akin_stages_vectors(const akin_jobfile *job);
/* The table of new items that enter the last table ([job] AKIN_STAGES_ADDED, which `akin add` sets);
 * NULL = none: a run of the whole job. */
#define AKIN_STAGES_ADDED "added"
const char *akin_stages_added(const akin_jobfile *job);
/* Whether this stage then processes only the new items, so that its results of earlier runs are
 * kept. */
bool akin_stage_of_added(const akin_stage *stage, const akin_jobfile *job);
/* Whether the job runs the stage. */
bool akin_stage_wanted(const akin_stage *stage, const akin_jobfile *job);
/* Whether it runs it for that table; of a settled job. */
bool akin_stage_runs(const akin_stage *stage, const akin_job *job);
/* The section that has its options for that table. */
const char *akin_stage_section(const akin_stage *stage, const akin_job *job);

/* Sets the options that the run decides for every stage: files in `folder`, the table of the
 * night before (`previous`, NULL = none), and what all stages share. For a further table, only
 * those of the stages that it has. Once per job. Not collective. */
AKIN_MUST_CHECK akin_status akin_stages_settle(const akin_job *job, const akin_options *run,
                                               const char *folder, const char *previous);
/* Sets the option to a file of the folder ("." is the folder itself). Not collective. */
AKIN_MUST_CHECK akin_status akin_stage_set_file(akin_options *options, const char *option,
                                                const char *folder, const char *file);
/* Refuses what can be refused before anything is changed: AKIN_USAGE, with the line in the job
 * file. For a settled job. Not collective. */
AKIN_MUST_CHECK akin_status akin_stages_check(const akin_job *job);

#endif
