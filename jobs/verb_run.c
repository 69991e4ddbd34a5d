/* verb_run: `akin run JOB.ini` runs all stages of a job file and resumes an earlier run. */
#include "addition.h"
#include "call.h"
#include "entries.h"
#include "folder.h"
#include "metrics.h"
#include "output.h"
#include "preflight.h"
#include "record.h"
#include "reuse.h"
#include "run.h"
#include "stages.h"
#include <akin/cpu.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/text.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LAST_STAGE "gallery"

const akin_option akin_run_options[] = {
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
     .help = "fetch nothing: pictures that are addresses are what the cache has"},
    {.name = "night",
     .type = AKIN_OPTION_TEXT,
     .argument = "YYYY-MM-DD",
     .help = "with keep: the name of a night that starts now (default: today)"},
    {0},
};

typedef struct {
    akin_call *call;
    akin_jobs jobs;
    akin_jobfile *job; /* that of table.nc */
    akin_folder *folder;
    akin_metrics *metrics;
    akin_json *stages;   /* the report's: what each stage did in this or an earlier run */
    akin_source *listed; /* for ingest, if the rules already needed it */
    int skipped;
} run_state;

/* --- the job file --- */

static const char *job_path(const akin_call *call) {
    const char *const *arguments = NULL;
    akin_options_arguments(call->options, &arguments);
    return arguments[0];
}

/* What this call makes of the job file. Not collective. */
static akin_status read_jobs(const akin_call *call, akin_jobs *jobs) {
    akin_status status = akin_jobs_read(job_path(call), jobs);
    return status == AKIN_OK ? akin_addition_settle(call, jobs) : status;
}

/* Reads the job file and refuses what can be refused from it alone. Not collective. */
static akin_status check_job(const akin_call *call, char **output, long long *keep) {
    akin_status status = AKIN_OK;
    akin_jobs jobs = {0};
    AKIN_TRY(read_jobs(call, &jobs));
    AKIN_TRY(akin_job_output(jobs.list[0].file, job_path(call), output));
    *keep = akin_options_int(akin_jobfile_options(jobs.list[0].file, "job"), "keep");
    AKIN_TRY(akin_addition_place(call, output, keep));
    AKIN_TRY(akin_jobs_settle(&jobs, call->options, *output, NULL));
    AKIN_TRY(akin_jobs_check(&jobs));
    if (akin_comm_rank(call->comm) != 0) goto done;
    const char *night = akin_options_text(call->options, "night");
    if (night && *keep > 0) AKIN_TRY(akin_folder_check_night(*output, night));
    AKIN_TRY(akin_preflight_start(&jobs, *output));
    akin_preflight_tell_unpublished(&jobs);
done:
    akin_jobs_free(&jobs);
    return status;
}

/* The job again, with the files of its output folder. Not collective. */
static akin_status settle_job(run_state *run) {
    akin_status status = read_jobs(run->call, &run->jobs);
    if (status != AKIN_OK) return status;
    run->job = run->jobs.list[0].file;
    return akin_jobs_settle(&run->jobs, run->call->options, akin_folder_path(run->folder),
                            akin_folder_previous(run->folder));
}

/* --- one stage --- */

static bool up_to_date(akin_call *call, const akin_verb *verb) {
    int64_t wrong = !verb->up_to_date || !verb->up_to_date(call);
    akin_comm_max_i64(call->comm, &wrong, 1);
    akin_error_clear();
    return !wrong;
}

/* The line of a stage: time, rate, memory, and what the verb says of itself (`said`); memory also goes
 * into its report. Collective. */
