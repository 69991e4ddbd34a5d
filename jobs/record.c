/* record: job.ini and metrics.prom. */
#include "record.h"
#include "entries.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* mode: the most permissive access for others, before the umask. */
static akin_status write_text(const char *folder, const char *name, const akin_text *text,
                              mode_t mode) {
    akin_outfile *file = NULL;
    char *path = akin_file_join(folder, name);
    akin_status status = path ? akin_outfile_create(path, &file) : AKIN_FAILED;
    if (status == AKIN_OK) {
        int descriptor = fileno(akin_outfile_stream(file));
        struct stat made;
        if (fstat(descriptor, &made) != 0 || fchmod(descriptor, made.st_mode & mode) != 0)
            status = akin_error_set(AKIN_FAILED, "%s: its mode cannot be set", path);
        fwrite(akin_text_bytes(text), 1, akin_text_length(text),
               akin_outfile_stream(file)); /* errors show at commit */
        if (status == AKIN_OK)
            status = akin_outfile_commit(file, false);
        else
            akin_outfile_discard(file);
    }
    akin_mem_free(path);
    return status;
}

/* --- the job --- */

/* Options that the run sets itself, which are refused as keys. */
static akin_status append_stage(akin_text *text, const akin_stage *stage, akin_jobfile *job,
                                const char *section) {
    enum { MOST = 32 };
    const char *but[MOST] = {NULL};
    const akin_options *options = akin_jobfile_options(job, section);
    const char *const *arguments = NULL;
    size_t count = 0;
    akin_status status = AKIN_OK;
    for (const akin_jobfile_refusal *no = stage->refusals; no && no->key && count + 1 < MOST; no++)
        but[count++] = no->key;
    if (stage->decides && !akin_options_given(options, stage->decides) && count + 1 < MOST)
        but[count++] = stage->decides;
    AKIN_TRY(akin_text_append(text, "\n[%s]\n", section));
    size_t given = stage->argument_key ? akin_options_arguments(options, &arguments) : 0;
    for (size_t i = 0; i < given; i++) {
        const char *quote = strpbrk(arguments[i], " \t") ? "\"" : "";
        AKIN_TRY(akin_text_append(text, "%s = %s%s%s\n", stage->argument_key, quote, arguments[i],
                                  quote));
    }
    status = akin_options_append_keys(options, but, text);
done:
    return status;
}

akin_status akin_record_job(const akin_jobfile *read, const char *path, const char *folder) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    akin_jobfile *job = NULL;
    static const char *const none[] = {NULL};
    struct stat from;
    AKIN_TRY(akin_jobfile_again(read, &job));
    if (stat(path, &from) != 0) from.st_mode = S_IRUSR | S_IWUSR;
    AKIN_TRY(akin_text_create(&text));
    AKIN_TRY(akin_text_append(
        text, "; The job of this folder, with the resolved value of every key.\n[job]\n"));
    AKIN_TRY(akin_options_append_keys(akin_jobfile_options(job, "job"), none, text));
    for (const akin_stage *stage = akin_stages; stage->verb; stage++)
        if (akin_stage_wanted(stage, job)) AKIN_TRY(append_stage(text, stage, job, stage->verb));
    for (size_t i = 0; akin_job_table_section(job, i); i++)
        AKIN_TRY(
            append_stage(text, akin_stage_find("neighbors"), job, akin_job_table_section(job, i)));
    status = write_text(folder, "job.ini", text, from.st_mode & 0666);
done:
    akin_jobfile_free(job);
    akin_text_free(text);
    return status;
}

/* --- the figures --- */

#define SKIPPED "skipped" /* not a figure of a report */

static const struct {
    const char *name, *key, *help;
} gauges[] = {
    {"akin_stage_skipped", SKIPPED,
     "1 if the last run skipped this stage, so that its figures are from an earlier run; 0 "
     "otherwise"},
    {"akin_stage_exit", "exit", "Exit status of the last run of the stage, 0 is success"},
    {"akin_stage_seconds", "seconds", "Time of the stage"},
    {"akin_stage_waiting_seconds", "waiting_seconds", "Longest time that a rank waited for others"},
    {"akin_stage_items", "items", "Items of the stage"},
    {"akin_stage_images_per_second", "images_per_second", "Pictures per second"},
    {"akin_stage_pairs_per_second", "pairs_per_second", "Pairs compared per second"},
    {"akin_stage_peak_rss_bytes", "peak_rss_bytes", "Largest resident memory of a rank"},
    {"akin_stage_ranks", "ranks", "Ranks that took part"},
    {"akin_rows", "rows", "Rows of the source"},
    {"akin_rejected", "rejected", "Rows that were rejected"},
    {"akin_items_without_neighbors", "without_neighbors", "Items whose list is empty"},
    {"akin_reused", "reused", "Pictures reused from the previous catalogue"},
    {"akin_computed", "computed", "Vectors that were computed"},
    {"akin_holdout_loss", "holdout_loss", "Loss on the holdout"},
    {"akin_drift", "drift",
     "Loss on new items above the training's holdout loss, as a share of it"},
    {"akin_precision_at_10", "precision_at_10",
     "Share of the first ten neighbours with the item's label"},
    {"akin_coverage", "coverage", "Share of items with a neighbour"},
    {"akin_lists_leaving_category", "lists_leaving_category",
     "Lists in which no neighbour has the item's category"},
    {"akin_outlier_categories", "outlier_categories",
     "Categories most of whose lists have no item of the category, or whose items are far from "
     "everything"},
    {"akin_churn", "churn", "Share of neighbours that changed since the previous table"},
    {"akin_publish_places_left", "places_left",
     "Publishing targets that were left unchanged, after a rollback or because they hold another "
     "table"},
};

