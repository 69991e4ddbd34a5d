/* call: one run of one verb, with its report. */
#include "call.h"
#include "holds.h"
#include <akin/cpu.h>
#include <akin/csv.h>
#include <akin/mem.h>
#include <stdint.h>
#include <string.h>

akin_status akin_report_create(const char *verb, int ranks, akin_json **out) {
    akin_json *report = *out = akin_json_object();
    akin_json_set_text(report, "verb", verb);
    akin_json_set_text(report, "status", "ok");
    akin_json_set_integer(report, "exit", AKIN_OK);
    akin_json_set_integer(report, "ranks", ranks);
    akin_json_set_number(report, "seconds", 0);
    akin_json_set_integer(report, "items", 0);
    akin_status status = akin_json_check(report);
    if (status == AKIN_OK) return AKIN_OK;
    akin_json_free(report);
    *out = NULL;
    return status;
}

akin_status akin_report_finish(akin_json *report, akin_status outcome, double seconds) {
    if (outcome != AKIN_OK) akin_json_set_text(report, "message", akin_error_message());
    akin_json_set_text(report, "status", outcome == AKIN_OK ? "ok" : "failed");
    akin_json_set_text(report, "cpu", akin_cpu_name(akin_cpu_active()));
    akin_json_set_integer(report, "exit", outcome);
    akin_json_set_number(report, "seconds", (double)(int64_t)(seconds * 1e6) * 1e-6);
    return outcome == AKIN_OK ? akin_json_check(report) : AKIN_OK;
}

akin_status akin_call_check_arguments(const akin_verb *verb, const akin_options *options) {
    const char *const *arguments = NULL;
    int count = (int)akin_options_arguments(options, &arguments);
    if (count < verb->arguments_min)
        return akin_error_set(AKIN_USAGE, "missing argument: akin %s %s", verb->name,
                              verb->arguments);
    if (verb->arguments_max >= 0 && count > verb->arguments_max)
        return akin_error_set(AKIN_USAGE, "unexpected argument \"%s\": akin %s %s",
                              arguments[verb->arguments_max], verb->name, verb->arguments);
    return AKIN_OK;
}

akin_status akin_call_create(akin_comm *comm, const akin_verb *verb, akin_options *options,
                             bool print, akin_call *out) {
    *out = (akin_call){.comm = comm, .options = options, .print = print};
    out->options_text = akin_options_resolved(options, false);
    out->result_options = akin_options_resolved(options, true);
    if (!out->options_text || !out->result_options) return AKIN_FAILED;
    return akin_report_create(verb->name, akin_comm_size(comm), &out->report);
}

akin_status akin_call_run(const akin_verb *verb, akin_call *call) {
    return akin_call_run_together(verb, &call, 1);
}

akin_status akin_call_run_together(const akin_verb *verb, akin_call *const *calls, size_t count) {
    akin_comm *comm = calls[0]->comm;
    double start = akin_comm_seconds();
    akin_error_clear();
    akin_csv_make_safe(akin_options_flag(calls[0]->options, "csv-safe"));
    akin_holds *holds = akin_mem_zalloc(count, sizeof *holds);
    akin_status outcome = akin_agree(comm, holds ? AKIN_OK : AKIN_FAILED), status = AKIN_OK;
    for (size_t i = 0; i < count && outcome == AKIN_OK; i++)
        outcome = akin_holds_take(comm, verb, calls[i]->options, &holds[i]);
    if (outcome == AKIN_OK)
        outcome =
            akin_agree(comm, count == 1 ? verb->run(calls[0]) : verb->run_together(calls, count));
    for (size_t i = 0; i < count && holds; i++) akin_holds_release(&holds[i]);
    akin_mem_free(holds);
    for (size_t i = 0; i < count && status == AKIN_OK; i++)
        status = akin_report_finish(calls[i]->report, outcome, akin_comm_seconds() - start);
    return outcome == AKIN_OK ? akin_agree(comm, status) : outcome;
}

void akin_call_free(akin_call *call) {
    akin_mem_free((void *)(uintptr_t)call->options_text);
    akin_mem_free((void *)(uintptr_t)call->result_options);
    akin_mem_free(call->said);
    akin_json_free(call->report);
    akin_source_close(call->listed);
    *call = (akin_call){0};
}

bool akin_call_is_repeated(akin_call *call) {
    if (akin_comm_rank(call->comm) != 0) return true;
    const char *status = akin_json_text(call->last, "status"),
               *inputs = akin_json_text(call->last, "input_digest");
    return *call->inputs && status && inputs && strcmp(status, "ok") == 0 &&
           strcmp(inputs, call->inputs) == 0;
}

const akin_verb *akin_verb_find(const char *name) {
    for (size_t i = 0; akin_verbs[i]; i++)
        if (strcmp(akin_verbs[i]->name, name) == 0) return akin_verbs[i];
    return NULL;
}
