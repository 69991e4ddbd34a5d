/* verb_run: `akin run JOB.ini` runs all stages of a job file and resumes an earlier run. */
#include "addition.h"
#include "call.h"
#include "folder.h"
#include "metrics.h"
#include "mistakes.h"
#include "preflight.h"
#include "record.h"
#include "run.h"
#include "run_stage.h"
#include "stages.h"
#include <akin/cpu.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <stdio.h>
#include <string.h>

#define LAST_STAGE "gallery"

const akin_option akin_run_options[] = {
    {.name = "night",
     .type = AKIN_OPTION_TEXT,
     .argument = "YYYY-MM-DD",
     .help = "with keep: the name of a night that starts now (default: today)"},
    {.name = "check",
     .type = AKIN_OPTION_FLAG,
     .help = "only check the job file, its paths and the free space; nothing is changed"},
    {.name = "until",
     .type = AKIN_OPTION_CHOICE,
     .initial = LAST_STAGE,
     .choices = "fetch|ingest|train|embed|neighbors|evaluate|publish|" LAST_STAGE,
     .help = "the last stage to run; the next call continues after it"},
    {.name = "offline",
     .type = AKIN_OPTION_FLAG,
     .unrecorded = true,
     .help = "download nothing: pictures at addresses are taken from the cache"},
    {0},
};

/* NULL: not given, or the verb is add. */
static const char *night_of(const akin_options *o) {
    return akin_options_declared(o, "night", NULL) ? akin_options_text(o, "night") : NULL;
}

/* --- the job file --- */

static const char *job_path(const akin_call *call) {
    const char *const *arguments = NULL;
    akin_options_arguments(call->options, &arguments);
    return arguments[0];
}

/* What this call makes of the job file that was read. Not collective. */
static akin_status take_jobs(const akin_call *call, const akin_jobs *read, akin_jobs *jobs) {
    akin_status status = akin_jobs_again(read, jobs);
    return status == AKIN_OK ? akin_addition_settle(call, jobs) : status;
}

/* Without nights the date would be ignored, and the output of another day replaced. */
static akin_status check_night(const char *night, const char *job, const char *output,
                               long long keep) {
    if (!night || keep > 0) return AKIN_OK;
    return akin_error_option("night",
                             "--night %s: %s keeps no nights, so all output goes to %s: set keep = "
                             "2 or more in [job], or leave out --night",
                             night, job, output);
}

/* What rank 0 looks up. Not collective. */
static akin_status check_files(const akin_call *call, const akin_jobs *jobs, const char *output) {
    akin_mistakes found = {.status = AKIN_OK};
    akin_jobfile *first = jobs->list[0].file;
    bool nights = akin_options_int(akin_jobfile_options(first, "job"), "keep") > 0;
    if (nights && !akin_stages_added(first))
        akin_mistakes_note(&found, akin_folder_check_night(output, night_of(call->options)));
    akin_mistakes_note(&found, akin_preflight_start(jobs, output));
    akin_mistakes_note(&found, akin_addition_check_places(jobs, output));
    return akin_mistakes_sum(&found);
}

/* Mistakes of all kinds in settled jobs, added to those in `found`. Returns whether its options are right and
 * its sources there, so that what they hold can be judged. Not collective. */
static bool check_settled(const akin_call *call, const akin_jobs *jobs, const char *output,
                          akin_mistakes *found) {
    akin_jobfile *first = jobs->list[0].file;
    akin_status status = akin_jobs_check(jobs), there;
    akin_mistakes_note(found, status);
    if (akin_comm_rank(call->comm) != 0) return status == AKIN_OK;
    akin_mistakes_note(found, status == AKIN_OK ? check_files(call, jobs, output)
                                                : akin_preflight_files(first));
    there = akin_preflight_sources_there(first);
    akin_mistakes_note(found, there);
    if (found->status == AKIN_OK) akin_preflight_tell_unpublished(jobs);
    return status == AKIN_OK && there == AKIN_OK;
}