/* A label's value, with backslash, quote and newline escaped. */
static akin_status append_label(akin_text *text, const char *value) {
    akin_status status = AKIN_OK;
    for (; *value && status == AKIN_OK; value++)
        status = *value == '\n'                    ? akin_text_append(text, "\\n")
                 : *value == '"' || *value == '\\' ? akin_text_append(text, "\\%c", *value)
                                                   : akin_text_append_bytes(text, value, 1);
    return status;
}

static akin_status append_head(akin_text *text, const char *name, const char *help) {
    return akin_text_append(text, "# HELP %s %s.\n# TYPE %s gauge\n", name, help, name);
}

/* NaN: the stage has none. */
static double value_of(size_t which, const akin_json *entries, const akin_json *ran,
                       const char *verb, const char *table) {
    char room[AKIN_JOB_FILE_SIZE];
    const akin_json *entry = akin_entries_get(entries, verb, table);
    if (entry && strcmp(gauges[which].key, SKIPPED) == 0)
        return akin_json_get(ran, akin_job_title(verb, table, room)) ? 0 : 1;
    return akin_json_number(entry, gauges[which].key, NAN);
}

/* The label of a further table, which needs no escape. */
static akin_status append_table(akin_text *text, const char *table) {
    return table ? akin_text_append(text, ",table=\"%s\"", table) : AKIN_OK;
}

static akin_status append_gauge_of(akin_text *text, size_t which, const akin_json *entries,
                                   const akin_json *ran, const char *job, const char *table,
                                   bool *named) {
    akin_status status = AKIN_OK;
    for (const akin_stage *stage = akin_stages; stage->verb; stage++) {
        double value = value_of(which, entries, ran, stage->verb, table);
        if (isnan(value)) continue;
        if (!*named) AKIN_TRY(append_head(text, gauges[which].name, gauges[which].help));
        *named = true;
        AKIN_TRY(akin_text_append(text, "%s{job=\"", gauges[which].name));
        AKIN_TRY(append_label(text, job));
        AKIN_TRY(akin_text_append(text, "\",stage=\"%s\"", stage->verb));
        AKIN_TRY(append_table(text, table));
        AKIN_TRY(akin_text_append(text, "} %.15g\n", value));
    }
done:
    return status;
}

static akin_status append_gauge(akin_text *text, size_t which, const akin_json *entries,
                                const akin_json *ran, const char *job) {
    bool named = false;
    akin_status status = append_gauge_of(text, which, entries, ran, job, NULL, &named);
    const akin_json *it = akin_json_first(akin_json_get(entries, AKIN_ENTRIES_TABLES));
    for (; it && status == AKIN_OK; it = akin_json_next(it))
        status = append_gauge_of(text, which, entries, ran, job, akin_json_key(it), &named);
    return status;
}

/* --- the gates --- */

static const struct {
    const char *name, *key, *help;
} gate_gauges[] = {
    {"akin_gate_refused", "refused",
     "1 if the gate refused to publish at some target, otherwise 0"},
    {"akin_gate_measured", "measured",
     "What the gate measured: where it refuses, or else at the last target"},
    {"akin_gate_limit", "limit", "The limit of the gate"},
};

/* What decides at a gate, of several targets. NULL: it neither measured nor refused. */
static const akin_json *deciding(const akin_json *gates, const char *name) {
    const akin_json *found = NULL;
    for (const akin_json *it = akin_json_first(gates); it; it = akin_json_next(it)) {
        const char *own = akin_json_text(it, "gate");
        if (!own || strcmp(own, name) != 0) continue;
        if (isnan(akin_json_number(it, "measured", NAN)) && !akin_json_is_true(it, "refused"))
            continue;
        if (!found || akin_json_is_true(it, "refused") || !akin_json_is_true(found, "refused"))
            found = it;
    }
    return found;
}

