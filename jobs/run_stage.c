/* run_stage: one stage of a run, for one table: it is up to date, or its verb runs. */
#include "run_stage.h"
#include "call.h"
#include "entries.h"
#include "output.h"
#include "reuse.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/text.h>
#include <stdint.h>
#include <string.h>

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

void akin_stage_report(akin_run_state *run, const char *verb, const char *table,
                       const akin_json *entry, bool skipped) {
    akin_json *copy = akin_json_copy(entry);
    akin_json_set_bool(copy, "skipped", skipped);
    if (!copy) akin_json_set_node(run->stages, verb, &copy); /* keeps the failure */
    akin_entries_set(run->stages, verb, table, copy);
    akin_json_free(copy);
}

/* Puts the report into metrics.json; but there the entry of ingest is that of catalog.nc, which new
 * items alone do not replace. Collective; agreed. */
static akin_status record(akin_run_state *run, const akin_stage *stage, const akin_stage_run *own,
                          bool ran) {
    if (stage->argument_key && akin_stage_of_added(stage, own->job->file)) return AKIN_OK;
    return akin_metrics_put(own->call->comm, run->metrics, stage->verb, own->job->table,
                            own->call->report, ran);
}

/* Whether metrics.json records a successful run of this stage. Collective: all ranks get the
 * same answer. */
static bool is_recorded(const akin_run_state *run, const akin_stage *stage, const char *table) {
    const char *status =
        akin_json_text(akin_metrics_entry(run->metrics, stage->verb, table), "status");
    int64_t recorded = status && strcmp(status, "ok") == 0;
    akin_comm_max_i64(run->call->comm, &recorded, 1);
    return recorded != 0;
}

/* What metrics.json says about a skipped stage; if it has no entry (as when the run was killed
 * between the two), only what the file says. */
static akin_status skip(akin_run_state *run, const akin_stage *stage, const akin_stage_run *own,
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
    if (!recorded) {
        if (akin_options_declared(call->options, "output", NULL) &&
            akin_ncfile_peek(akin_options_text(call->options, "output"), NULL, &file) == AKIN_OK &&
            akin_ncfile_length(file, "item", &items) == AKIN_OK)
            akin_json_set_integer(call->report, "items", (long long)items);
        akin_ncfile_close(file);
        akin_error_clear();
        AKIN_TRY(record(run, stage, own, false));
        entry = call->report;
    }
    if (figure) {
        AKIN_TRY(akin_metrics_add(call->comm, run->metrics, stage->verb, table, figure, measured));
        entry = akin_metrics_entry(run->metrics, stage->verb, table);
    }
    if (!entry) entry = call->report; /* not on rank 0 */
    akin_stage_report(run, stage->verb, table, entry, true);
done:
    return status;
}

/* Runs the verb and records what it did, or why it failed. Collective. */
static akin_status work(akin_run_state *run, const akin_stage *stage, const akin_stage_run *own) {
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
    akin_status status = record(run, stage, own, true);
    if (status == AKIN_OK) akin_stage_report(run, stage->verb, table, call->report, false);
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
static akin_status make(akin_run_state *run, const akin_stage *stage, akin_stage_run *own) {
    akin_status status = AKIN_OK;
    akin_call *call = own->call;
    akin_options *options = call->options;
    const char *output = stage->always ? akin_options_text(options, "output") : NULL;
    if (output && akin_comm_rank(call->comm) == 0)
        akin_output_tell_damage(output, stage->verb, "it is damaged and is made again");
    if (!akin_stage_of_added(stage, own->job->file))
        AKIN_TRY(akin_reuse_previous(stage, own->job->table, call, run->folder));
    AKIN_TRY(renew(call, akin_verb_find(stage->verb), options));
    AKIN_TRY(run_hook(stage->begin, own));
    status = work(run, stage, own);
done:
    return status;
}

akin_status akin_stage_make(akin_run_state *run, const akin_stage *stage, const akin_job *job) {
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
    bool recorded = is_recorded(run, stage, job->table) &&
                    !(stage->argument_key && akin_stage_of_added(stage, job->file));
    AKIN_TRY(up_to_date(&call, verb) ? skip(run, stage, &own, recorded) : make(run, stage, &own));
    status = run_hook(stage->end, &own);
done:
    akin_call_free(&call);
    return status;
}
