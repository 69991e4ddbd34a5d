/* run_stage: one stage of a run, for its tables: up to date, or its verb runs. */
#include "run_stage.h"
#include "call.h"
#include "entries.h"
#include "output.h"
#include "reuse.h"
#include "table_gates.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/text.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool up_to_date(akin_call *call, const akin_verb *verb) {
    int64_t wrong = !verb->up_to_date || !verb->up_to_date(call);
    akin_comm_max_i64(call->comm, &wrong, 1);
    akin_error_clear();
    return !wrong;
}

/* What a stage counts. */
static const char *row_of(const akin_stage *stage, const akin_job *job) {
    bool of_table = stage->argument && strcmp(stage->argument, "table.nc") == 0;
    return of_table && akin_job_of_products(job) ? "product" : "item";
}

/* The line of a stage: time, rate, memory, and what the verb says of itself (`said`); memory also goes
 * into its report. Collective. */
static void summarize(const akin_call *call, const char *verb, const char *row, const char *said) {
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
    char unit[32];
    snprintf(unit, sizeof unit, "%ss/s", row);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
        if (akin_json_number(call->report, rates[i].key, 0) > 0) {
            rate = akin_json_number(call->report, rates[i].key, 0);
            snprintf(unit, sizeof unit, "%s", rates[i].unit);
        }
    double left = akin_json_number(call->report, "places_left", 0);
    size_t places = akin_json_count(akin_json_get(call->report, "published"));
    if (left > 0) /* each was reported separately */
        akin_log_info("%s: left %.0f of %zu target%s unchanged, %.*f s, peak memory %lld MiB (rank "
                      "%lld)%s%s",
                      verb, left, places, AKIN_PLURAL(places), seconds < 10 ? 2 : 0, seconds,
                      mebibytes, rank, *said ? "; " : "", said);
    else
        akin_log_info("%s: %s %s%s in %.*f s, %s %s, peak memory %lld MiB (rank %lld)%s%s", verb,
                      akin_text_commas(count, items), row, AKIN_PLURAL(count), seconds < 10 ? 2 : 0,
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

/* With what is to be warned of now. */
static void report_skipped(akin_run_state *run, const akin_stage *stage, const akin_stage_run *own,
                           const akin_json *entry) {
    const char *warning = akin_json_text(own->call->report, "warning");
    akin_json *copy = akin_json_copy(entry);
    if (warning) akin_json_set_text(copy, "warning", warning);
    akin_stage_report(run, stage->verb, own->job->table, copy, true);
    akin_json_free(copy);
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
    const char *title = akin_job_title(stage->verb, table, room);
    if (measured > 0) /* so far only of publish */
        akin_log_info("%s: nothing to do, skipped; %.0f target%s left unchanged", title, measured,
                      measured > 1 ? "s are" : " is");
    else
        akin_log_info("%s: up to date, skipped", title);
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
    report_skipped(run, stage, own, entry);
done:
    return status;
}

/* Says which stage failed: by the line of the key that the error is about, where the job file has it. */
static akin_status name_stage(const akin_stage *stage, const akin_job *job, akin_status outcome) {
    const char *section = akin_stage_section(stage, job), *key = akin_error_about();
    char room[AKIN_JOB_FILE_SIZE];
    if (key && akin_jobfile_names(job->file, section, key))
        return akin_job_at_key(job->file, section, key, outcome);
    return akin_error_context(outcome, "%s: ", akin_job_title(stage->verb, job->table, room));
}

/* Records what the verb did, or why it failed. Collective. */
static akin_status record_work(akin_run_state *run, const akin_stage *stage,
                               const akin_stage_run *own, akin_status outcome, double waited,
                               const akin_error_kept *why) {
    akin_call *call = own->call;
    const char *table = own->job->table;
    akin_json_set_number(call->report, "waiting_seconds", waited);
    if (outcome == AKIN_OK && stage->recorded) {
        akin_json_set_text(call->report, "input_digest", call->inputs);
        akin_json_set_text(call->report, "options", call->options_text);
    }
    akin_status status = record(run, stage, own, true);
    if (status == AKIN_OK) akin_stage_report(run, stage->verb, table, call->report, false);
    if (outcome == AKIN_OK) return status;
    akin_error_restore(why);
    if (outcome == AKIN_GATE) return akin_table_gates_tell(own->job, call->report, outcome);
    return name_stage(stage, own->job, outcome);
}

/* Runs the verb for these tables, and records it for each. Collective. */
static akin_status work(akin_run_state *run, const akin_stage *stage, akin_stage_run *const *own,
                        size_t count) {
    akin_comm *comm = run->call->comm;
    const akin_verb *verb = akin_verb_find(stage->verb);
    akin_call **calls = akin_mem_alloc(count, sizeof *calls);
    akin_status status = akin_agree(comm, calls ? AKIN_OK : AKIN_FAILED);
    if (status != AKIN_OK) return status;
    for (size_t i = 0; i < count; i++) calls[i] = own[i]->call;
    akin_mem_peak_restart();
    double waited = akin_comm_waited(comm);
    akin_log_hold();
    akin_status outcome = akin_call_run_together(verb, calls, count);
    akin_log_progress_end();
    const char *said = akin_log_release();
    for (size_t i = 0; i < count; i++) {
        char room[AKIN_JOB_FILE_SIZE];
        const char *title = akin_job_title(stage->verb, own[i]->job->table, room);
        const char *here = calls[i]->said ? calls[i]->said : i == 0 ? said : "";
        if (outcome == AKIN_OK)
            summarize(calls[i], title, row_of(stage, own[i]->job), here);
        else if (*here)
            akin_log_info("%s: %s", title, here);
    }
    waited = akin_comm_waited(comm) - waited;
    akin_comm_max_f64(comm, &waited, 1);
    akin_error_kept why;
    akin_error_keep(&why);
    for (size_t i = count; i-- > 0;) { /* a failure is reported for the first of them */
        akin_status one = record_work(run, stage, own[i], outcome, waited, &why);
        if (one != AKIN_OK) status = one;
    }
    akin_mem_free(calls);
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

/* A stage that is not up to date: what it may reuse. Collective; agreed. */
static akin_status prepare(const akin_run_state *run, const akin_stage *stage,
                           akin_stage_run *own) {
    akin_status status = AKIN_OK;
    akin_call *call = own->call;
    akin_options *options = call->options;
    const char *output = stage->always ? akin_options_text(options, "output") : NULL;
    if (output && akin_comm_rank(call->comm) == 0)
        akin_output_tell_damage(output, stage->verb, "it is damaged; it will be recomputed");
    if (!akin_stage_of_added(stage, own->job->file))
        AKIN_TRY(akin_reuse_previous(stage, own->job->table, call, run->folder));
    AKIN_TRY(renew(call, akin_verb_find(stage->verb), options));
    AKIN_TRY(run_hook(stage->begin, own));
done:
    return status;
}

/* A call for a table, and whether its output fits: then it is skipped. Collective; agreed. */
static akin_status look(akin_run_state *run, const akin_stage *stage, akin_stage_run *own,
                        bool *fits) {
    akin_status status = AKIN_OK;
    akin_comm *comm = run->call->comm;
    akin_call *call = own->call;
    const akin_verb *verb = akin_verb_find(stage->verb);
    akin_options *options =
        akin_jobfile_options(own->job->file, akin_stage_section(stage, own->job));
    *fits = false;
    AKIN_TRY(akin_agree(comm, akin_call_create(comm, verb, options, false, call)));
    if (stage->argument_key) { /* the rules have listed these arguments */
        call->listed = run->listed;
        run->listed = NULL;
    }
    AKIN_TRY(run_hook(stage->prepare, own));
    if (stage->shows_all) /* in the order in which the next run finds them */
        AKIN_TRY(akin_metrics_keep_wanted(comm, run->metrics, &run->jobs));
    AKIN_TRY(akin_agree(comm, akin_metrics_recall(run->metrics, stage, own->job->table, call)));
    bool recorded = is_recorded(run, stage, own->job->table) &&
                    !(stage->argument_key && akin_stage_of_added(stage, own->job->file));
    if ((*fits = up_to_date(call, verb))) AKIN_TRY(skip(run, stage, own, recorded));
done:
    return status;
}

static akin_stage_run begin_run(akin_run_state *run, akin_call *call, const akin_job *job) {
    return (akin_stage_run){.call = call,
                            .jobs = &run->jobs,
                            .job = job,
                            .folder = run->folder,
                            .metrics = run->metrics};
}

static akin_status run_one(akin_run_state *run, const akin_stage *stage, const akin_job *job) {
    akin_status status = AKIN_OK;
    akin_call call = {0};
    akin_stage_run own = begin_run(run, &call, job), *one = &own;
    bool fits;
    AKIN_TRY(look(run, stage, &own, &fits));
    if (!fits) {
        AKIN_TRY(prepare(run, stage, &own));
        AKIN_TRY(work(run, stage, &one, 1));
    }
    status = run_hook(stage->end, &own);
done:
    akin_call_free(&call);
    return status;
}

/* --- the tables --- */

static akin_status stop_if_signalled(const akin_run_state *run, const akin_stage *stage) {
    if (akin_comm_check_signal(run->call->comm) == AKIN_OK) return AKIN_OK;
    return akin_error_set(AKIN_INTERRUPTED,
                          "stopped by a signal before %s; run it again to continue", stage->verb);
}

/* Tables are published independently: a gate that refuses one stops the run after the others. */
static akin_status run_each(akin_run_state *run, const akin_stage *stage) {
    akin_error_kept refused = {0};
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < run->jobs.count; i++) {
        if (!akin_stage_runs(stage, &run->jobs.list[i])) continue;
        if ((status = stop_if_signalled(run, stage)) != AKIN_OK) break;
        status = run_one(run, stage, &run->jobs.list[i]);
        if (status == AKIN_GATE)
            akin_error_gather(&refused);
        else if (status != AKIN_OK)
            break;
    }
    if ((status != AKIN_OK && status != AKIN_GATE) || !*refused.message) return status;
    akin_error_restore(&refused);
    return AKIN_GATE;
}

/* Those that do not fit at once. */
static akin_status run_together(akin_run_state *run, const akin_stage *stage) {
    akin_comm *comm = run->call->comm;
    size_t all = run->jobs.count, count = 0, made = 0;
    akin_call *calls = akin_mem_zalloc(all, sizeof *calls);
    akin_stage_run *own = akin_mem_zalloc(all, sizeof *own), **made_of = NULL;
    made_of = akin_mem_zalloc(all, sizeof *made_of);
    akin_status status = akin_agree(comm, calls && own && made_of ? AKIN_OK : AKIN_FAILED);
    if (status == AKIN_OK) status = stop_if_signalled(run, stage);
    for (size_t i = 0; i < all && status == AKIN_OK; i++) {
        bool fits;
        if (!akin_stage_runs(stage, &run->jobs.list[i])) continue;
        own[count] = begin_run(run, &calls[count], &run->jobs.list[i]);
        AKIN_TRY(look(run, stage, &own[count++], &fits));
        if (!fits) made_of[made++] = &own[count - 1];
    }
    for (size_t m = 0; m < made && status == AKIN_OK; m++)
        AKIN_TRY(prepare(run, stage, made_of[m]));
    if (made > 0 && status == AKIN_OK) AKIN_TRY(work(run, stage, made_of, made));
    for (size_t i = 0; i < count && status == AKIN_OK; i++) status = run_hook(stage->end, &own[i]);
done:
    for (size_t i = 0; i < count; i++) akin_call_free(&calls[i]);
    akin_mem_free(calls);
    akin_mem_free(own);
    akin_mem_free(made_of);
    return status;
}

akin_status akin_stage_run_tables(akin_run_state *run, const akin_stage *stage) {
    return akin_verb_find(stage->verb)->run_together ? run_together(run, stage)
                                                     : run_each(run, stage);
}
