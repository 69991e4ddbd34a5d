/* record: job.ini and metrics.prom. */
#include "record.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* mode: the most that others may do with it, besides what the umask takes. */
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
static akin_status append_stage(akin_text *text, const akin_stage *stage, akin_jobfile *job) {
    enum { MOST = 32 };
    const char *but[MOST] = {NULL};
    const akin_options *options = akin_jobfile_options(job, stage->verb);
    const char *const *arguments = NULL;
    size_t count = 0;
    akin_status status = AKIN_OK;
    for (const akin_jobfile_refusal *no = stage->refusals; no && no->key && count + 1 < MOST; no++)
        but[count++] = no->key;
    if (stage->decides && !akin_options_given(options, stage->decides) && count + 1 < MOST)
        but[count++] = stage->decides;
    AKIN_TRY(akin_text_append(text, "\n[%s]\n", stage->verb));
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

akin_status akin_record_job(const char *path, const char *folder) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    akin_jobfile *job = NULL;
    static const char *const none[] = {NULL};
    struct stat from;
    AKIN_TRY(akin_jobfile_read(path, akin_stage_sections(), &job));
    if (stat(path, &from) != 0) from.st_mode = S_IRUSR | S_IWUSR;
    AKIN_TRY(akin_text_create(&text));
    AKIN_TRY(akin_text_append(
        text, "; The job of this folder, with the resolved value of every key.\n[job]\n"));
    AKIN_TRY(akin_options_append_keys(akin_jobfile_options(job, "job"), none, text));
    for (const akin_stage *stage = akin_stages; stage->verb; stage++)
        if (akin_stage_wanted(stage, job)) AKIN_TRY(append_stage(text, stage, job));
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
    {"akin_reused", "reused", "Pictures reused from the previous catalogue"},
    {"akin_computed", "computed", "Vectors that were computed"},
    {"akin_holdout_loss", "holdout_loss", "Loss on the holdout"},
    {"akin_drift", "drift",
     "Loss on new items above the training's holdout loss, as a share of it"},
    {"akin_precision_at_10", "precision_at_10",
     "Share of the first ten neighbours with the item's label"},
    {"akin_coverage", "coverage", "Share of items with a neighbour"},
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

/* NaN: the stage has none. */
static double value_of(size_t which, const akin_json *entries, const akin_json *ran,
                       const char *verb) {
    const akin_json *entry = akin_json_get(entries, verb);
    if (entry && strcmp(gauges[which].key, SKIPPED) == 0) return akin_json_get(ran, verb) ? 0 : 1;
    return akin_json_number(entry, gauges[which].key, NAN);
}

static akin_status append_gauge(akin_text *text, size_t which, const akin_json *entries,
                                const akin_json *ran, const char *job) {
    akin_status status = AKIN_OK;
    bool named = false;
    for (const akin_stage *stage = akin_stages; stage->verb; stage++) {
        double value = value_of(which, entries, ran, stage->verb);
        if (isnan(value)) continue;
        if (!named)
            AKIN_TRY(akin_text_append(text, "# HELP %s %s.\n# TYPE %s gauge\n", gauges[which].name,
                                      gauges[which].help, gauges[which].name));
        named = true;
        AKIN_TRY(akin_text_append(text, "%s{job=\"", gauges[which].name));
        AKIN_TRY(append_label(text, job));
        AKIN_TRY(akin_text_append(text, "\",stage=\"%s\"} %.15g\n", stage->verb, value));
    }
done:
    return status;
}

akin_status akin_record_metrics(const akin_json *entries, const akin_json *ran, const char *job,
                                const char *folder) {
    akin_status status = AKIN_OK;
    akin_text *text = NULL;
    AKIN_TRY(akin_text_create(&text));
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        AKIN_TRY(append_gauge(text, i, entries, ran, job));
    status = write_text(folder, "metrics.prom", text, 0666);
done:
    akin_text_free(text);
    return status;
}