static void summarize(const akin_call *call, const char *verb, const char *said) {
    static const struct {
        const char *key, *unit;
    } rates[] = {{"images_per_second", "images/s"}, {"pairs_per_second", "pairs/s"}};
    enum { RANK_BITS = 24 };
    char items[32], speed[32];
    int64_t last = (1 << RANK_BITS) - 1, peak = (int64_t)(akin_mem_peak() >> 10) << RANK_BITS;
    peak |= last - akin_comm_rank(call->comm); /* the largest, and the lowest rank that has it */
    akin_comm_max_i64(call->comm, &peak, 1);
    long long rank = last - (peak & last), mebibytes = peak >> RANK_BITS >> 10;
    double seconds = akin_json_number(call->report, "seconds", 0),
           count = akin_json_number(call->report, "items", 0);
    double rate = seconds > 0 ? count / seconds : 0;
    const char *unit = "items/s";
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (akin_json_number(call->report, rates[i].key, 0) > 0) {
            rate = akin_json_number(call->report, rates[i].key, 0);
            unit = rates[i].unit;
        }
    if (akin_json_number(call->report, "places_left", 0) > 0) /* each was reported separately */
        akin_log_info("%s: stopped after %.*f s, peak memory %lld MiB (rank %lld)%s%s", verb,
                      seconds < 10 ? 2 : 0, seconds, mebibytes, rank, *said ? "; " : "", said);
    else
        akin_log_info("%s: %s item%s in %.*f s, %s %s, peak memory %lld MiB (rank %lld)%s%s", verb,
                      akin_text_commas(count, items), AKIN_PLURAL(count), seconds < 10 ? 2 : 0,
                      seconds, akin_text_commas(rate, speed), unit, mebibytes, rank,
                      *said ? "; " : "", said);
    akin_json_set_integer(call->report, "peak_rss_bytes", (peak >> RANK_BITS) << 10);
    akin_json_set_integer(call->report, "peak_rss_rank", rank);
}

static void add_to_report(run_state *run, const char *verb, const char *table,
                          const akin_json *entry, bool skipped) {
    akin_json *copy = akin_json_copy(entry);
    akin_json_set_bool(copy, "skipped", skipped);
    if (!copy) akin_json_set_node(run->stages, verb, &copy); /* keeps the failure */
    akin_entries_set(run->stages, verb, table, copy);
    akin_json_free(copy);
}

/* Whether metrics.json records a successful run of this stage. Collective: all ranks get the
 * same answer. */
static bool is_recorded(const run_state *run, const akin_stage *stage, const char *table) {
    const char *status =
        akin_json_text(akin_metrics_entry(run->metrics, stage->verb, table), "status");
    int64_t recorded = status && strcmp(status, "ok") == 0;
    akin_comm_max_i64(run->call->comm, &recorded, 1);
    return recorded != 0;
}

/* What metrics.json says about a skipped stage; if it has no entry (as when the run was killed
 * between the two), only what the file says. */
static akin_status skip(run_state *run, const akin_stage *stage, const akin_stage_run *own,
                        bool recorded) {
    akin_status status = AKIN_OK;
    const akin_call *call = own->call;
    const char *table = own->job->table;
    char room[AKIN_JOB_FILE_SIZE];
    akin_ncfile *file = NULL;
    size_t items = 0;
    const akin_json *entry = akin_metrics_entry(run->metrics, stage->verb, table);
    const char *figure = stage->measured_again;
    double measured = figure ? akin_json_number(call->report, figure, 0) : 0;
    akin_log_info(measured > 0 ? "%s: skipped" : "%s: up to date, skipped",
                  akin_job_title(stage->verb, table, room));
    run->skipped++;
    if (!recorded) {
        if (akin_options_declared(call->options, "output", NULL) &&
            akin_ncfile_peek(akin_options_text(call->options, "output"), NULL, &file) == AKIN_OK &&
            akin_ncfile_length(file, "item", &items) == AKIN_OK)
            akin_json_set_integer(call->report, "items", (long long)items);
        akin_ncfile_close(file);
        akin_error_clear();
        AKIN_TRY(
            akin_metrics_put(call->comm, run->metrics, stage->verb, table, call->report, false));
        entry = call->report;
    }
    if (figure) {
        AKIN_TRY(akin_metrics_add(call->comm, run->metrics, stage->verb, table, figure, measured));
        entry = akin_metrics_entry(run->metrics, stage->verb, table);
    }
    if (!entry) entry = call->report; /* not on rank 0 */
    add_to_report(run, stage->verb, table, entry, true);
done:
    return status;
}