/* The output folder, and the files in it as options of the stages. Mistakes in its name and the night's do not
 * end this. Not collective. */
static akin_status settle_place(const akin_call *call, akin_jobs *jobs, char **output,
                                long long *keep, akin_mistakes *found) {
    const akin_jobfile *first = jobs->list[0].file;
    akin_status status = akin_job_output(first, job_path(call), output);
    if (!*output) goto done;
    akin_mistakes_note(found, status);
    *keep = akin_options_int(akin_jobfile_options(first, "job"), "keep");
    if (!akin_jobfile_has_wrong_keys(first, "job"))
        akin_mistakes_note(found,
                           check_night(night_of(call->options), job_path(call), *output, *keep));
    AKIN_TRY(akin_addition_place(call, output, keep));
    status = akin_jobs_settle(jobs, call->options, *output, NULL);
done:
    return status;
}

/* Reads the job file and notes what can be refused from it alone. Returns as check_settled. Not collective. */
static bool find_mistakes(const akin_call *call, akin_jobs *read, char **output, long long *keep,
                          akin_mistakes *found) {
    akin_jobs jobs = {0};
    akin_error_kept wrong_keys;
    bool goes_on = false;
    akin_status status = akin_jobs_read(job_path(call), &wrong_keys, read);
    akin_mistakes_note(found, status);
    if (status != AKIN_OK) return false;
    if (*wrong_keys.message) {
        akin_error_restore(&wrong_keys);
        akin_mistakes_note(found, AKIN_USAGE);
    }
    status = take_jobs(call, read, &jobs);
    if (status == AKIN_OK) status = settle_place(call, &jobs, output, keep, found);
    akin_mistakes_note(found, status);
    if (status == AKIN_OK) goes_on = check_settled(call, &jobs, *output, found);
    if (status == AKIN_OK &&
        found->status != AKIN_OK) /* else the rules are judged with the items */
        akin_mistakes_note(found, akin_preflight_words(jobs.list[0].file));
    akin_jobs_free(&jobs);
    return goes_on && !*wrong_keys.message;
}

/* Refuses what find_mistakes finds. Not collective. */
static akin_status check_job(const akin_call *call, akin_jobs *read, char **output,
                             long long *keep) {
    akin_mistakes found = {.status = AKIN_OK};
    find_mistakes(call, read, output, keep, &found);
    return akin_mistakes_sum(&found);
}

/* The job again, with the files of its output folder. Not collective. */
static akin_status settle_job(akin_run_state *run) {
    akin_status status = take_jobs(run->call, &run->read, &run->jobs);
    if (status != AKIN_OK) return status;
    run->job = run->jobs.list[0].file;
    return akin_jobs_settle(&run->jobs, run->call->options, akin_folder_path(run->folder),
                            akin_folder_previous(run->folder));
}

/* --- the run --- */

/* The job's label in metrics.prom. */
static const char *job_name(const akin_run_state *run, const char *output) {
    const char *name = akin_options_text(akin_jobfile_options(run->job, "job"), "name");
    return name ? name : akin_file_name(output);
}

/* Reports what the source lacks before anything is changed. Collective; agreed. */
static akin_status check_rules(akin_run_state *run) {
    akin_jobs jobs = {0};
    akin_status status;
    AKIN_TRY(akin_agree(run->call->comm, take_jobs(run->call, &run->read, &jobs)));
    if (akin_stages_added(jobs.list[0].file)) goto done; /* what it lacks the last table may have */
    status = akin_preflight_rules(run->call->comm, jobs.list[0].file, &run->listed);
done:
    akin_jobs_free(&jobs);
    return status;
}

/* What the stages that `akin add` leaves out found stays known. Collective; agreed. */
static akin_status keep_wanted(akin_run_state *run) {
    if (akin_stages_added(run->job)) return AKIN_OK;
    return akin_metrics_keep_wanted(run->call->comm, run->metrics, &run->jobs);
}

