/* stages: the order of the stages of a run, and which files of the output folder each reads and
 * writes. */
#ifndef AKIN_STAGES_H
#define AKIN_STAGES_H

#include "folder.h"
#include "verbs.h"
#include <akin/jobfile.h>

typedef struct {
    const char *verb;
    bool always;              /* also without a section */
    const char *argument_key; /* the key of the arguments in a job file; NULL: the run gives them */
    const akin_jobfile_refusal *refusals;
    const char *argument; /* in the output folder, or NULL */
    struct {
        const char *option, *file; /* --option <folder>/file */
    } paths[4];
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
     * first one was made (akin_stage_set_aside). */
    const char *previous_here;
    /* How its output is known to be up to date: by the verb's own `up_to_date`, or by what metrics.json says of its
     * last run. */
    bool by_metrics;
} akin_stage;

extern const akin_stage akin_stages[]; /* in order; ends with a NULL verb */

/* The sections of a job file: [job] and the stages'. Ends with a NULL name. */
const akin_jobfile_section *akin_stage_sections(void);

/* The file of vectors that the job imports ([embed] from); NULL = none, or they are joined with
 * a model's ([embed] from-weight). If set, there is no training stage. */
const char *akin_stages_vectors(akin_jobfile *job);
/* Whether the job runs the stage. */
bool akin_stage_wanted(const akin_stage *stage, akin_jobfile *job);

/* Sets the options that the run decides for every stage: files in `folder`, the table of the
 * night before (`previous`, NULL = none), and what all stages share. Once per job file. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_stages_settle(akin_jobfile *job, const akin_options *run,
                                               const char *folder, const char *previous);
/* Refuses what can be refused before anything is changed: AKIN_USAGE, with the line in the job
 * file. For a settled job. Not collective. */
AKIN_MUST_CHECK akin_status akin_stages_check(akin_jobfile *job);

/* Before a stage runs: selects what it may reuse, from the last run here or from the night
 * before, if that is intact and belongs here. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_stage_take_previous(const akin_stage *stage, const akin_call *call,
                                                     const akin_folder *folder);

/* Before embed puts new embeddings in place, those that table.nc was made from are kept as
 * embeddings.last.nc. After neighbors, when there is a new table, they are removed, also if an
 * earlier run was killed before it could do so. A failure only costs time. Not collective: for
 * one rank. */
void akin_stage_set_aside(const akin_stage *stage, const akin_folder *folder);
void akin_stage_clear_aside(const akin_stage *stage, const akin_folder *folder);

#endif