/* Runs the verb and records what it did, or why it failed. Collective. */
static akin_status work(run_state *run, const akin_stage *stage, const akin_stage_run *own) {
    akin_call *call = own->call;
    akin_comm *comm = call->comm;
    const char *table = own->job->table;
    char room[AKIN_JOB_FILE_SIZE];
    const char *title = akin_job_title(stage->verb, table, room);
    akin_mem_peak_restart();
    double waited = akin_comm_waited(comm);
    akin_log_hold();
    akin_status outcome = akin_call_run(akin_verb_find(stage->verb), call);
    akin_log_progress_end();
    const char *said = akin_log_release();
    if (outcome == AKIN_OK)
        summarize(call, title, said);
    else if (*said)
        akin_log_info("%s: %s", title, said);
    waited = akin_comm_waited(comm) - waited;
    akin_comm_max_f64(comm, &waited, 1);
    akin_json_set_number(call->report, "waiting_seconds", waited);
    if (outcome == AKIN_OK && stage->recorded) {
        akin_json_set_text(call->report, "input_digest", call->inputs);
        akin_json_set_text(call->report, "options", call->options_text);
    }
    char *message = outcome == AKIN_OK ? NULL : akin_mem_text(akin_error_message());
    akin_status status =
        akin_metrics_put(comm, run->metrics, stage->verb, table, call->report, true);
    if (status == AKIN_OK) add_to_report(run, stage->verb, table, call->report, false);
    if (outcome != AKIN_OK)
        status = akin_error_set(outcome, "%s: %s", title, message ? message : "failed");
    akin_mem_free(message);
    return status;
}

/* The call with options that were set in the meantime. Collective. */
static akin_status renew(akin_call *call, const akin_verb *verb, akin_options *options) {
    akin_call old = *call;
    call->listed = NULL;
    akin_call_free(call);
    akin_status status = akin_call_create(old.comm, verb, options, false, call);
    call->listed = old.listed;
    memcpy(call->inputs, old.inputs, sizeof call->inputs);
    return akin_agree(old.comm, status);
}

static akin_status run_hook(akin_stage_hook *hook, akin_stage_run *own) {
    return hook ? hook(own) : AKIN_OK;
}

/* A stage that is not up to date: what it may reuse, and its work. */
static akin_status make(run_state *run, const akin_stage *stage, akin_stage_run *own) {
    akin_status status = AKIN_OK;
    akin_call *call = own->call;
    akin_options *options = call->options;
    const char *output = stage->always ? akin_options_text(options, "output") : NULL;
    if (output && akin_comm_rank(call->comm) == 0)
        akin_output_tell_damage(output, stage->verb, "it is damaged and is made again");
    AKIN_TRY(akin_reuse_previous(stage, own->job->table, call, run->folder));
    AKIN_TRY(renew(call, akin_verb_find(stage->verb), options));
    AKIN_TRY(run_hook(stage->begin, own));
    status = work(run, stage, own);
done:
    return status;
}

static akin_status run_stage(run_state *run, const akin_stage *stage, const akin_job *job) {
    akin_status status = AKIN_OK;
    akin_comm *comm = run->call->comm;
    akin_call call = {0};
    akin_stage_run own = {.call = &call,
                          .jobs = &run->jobs,
                          .job = job,
                          .folder = run->folder,
                          .metrics = run->metrics};
    const akin_verb *verb = akin_verb_find(stage->verb);
    akin_options *options = akin_jobfile_options(job->file, akin_stage_section(stage, job));
    AKIN_TRY(akin_agree(comm, akin_call_create(comm, verb, options, false, &call)));
    if (stage->argument_key) { /* the rules have listed these arguments */
        call.listed = run->listed;
        run->listed = NULL;
    }
    AKIN_TRY(run_hook(stage->prepare, &own));
    AKIN_TRY(akin_agree(comm, akin_metrics_recall(run->metrics, stage, job->table, &call)));
    bool recorded = is_recorded(run, stage, job->table);
    AKIN_TRY(up_to_date(&call, verb) ? skip(run, stage, &own, recorded) : make(run, stage, &own));
    status = run_hook(stage->end, &own);
done:
    akin_call_free(&call);
    return status;
}

/* --- the run --- */

/* The job's label in metrics.prom. */
static const char *job_name(const run_state *run, const char *output) {
    const char *name = akin_options_text(akin_jobfile_options(run->job, "job"), "name");
    return name ? name : akin_file_name(output);
}

/* Reports what the source lacks before anything is changed. Collective; agreed. */
static akin_status check_rules(run_state *run) {
    akin_jobs jobs = {0};
    akin_status status;
    AKIN_TRY(akin_agree(run->call->comm, read_jobs(run->call, &jobs)));
    status = akin_preflight_rules(run->call->comm, jobs.list[0].file, &run->listed);
done:
    akin_jobs_free(&jobs);
    return status;
}