/* What was added since the last run. Collective; agreed. */
static akin_status find_added(akin_run_state *run) {
    bool looks = akin_comm_rank(run->call->comm) == 0 && !akin_stages_added(run->job);
    return akin_agree(run->call->comm,
                      looks ? akin_last_additions_find(run->folder, &run->added) : AKIN_OK);
}

/* What of it the new catalogue lacks. Collective; agreed. */
static akin_status tell_added(const akin_run_state *run) {
    return akin_agree(run->call->comm, akin_last_additions_tell(run->added, run->folder));
}

static akin_status begin(akin_run_state *run) {
    akin_status status = AKIN_OK;
    akin_comm *comm = run->call->comm;
    char *output = NULL, *log = NULL;
    long long keep = 0;
    AKIN_TRY(akin_agree_with_first(comm, check_job(run->call, &run->read, &output, &keep)));
    AKIN_TRY(check_rules(run));
    AKIN_TRY(akin_folder_open(comm, output, keep, night_of(run->call->options), &run->folder));
    AKIN_TRY(akin_agree(comm, settle_job(run)));
    if (akin_comm_rank(comm) == 0)
        status = akin_record_job(run->job, job_path(run->call), akin_folder_path(run->folder));
    AKIN_TRY(akin_agree(comm, status));
    AKIN_TRY(akin_metrics_open(comm, akin_folder_path(run->folder), output, job_name(run, output),
                               &run->metrics));
    AKIN_TRY(keep_wanted(run));
    log = akin_file_join(akin_folder_path(run->folder), "log.txt");
    AKIN_TRY(akin_agree(comm, log ? akin_log_also_to(log) : AKIN_FAILED));
    AKIN_TRY(find_added(run));
    akin_log_record("%d rank%s, kernels for %s (--cpu)", akin_comm_size(comm),
                    AKIN_PLURAL(akin_comm_size(comm)), akin_cpu_name(akin_cpu_active()));
    run->stages = akin_json_object();
done:
    akin_mem_free(log);
    akin_mem_free(output);
    return status;
}

/* What is unnecessary for a job that imports its vectors, and for items between nights. */
static void leave_out(akin_run_state *run, const akin_stage *stage) {
    const char *vectors = akin_stages_vectors(run->job);
    if (!stage->always) return;
    akin_json *entry = akin_json_object();
    if (vectors) akin_log_info("%s: skipped, the vectors come from %s", stage->verb, vectors);
    if (vectors) akin_json_set_text(entry, "vectors_from", vectors);
    akin_stage_report(run, stage->verb, NULL, entry, true);
    akin_json_free(entry);
}

static const akin_stage *last_stage(const akin_run_state *run) {
    return akin_stage_find(akin_options_text(run->call->options, "until"));
}

/* A gate refused to publish, and the gallery is there. Returns AKIN_GATE. */
static akin_status end_refused(const akin_run_state *run, akin_error_kept *refused,
                               akin_status since) {
    if (since != AKIN_OK) akin_log_warning("%s", akin_error_message());
    const akin_stage *gallery = akin_stage_find("gallery");
    if (since == AKIN_OK && akin_stage_wanted(gallery, run->job) && last_stage(run) == gallery) {
        akin_error_set(AKIN_GATE, "all other stages are done; the gallery is %s/gallery/index.html",
                       akin_folder_path(run->folder));
        akin_error_gather(refused);
    }
    if (akin_stages_added(run->job)) {
        akin_error_set(AKIN_GATE,
                       "the addition is in the tables in %s, and later additions build on it: "
                       "akin run %s takes it out",
                       akin_folder_path(run->folder), job_path(run->call));
        akin_error_gather(refused);
    }
    akin_error_restore(refused);
    return AKIN_GATE;
}

