/* stages_check: what can be refused in a settled job before anything is changed. */
#include "call.h"
#include "mistakes.h"
#include "stages.h"
#include "stages_gallery.h"
#include "table_gates.h"
#include "tables.h"
#include <string.h>

static akin_status check(const akin_stage *stage, const akin_job *job) {
    const akin_verb *verb = akin_verb_find(stage->verb);
    akin_options *options = akin_jobfile_options(job->file, akin_stage_section(stage, job));
    const char *const *arguments = NULL;
    if (!akin_options_flag(options, "enabled"))
        return stage->always
                   ? akin_error_set(AKIN_USAGE, "cannot be turned off: later stages need it")
                   : AKIN_OK;
    if (!akin_stage_runs(stage, job)) return AKIN_OK;
    if (strcmp(stage->verb, "gallery") == 0 && akin_stages_gallery_lacks(job->file, "neighbors"))
        return akin_error_option("enabled",
                                 "the table of [neighbors] is between products and the rows of a "
                                 ".npy file, which name no pictures: leave this section out, or "
                                 "make that table in a section [table NAME]");
    if (stage->argument_key && akin_options_arguments(options, &arguments) == 0)
        return akin_error_set(AKIN_USAGE, "needs the key %s", stage->argument_key);
    akin_status status = stage->check ? stage->check(options) : AKIN_OK;
    return status == AKIN_OK && verb->check ? verb->check(options) : status;
}

/* The key that the error is about. */
static const char *wrong_key(const akin_verb *verb, const akin_options *options) {
    if (!akin_options_flag(options, "enabled")) return "enabled";
    return akin_error_about() ? akin_error_about() : verb->options->name;
}

/* Stages that read the sources of [ingest], as it reads them. */
static bool reads_sources(const akin_stage *stage) {
    return strcmp(stage->verb, "gallery") == 0 || strcmp(stage->verb, "fetch") == 0;
}

/* The section that gives the key: they take from [ingest] what they have not of their own. */
static const char *section_of(const akin_stage *stage, const akin_job *job, const char *key) {
    static const char *const taken[] = AKIN_TABLE_KEYS;
    const char *section = akin_stage_section(stage, job);
    if (strcmp(section, "publish") == 0) return akin_table_gates_section(job, key);
    if (!reads_sources(stage) || akin_jobfile_names(job->file, section, key)) return section;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(taken[i], key) == 0) return "ingest";
    return section;
}

/* A section with wrong keys may lack what they were to say. */
static akin_status check_section(const akin_stage *stage, const akin_job *job) {
    const char *section = akin_stage_section(stage, job);
    if (akin_jobfile_has_wrong_keys(job->file, section)) return AKIN_OK;
    if (reads_sources(stage) && akin_jobfile_has_wrong_keys(job->file, "ingest")) return AKIN_OK;
    akin_status status = check(stage, job);
    if (status == AKIN_OK) return AKIN_OK;
    const char *key =
        wrong_key(akin_verb_find(stage->verb), akin_jobfile_options(job->file, section));
    return akin_job_at_item(job->file, section_of(stage, job, key), key, akin_error_item(), status);
}

akin_status akin_stages_check(const akin_job *job) {
    akin_mistakes found = {.status = AKIN_OK};
    for (const akin_stage *stage = akin_stages; stage->verb; stage++)
        akin_mistakes_note(&found, check_section(stage, job));
    if (!akin_jobfile_has_wrong_keys(job->file, "publish"))
        akin_mistakes_note(&found, akin_table_gates_check(job));
    return akin_mistakes_sum(&found);
}