static akin_status begin(run_state *run) {
    akin_status status = AKIN_OK;
    akin_comm *comm = run->call->comm;
    char *output = NULL, *log = NULL;
    long long keep = 0;
    AKIN_TRY(akin_agree(comm, check_job(run->call, &output, &keep)));
    AKIN_TRY(check_rules(run));
    AKIN_TRY(akin_folder_open(comm, output, keep, akin_options_text(run->call->options, "night"),
                              &run->folder));
    AKIN_TRY(akin_agree(comm, settle_job(run)));
    if (akin_comm_rank(comm) == 0)
        status = akin_record_job(job_path(run->call), akin_folder_path(run->folder));
    AKIN_TRY(akin_agree(comm, status));
    AKIN_TRY(akin_metrics_open(comm, akin_folder_path(run->folder), output, job_name(run, output),
                               &run->metrics));
    AKIN_TRY(akin_metrics_keep_wanted(comm, run->metrics, &run->jobs));
    log = akin_file_join(akin_folder_path(run->folder), "log.txt");
    AKIN_TRY(akin_agree(comm, log ? akin_log_also_to(log) : AKIN_FAILED));
    akin_log_record("%d ranks, kernels for %s", akin_comm_size(comm),
                    akin_cpu_name(akin_cpu_active()));
    run->stages = akin_json_object();
done:
    akin_mem_free(log);
    akin_mem_free(output);
    return status;
}

/* What a job that brings its vectors need not do. */
static void leave_out(run_state *run, const akin_stage *stage) {
    const char *vectors = akin_stages_vectors(run->job);
    if (!vectors || !stage->always) return;
    akin_log_info("%s: skipped, the vectors come from %s", stage->verb, vectors);
    akin_json *entry = akin_json_object();
    akin_json_set_text(entry, "vectors_from", vectors);
    add_to_report(run, stage->verb, NULL, entry, true);
    akin_json_free(entry);
}

static const akin_stage *last_stage(const run_state *run) {
    return akin_stage_find(akin_options_text(run->call->options, "until"));
}

/* For each table that has the stage. Tables are published independently: a gate that refuses one
 * stops the run only behind the others. */
static akin_status run_for_tables(run_state *run, const akin_stage *stage) {
    akin_error_kept first;
    akin_status status = AKIN_OK, refused = AKIN_OK;
    for (size_t i = 0; i < run->jobs.count; i++) {
        if (!akin_stage_runs(stage, &run->jobs.list[i])) continue;
        if (akin_comm_check_signal(run->call->comm) != AKIN_OK) {
            status = akin_error_set(AKIN_INTERRUPTED,
                                    "stopped by a signal before %s; run it again to continue",
                                    stage->verb);
            break;
        }
        status = run_stage(run, stage, &run->jobs.list[i]);
        if (status == AKIN_GATE) {
            if (refused == AKIN_OK) akin_error_keep(&first);
            refused = status;
        } else if (status != AKIN_OK)
            break;
    }
    if ((status != AKIN_OK && status != AKIN_GATE) || refused == AKIN_OK) return status;
    akin_error_restore(&first);
    return refused;
}

static akin_status run_stages(run_state *run) {
    akin_status status = AKIN_OK;
    for (const akin_stage *stage = akin_stages; stage->verb; stage++) {
        if (!akin_stage_wanted(stage, run->job)) {
            leave_out(run, stage);
            continue;
        }
        if (stage->online && akin_options_flag(run->call->options, "offline")) continue;
        AKIN_TRY(run_for_tables(run, stage));
        if (stage == last_stage(run)) break;
    }
done:
    return status;
}

/* Also for a run that failed: what it did until then. */
static void fill_report(run_state *run) {
    akin_json *report = run->call->report;
    const char *first = akin_stage_wanted(akin_stage_find("ingest"), run->job) ? "ingest" : "embed";
    double items = akin_json_number(akin_json_get(run->stages, first), "items", 0);
    akin_json_set_node(report, "stages", &run->stages);
    akin_json_set_integer(report, "items", (long long)items);
    akin_json_set_text(report, "output", akin_folder_path(run->folder));
}

/* Whether the run went as far as its job requires. */
static bool is_whole(const run_state *run) {
    for (const akin_stage *stage = last_stage(run) + 1; stage->verb; stage++)
        if (akin_stage_wanted(stage, run->job)) return false;
    return true;
}