static akin_status append_gates_of(akin_text *text, size_t which, const akin_json *gates,
                                   const char *job, const char *table, bool *head) {
    static const char *const names[] = {"min-coverage", "max-churn", "max-shrink", "min-golden"};
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const akin_json *gate = deciding(gates, names[i]);
        if (!gate) continue;
        double value = strcmp(gate_gauges[which].key, "refused") == 0
                           ? akin_json_is_true(gate, "refused")
                           : akin_json_number(gate, gate_gauges[which].key, NAN);
        if (isnan(value)) continue; /* refused, because there was nothing to measure */
        if (!*head) AKIN_TRY(append_head(text, gate_gauges[which].name, gate_gauges[which].help));
        *head = true;
        AKIN_TRY(akin_text_append(text, "%s{job=\"", gate_gauges[which].name));
        AKIN_TRY(append_label(text, job));
        AKIN_TRY(akin_text_append(text, "\",gate=\"%s\"", names[i]));
        AKIN_TRY(append_table(text, table));
        AKIN_TRY(akin_text_append(text, "} %.15g\n", value));
    }
done:
    return status;
}

static akin_status append_gates(akin_text *text, size_t which, const akin_json *entries,
                                const char *job) {
    bool head = false;
    const akin_json *it = akin_json_first(akin_json_get(entries, AKIN_ENTRIES_TABLES));
    const char *table = NULL;
    for (;;) {
        const akin_json *publish = akin_entries_get(entries, "publish", table);
        akin_status status =
            append_gates_of(text, which, akin_json_get(publish, "gates"), job, table, &head);
        if (status != AKIN_OK || !it) return status;
        table = akin_json_key(it);
        it = akin_json_next(it);
    }
}

/* --- the runs as a whole --- */

static const struct {
    const char *name;
    size_t offset;
    const char *help;
} run_gauges[] = {
    {"akin_last_success_timestamp_seconds", offsetof(akin_record_runs, success),
     "Time of the last complete run"},
    {"akin_last_run_timestamp_seconds", offsetof(akin_record_runs, ended),
     "Time of the last end of a run, successful or not"},
    {"akin_last_run_exit_code", offsetof(akin_record_runs, exit_code),
     "Exit status of the last run: 0 done, 1 failed, 2 the job is wrong, 3 input refused, 4 a gate "
     "refused, 75 interrupted"},
    {"akin_last_run_seconds", offsetof(akin_record_runs, seconds), "Time of the last run"},
    {"akin_warnings", offsetof(akin_record_runs, warnings), "Warnings of the last run"},
    {"akin_published_timestamp_seconds", offsetof(akin_record_runs, published),
     "When a run last published a table"},
};
#define RUN_GAUGES (sizeof run_gauges / sizeof *run_gauges)

static akin_status append_runs(akin_text *text, const akin_record_runs *runs, const char *job) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < RUN_GAUGES; i++) {
        double value;
        memcpy(&value, (const char *)runs + run_gauges[i].offset, sizeof value);
        if (isnan(value)) continue;
        AKIN_TRY(append_head(text, run_gauges[i].name, run_gauges[i].help));
        AKIN_TRY(akin_text_append(text, "%s{job=\"", run_gauges[i].name));
        AKIN_TRY(append_label(text, job));
        AKIN_TRY(akin_text_append(text, "\"} %.15g\n", value));
    }
done:
    return status;
}

/* A line such as akin_warnings{job="night"} 3; others are passed over. */
static void read_line(const char *line, akin_record_runs *out) {
    size_t length = strcspn(line, "{");
    const char *value = strrchr(line, ' ');
    for (size_t i = 0; value && i < RUN_GAUGES; i++)
        if (strlen(run_gauges[i].name) == length && memcmp(line, run_gauges[i].name, length) == 0) {
            double number = strtod(value, NULL);
            memcpy((char *)out + run_gauges[i].offset, &number, sizeof number);
        }
}

void akin_record_read_runs(const char *folder, akin_record_runs *out) {
    enum { FILE_LIMIT = 1 << 20 };
    unsigned char *text = NULL;
    size_t count = 0;
    char *path = akin_file_join(folder, "metrics.prom"), *copy = NULL, *rest = NULL;
    *out = (akin_record_runs){NAN, NAN, NAN, NAN, NAN, NAN};
    if (path && akin_file_exists(path) &&
        akin_file_read(path, FILE_LIMIT, &text, &count) == AKIN_OK)
        copy = akin_mem_alloc(count + 1, 1);
    if (copy) {
        memcpy(copy, text, count);
        copy[count] = '\0';
        for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
            read_line(line, out);
    }
    akin_error_clear(); /* then they are not known */
    akin_mem_free(copy);
    akin_mem_free(text);
    akin_mem_free(path);
}

akin_status akin_record_metrics(const akin_json *entries, const akin_json *ran,
                                const akin_record_runs *runs, const char *job, const char *folder) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    AKIN_TRY(akin_text_create(&text));
    AKIN_TRY(append_runs(text, runs, job));
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        AKIN_TRY(append_gauge(text, i, entries, ran, job));
    for (size_t i = 0; i < sizeof gate_gauges / sizeof *gate_gauges; i++)
        AKIN_TRY(append_gates(text, i, entries, job));
    status = write_text(folder, "metrics.prom", text, 0666);
done:
    akin_text_free(text);
    return status;
}