/* After a gate refused to publish, what follows is made: people judge by it what was refused. */
static akin_status run_stages(akin_run_state *run) {
    akin_status status = AKIN_OK;
    akin_error_kept refused;
    bool gate = false;
    for (const akin_stage *stage = akin_stages; stage->verb; stage++) {
        if (!akin_stage_wanted(stage, run->job)) {
            leave_out(run, stage);
            continue;
        }
        if (stage->online && akin_options_flag(run->call->options, "offline")) continue;
        status = akin_stage_run_tables(run, stage);
        if (status == AKIN_OK && strcmp(stage->verb, "ingest") == 0) status = tell_added(run);
        if (status == AKIN_GATE) {
            akin_error_keep(&refused);
            gate = true;
            status = AKIN_OK;
        }
        if (status != AKIN_OK || stage == last_stage(run)) break;
    }
    return gate && status != AKIN_INTERRUPTED ? end_refused(run, &refused, status) : status;
}

/* Also for a run that failed: what it did until then. */
static void fill_report(akin_run_state *run) {
    akin_json *report = run->call->report;
    bool of_ingest =
        akin_stage_wanted(akin_stage_find("ingest"), run->job) && !akin_stages_added(run->job);
    const char *first = of_ingest ? "ingest" : "embed";
    double items = akin_json_number(akin_json_get(run->stages, first), "items", 0);
    akin_json_set_node(report, "stages", &run->stages);
    akin_json_set_integer(report, "items", (long long)items);
    akin_json_set_text(report, "output", akin_folder_path(run->folder));
}

/* Whether the run went as far as its job requires. */
static bool is_whole(const akin_run_state *run) {
    for (const akin_stage *stage = last_stage(run) + 1; stage->verb; stage++)
        if (akin_stage_wanted(stage, run->job)) return false;
    return true;
}

static akin_status end(akin_run_state *run, akin_status outcome, double start) {
    akin_status status = AKIN_OK;
    char *message = akin_mem_text(akin_error_message());
    bool whole = is_whole(run), night = whole && !akin_stages_added(run->job);
    if (outcome == AKIN_OK) AKIN_TRY(keep_wanted(run));
    if (outcome == AKIN_OK && whole) AKIN_TRY(akin_folder_complete(run->call->comm, run->folder));
    fill_report(run);
    if (outcome == AKIN_OK)
        akin_log_info("%s: done in %.1f s, %s", akin_stages_added(run->job) ? "add" : "run",
                      akin_comm_seconds() - start, akin_folder_path(run->folder));
done:
    if (outcome != AKIN_OK) status = akin_error_repeat(outcome, message ? message : "failed");
    akin_metrics_end(run->call->comm, run->metrics, status, night, akin_comm_seconds() - start);
    if (status == AKIN_INTERRUPTED)
        akin_log_record("run: interrupted (exit %d), submit again to continue: %s", status,
                        akin_error_message());
    else if (status != AKIN_OK)
        akin_log_record("run: failed with exit %d: %s", status, akin_error_message());
    akin_mem_free(message);
    return status;
}

/* What becomes of the model that is there, or that of the last night. */
static akin_status tell_model(const akin_jobfile *job, const char *output, long long keep) {
    if (!akin_stage_wanted(akin_stage_find("train"), job)) return AKIN_OK;
    const akin_options *train = akin_jobfile_options(job, "train");
    char *model = akin_file_join(output, keep > 0 ? "latest/model.nc" : "model.nc");
    if (!model) return AKIN_FAILED;
    if (akin_retrain_keeps(train, model))
        akin_retrain_tell_other(train, model, NULL);
    else
        akin_retrain_tell_new(train, model);
    akin_mem_free(model);
    return AKIN_OK;
}

/* What the run will do that may not be what is meant. */
static akin_status tell_plans(akin_jobfile *job, const char *output, long long keep) {
    akin_status status = tell_model(job, output, keep);
    if (status != AKIN_OK || akin_stages_added(job)) return status;
    return akin_preflight_tell_left_out(job);
}