static akin_status end(run_state *run, akin_status outcome, double start) {
    akin_status status = AKIN_OK;
    char *message = akin_mem_text(akin_error_message());
    bool whole = is_whole(run);
    if (outcome == AKIN_OK)
        AKIN_TRY(akin_metrics_keep_wanted(run->call->comm, run->metrics, &run->jobs));
    if (outcome == AKIN_OK && whole) AKIN_TRY(akin_folder_complete(run->call->comm, run->folder));
    fill_report(run);
    if (outcome == AKIN_OK)
        akin_log_info("run: done in %.1f s, %s", akin_comm_seconds() - start,
                      akin_folder_path(run->folder));
done:
    if (outcome != AKIN_OK) status = akin_error_set(outcome, "%s", message ? message : "failed");
    akin_metrics_end(run->call->comm, run->metrics, status, whole, akin_comm_seconds() - start);
    if (status == AKIN_INTERRUPTED)
        akin_log_record("run: interrupted (exit %d), submit again to continue: %s", status,
                        akin_error_message());
    else if (status != AKIN_OK)
        akin_log_record("run: failed with exit %d: %s", status, akin_error_message());
    akin_mem_free(message);
    return status;
}

/* --check: what begin() would refuse, the sources and the free space. Collective. */
static akin_status check_only(akin_call *call) {
    akin_status status = AKIN_OK;
    akin_jobs jobs = {0};
    char *output = NULL;
    long long keep = 0;
    akin_preflight_needs needs = {0};
    AKIN_TRY(akin_agree(call->comm, check_job(call, &output, &keep)));
    status = read_jobs(call, &jobs);
    if (status == AKIN_OK) status = akin_jobs_settle(&jobs, call->options, output, NULL);
    AKIN_TRY(akin_agree(call->comm, status));
    akin_status places = akin_comm_rank(call->comm) == 0 ? akin_preflight_places(&jobs) : AKIN_OK;
    akin_error_kept why;
    akin_error_keep(&why);
    status = akin_preflight_space(call->comm, jobs.list[0].file, output, &needs);
    if (places != AKIN_OK && status != AKIN_OK) akin_error_gather(&why);
    if (places != AKIN_OK) akin_error_restore(&why);
    AKIN_TRY(akin_agree(call->comm, status != AKIN_OK ? status : places));
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
    akin_jobs_free(&jobs);
    akin_mem_free(output);
    return status;
}

akin_status akin_run_check(akin_options *o) {
    if (akin_options_flag(o, "csv-safe"))
        return akin_error_option("csv-safe",
                                 "--csv-safe belongs in the job file: csv-safe = yes in "
                                 "[ingest], [publish] or [gallery]");
    const char *night = akin_options_text(o, "night");
    if (!night || akin_folder_is_night(night)) return AKIN_OK;
    return akin_error_option("night", "--night must be a date such as 2026-03-01, not \"%s\"",
                             night);
}

akin_status akin_run_job(akin_call *call) {
    if (akin_options_flag(call->options, "check")) return check_only(call);
    run_state run = {.call = call};
    double start = akin_comm_seconds();
    akin_status status = begin(&run);
    if (status == AKIN_OK) status = end(&run, run_stages(&run), start);
    (void)!akin_log_also_to(NULL);
    akin_json_free(run.stages);
    akin_source_close(run.listed);
    akin_metrics_free(run.metrics);
    akin_jobs_free(&run.jobs);
    akin_folder_close(run.folder);
    return status;
}

const akin_verb akin_verb_run = {
    .name = "run",
    .multiplies = true,
    .arguments = "JOB.ini",
    .summary = "run all stages of a job file, and resume what an earlier run did",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = akin_run_options,
    .notes = "A job file has a section for each stage - [ingest], [train], [embed], [neighbors], "
             "[evaluate], [publish],\n[gallery] - whose keys are the long options of its verb "
             "without the dashes, and [job]:\n  name = NAME      the output folder is "
             "results/NAME\n  output = DIR     another output folder\n  keep = N         a folder "
             "per night below it, for the last N nights; DIR/latest is the last complete one\nSee "
             "man akin for details; jobs/nightly.ini is a template.\n",
    .run = akin_run_job,
    .check = akin_run_check,
};
