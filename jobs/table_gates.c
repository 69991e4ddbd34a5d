/* table_gates: see table_gates.h. */
#include "table_gates.h"
#include "call.h"
#include "stages.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/text.h>
#include <stdio.h>
#include <string.h>

#define PUBLISH "publish"

static const char *const gates[] = {"min-coverage", "max-churn", "max-shrink", "golden",
                                    "min-golden"};
enum { GATES = sizeof gates / sizeof *gates };

/* Without a default, so that what is not given does not replace that of [publish], and unrecorded,
 * because the table does not depend on it. */
const akin_option *akin_table_gates_options(void) {
    static akin_option options[GATES + 1];
    const akin_option *all = akin_verb_find(PUBLISH)->options;
    for (size_t i = 0; i < GATES; i++) {
        const akin_option *one = all;
        while (strcmp(one->name, gates[i]) != 0) one++;
        options[i] = *one;
        options[i].initial = NULL;
        options[i].unrecorded = true;
    }
    return options;
}

akin_status akin_table_gates_settle(const akin_options *section, akin_options *publish) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < GATES && status == AKIN_OK; i++)
        if (akin_options_given(section, gates[i]))
            status =
                akin_options_set(publish, gates[i], akin_options_text(section, gates[i]), "run");
    return status;
}

static bool has(const akin_job *job, const char *key) {
    const akin_options *section =
        job->section ? akin_jobfile_options(job->file, job->section) : NULL;
    return section && akin_options_declared(section, key, NULL) && akin_options_given(section, key);
}

akin_status akin_table_gates_check(const akin_job *job) {
    size_t i = 0;
    bool off = !akin_options_flag(akin_jobfile_options(job->file, PUBLISH), "enabled");
    if (off || akin_stage_runs(akin_stage_find(PUBLISH), job)) return AKIN_OK;
    while (i < GATES && !has(job, gates[i])) i++;
    if (i == GATES) return AKIN_OK;
    akin_status status = akin_error_set(
        AKIN_USAGE,
        "%s is a gate of publishing, and this table is not published: no `to` of [publish] has "
        "{table}, which stands for its name",
        gates[i]);
    return akin_job_at_key(job->file, job->section, gates[i], status);
}

/* Where the limit comes from. */
static akin_status append_limit(akin_text *text, const akin_job *job, const char *key) {
    const char *section = akin_table_gates_section(job, key);
    bool given = akin_options_given(akin_jobfile_options(job->file, section), key);
    char *place = akin_jobfile_place(job->file, section, key);
    if (!place) return AKIN_OK;
    akin_status status =
        given ? akin_text_append(text, "; the limit is %s in [%s], %s", key, section, place)
              : akin_text_append(text, "; the limit is the default: [%s], %s, has no %s", section,
                                 place, key);
    akin_mem_free(place);
    return status;
}

/* A line of the message, with its table; gate NULL: it has no limit. */
static akin_status gather_line(akin_error_kept *all, const akin_job *job, const char *line,
                               const char *gate) {
    akin_status status = AKIN_OK;
    char room[AKIN_JOB_FILE_SIZE];
    akin_text *text = NULL;
    AKIN_TRY(akin_text_create(&text));
    AKIN_TRY(akin_text_append(text, "%s: %s", akin_job_title(PUBLISH, job->table, room), line));
    if (gate) AKIN_TRY(append_limit(text, job, gate));
    akin_error_set(AKIN_GATE, "%s", akin_text_bytes(text));
    akin_error_gather(all);
done:
    akin_text_free(text);
    return status;
}

/* At once; the message comes at the end of the run. Each gate is named once, whatever its targets. */
static void tell_held_back(const akin_job *job, const akin_json *list) {
    char room[AKIN_JOB_FILE_SIZE], names[128] = "";
    for (const akin_json *it = akin_json_first(list); it; it = akin_json_next(it)) {
        const char *gate = akin_json_text(it, "gate");
        if (!gate || !akin_json_is_true(it, "refused") || strstr(names, gate)) continue;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", gate);
    }
    akin_log_warning("%s: this table is held back by %s: its targets keep what they have",
                     akin_job_title(PUBLISH, job->table, room), names);
}

akin_status akin_table_gates_tell(const akin_job *job, const akin_json *report,
                                  akin_status status) {
    akin_error_kept all = {0};
    const akin_json *list = akin_json_get(report, "gates");
    tell_held_back(job, list);
    akin_status told = AKIN_OK;
    for (const akin_json *it = akin_json_first(list); it && told == AKIN_OK;
         it = akin_json_next(it))
        if (akin_json_is_true(it, "refused"))
            told =
                gather_line(&all, job, akin_json_text(it, "message"), akin_json_text(it, "gate"));
    if (told == AKIN_OK) told = gather_line(&all, job, AKIN_PUBLISH_REFUSED, NULL);
    if (*all.message) akin_error_restore(&all);
    return status;
}

const char *akin_table_gates_section(const akin_job *job, const char *key) {
    for (size_t i = 0; i < GATES; i++)
        if (strcmp(gates[i], key) == 0 && has(job, key)) return job->section;
    return PUBLISH;
}