/* --check: what begin() would refuse, the sources and the free space. Collective. */
static akin_status check_only(akin_call *call) {
    akin_status status = AKIN_OK;
    akin_jobs read = {0}, jobs = {0};
    char *output = NULL;
    long long keep = 0;
    akin_preflight_needs needs = {0};
    akin_mistakes found = {.status = AKIN_OK};
    int64_t stops = !find_mistakes(call, &read, &output, &keep, &found);
    akin_comm_max_i64(call->comm, &stops, 1);
    if (stops) AKIN_TRY(akin_agree_with_first(call->comm, akin_mistakes_sum(&found)));
    status = take_jobs(call, &read, &jobs);
    if (status == AKIN_OK) status = akin_jobs_settle(&jobs, call->options, output, NULL);
    AKIN_TRY(akin_agree(call->comm, status));
    if (akin_comm_rank(call->comm) == 0) status = tell_plans(jobs.list[0].file, output, keep);
    AKIN_TRY(akin_agree(call->comm, status));
    akin_mistakes_note(&found, akin_preflight_space(call->comm, jobs.list[0].file, output, &needs));
    bool known = found.status == AKIN_OK;
    if (akin_comm_rank(call->comm) == 0)
        akin_mistakes_note(&found, akin_preflight_places(&jobs, known ? &needs : NULL));
    AKIN_TRY(akin_agree_with_first(call->comm, akin_mistakes_sum(&found)));
    akin_json_set_text(call->report, "output", output);
    akin_json_set_integer(call->report, "rows", (long long)needs.rows);
    akin_json_set_integer(call->report, "refused", (long long)needs.refused);
    akin_json_set_integer(call->report, "rejected_before", (long long)needs.rejected_before);
    akin_json_set_integer(call->report, "missing", (long long)needs.missing);
    akin_json_set_integer(call->report, "bytes", (long long)needs.bytes);
    if (call->print && akin_comm_rank(call->comm) == 0)
        printf("%s: valid; %zu rows, about %.0f MB into %s\n", job_path(call), needs.rows,
               (double)needs.bytes * 1e-6, output);
done:
    akin_ids_free(needs.ids);
    akin_jobs_free(&read);
    akin_jobs_free(&jobs);
    akin_mem_free(output);
    return status;
}

akin_status akin_run_check(akin_options *o) {
    if (akin_options_flag(o, "csv-safe"))
        return akin_error_option("csv-safe",
                                 "--csv-safe belongs in the job file: csv-safe = yes in "
                                 "[ingest], [publish] or [gallery]");
    const char *night = night_of(o);
    if (!night || akin_folder_is_night(night)) return AKIN_OK;
    return akin_error_option("night", "--night must be a date such as 2026-03-01, not \"%s\"",
                             night);
}

akin_status akin_run_job(akin_call *call) {
    if (akin_options_flag(call->options, "check")) return check_only(call);
    akin_run_state run = {.call = call};
    double start = akin_comm_seconds();
    akin_status status = begin(&run);
    if (status == AKIN_OK) status = end(&run, run_stages(&run), start);
    (void)!akin_log_also_to(NULL);
    akin_json_free(run.stages);
    akin_source_close(run.listed);
    akin_last_additions_free(run.added);
    akin_metrics_free(run.metrics);
    akin_jobs_free(&run.jobs);
    akin_jobs_free(&run.read);
    akin_folder_close(run.folder);
    return status;
}

const akin_verb akin_verb_run = {
    .name = "run",
    .multiplies = true,
    .arguments = "JOB.ini",
    .summary = "run all stages of a job file, or resume an earlier run",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = akin_run_options,
    .notes =
        "A job file has a section for each stage - [ingest], [train], [embed], [neighbors], "
        "[evaluate],\n[publish], [gallery] - whose keys are the long options of its verb "
        "without the dashes, and [job]:\n  name = NAME      the output folder is "
        "results/NAME\n  output = DIR     another output folder\n  keep = N         a folder "
        "per night below it, for the last N nights; DIR/latest is the last\n                   "
        "complete one\nSee man akin for details; jobs/nightly.ini is a template.\n",
    .run = akin_run_job,
    .check = akin_run_check,
};
