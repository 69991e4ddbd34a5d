/* stages: what a run does in which order, and which files each stage reads and writes in the output
 * folder. */
#ifndef AKIN_STAGES_H
#define AKIN_STAGES_H

#include "folder.h"
#include "verbs.h"
#include <akin/jobfile.h>

typedef struct {
    const char *verb;
    bool always;              /* also without a section */
    const char *argument_key; /* of a job file, NULL: the run gives the arguments */
    const akin_jobfile_refusal *refusals;
    const char *argument; /* in the output folder, or NULL */
    struct {
        const char *option, *file; /* --option <folder>/file */
    } paths[4];
    const char *before;  /* the option that takes the table of the night before; NULL = none */
    const char *decides; /* a flag that the run sets where the job does not name it; NULL = none */
    /* What it builds upon, of the last run here or of the night before: an option (where the verb
     * has it) and its file. The first one decides: it must serve (`previous_serves`), and all come from
     * one folder. */
    struct {
        const char *option, *file;
    } previous[3];
    /* Whether the verb would not refuse it; second: the name of the second file. */
    bool (*previous_serves)(const akin_call *call, const char *folder, const char *second);
    /* The second of these files under another name, in this run's folder: what it was when the
     * first one was made (akin_stage_set_aside). */
    const char *previous_here;
    /* How its output is known to be up to date: by the verb's own `up_to_date`, or by what metrics.json says of its
     * last run. */
    bool by_metrics;
} akin_stage;

extern const akin_stage akin_stages[]; /* in order; ends with a NULL verb */

/* The sections of a job file: [job] and the stages'. Ends with a NULL name. */
const akin_jobfile_section *akin_stage_sections(void);

/* The file of vectors that the job brings ([embed] from): NULL = none, or they are joined with a
 * model's ([embed] from-weight). With it there is no stage of training. */
const char *akin_stages_vectors(akin_jobfile *job);
/* Whether the job runs the stage. */
bool akin_stage_wanted(const akin_stage *stage, akin_jobfile *job);

/* Gives the options of every stage what the run decides: files in `folder`, the table of the night
 * before (`previous`, NULL = none), what all share. Once for a job file. Not collective. */
AKIN_MUST_CHECK akin_status akin_stages_settle(akin_jobfile *job, const akin_options *run,
                                               const char *folder, const char *previous);
/* What can be refused before anything is touched: AKIN_USAGE, with its place. Of a settled job. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_stages_check(akin_jobfile *job);

/* Before a stage is run: what it may build upon, of the last run here or of the night before, if
 * that is whole and belongs here. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_stage_take_previous(const akin_stage *stage, const akin_call *call,
                                                     const akin_folder *folder);

/* Before embed puts new embeddings in place: those that table.nc was made from stay beside them as
 * embeddings.last.nc. After neighbors, when there is a new table, they go, and what a run left that
 * was killed behind the table. That it fails costs only time. Not collective: for one rank. */
void akin_stage_set_aside(const akin_stage *stage, const akin_folder *folder);
void akin_stage_clear_aside(const akin_stage *stage, const akin_folder *folder);

#endif
