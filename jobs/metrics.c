/* metrics: metrics.json in the output folder. */
#include "metrics.h"
#include "entries.h"
#include "record.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FILE_LIMIT = 256 << 20 };

struct akin_metrics {
    char *path, *folder, *root, *job;
    akin_record_runs runs;
    akin_json *entries, *ran; /* ran: the verbs that this run executed */
};

/* --- read and write --- */

/* The entries of a file; empty if it is not valid JSON, which is no reason to fail. Rank 0. */
static akin_status read_entries(const char *path, akin_json **out) {
    unsigned char *text = NULL;
    size_t count = 0;
    akin_status status = AKIN_OK;
    *out = NULL;
    if (akin_file_exists(path)) {
        status = akin_file_read(path, FILE_LIMIT, &text, &count);
        if (status == AKIN_OK) status = akin_json_parse((const char *)text, count, out);
        if (status == AKIN_INPUT)
            akin_log_warning("starting a new %s: %s", path, akin_error_message());
        akin_mem_free(text);
        if (status == AKIN_FAILED) return status;
    }
    if (!*out) *out = akin_json_object();
    return akin_json_check(*out);
}

static akin_status fill(akin_comm *comm, const char *folder, const char *root, const char *job,
                        akin_metrics *metrics) {
    metrics->folder = akin_mem_text(folder);
    metrics->job = akin_mem_text(job);
    metrics->root = akin_mem_text(root);
    metrics->path = akin_file_join(folder, "metrics.json");
    metrics->ran = akin_json_object();
    if (!metrics->path || !metrics->folder || !metrics->job || !metrics->root || !metrics->ran)
        return AKIN_FAILED;
    akin_record_read_runs(root, &metrics->runs);
    if (akin_comm_rank(comm) == 0) return read_entries(metrics->path, &metrics->entries);
    return akin_json_check(metrics->entries = akin_json_object());
}

akin_status akin_metrics_open(akin_comm *comm, const char *folder, const char *root,
                              const char *job, akin_metrics **out) {
    akin_status status;
    *out = NULL;
    akin_metrics *metrics = akin_mem_zalloc(1, sizeof *metrics);
    AKIN_TRY(akin_agree(comm, metrics ? fill(comm, folder, root, job, metrics) : AKIN_FAILED));
    *out = metrics, metrics = NULL;
done:
    akin_metrics_free(metrics);
    return status;
}

void akin_metrics_free(akin_metrics *metrics) {
    if (!metrics) return;
    akin_mem_free(metrics->path);
    akin_mem_free(metrics->folder);
    akin_mem_free(metrics->job);
    akin_mem_free(metrics->root);
    akin_json_free(metrics->entries);
    akin_json_free(metrics->ran);
    akin_mem_free(metrics);
}

const akin_json *akin_metrics_entry(const akin_metrics *metrics, const char *verb,
                                    const char *table) {
    return akin_entries_get(metrics->entries, verb, table);
}

static akin_status write_prometheus(const akin_metrics *metrics) {
    akin_status status = akin_record_metrics(metrics->entries, metrics->ran, &metrics->runs,
                                             metrics->job, metrics->folder);
    if (status != AKIN_OK || strcmp(metrics->folder, metrics->root) == 0) return status;
    return akin_record_metrics(metrics->entries, metrics->ran, &metrics->runs, metrics->job,
                               metrics->root);
}

static akin_status write_entries(const akin_metrics *metrics) {
    akin_status status = AKIN_OK;
    akin_outfile *file = NULL;
    char *text = NULL;
    AKIN_TRY(akin_json_check(metrics->entries));
    text = akin_json_print(metrics->entries, true);
    if (!text) AKIN_TRY(akin_error_set(AKIN_FAILED, "out of memory for %s", metrics->path));
    AKIN_TRY(akin_outfile_create(metrics->path, &file));
    fprintf(akin_outfile_stream(file), "%s\n", text);
    AKIN_TRY(akin_outfile_commit(file, false));
    status = write_prometheus(metrics);
done:
    akin_mem_free(text);
    return status;
}

static akin_status put_entry(akin_metrics *metrics, const char *verb, const char *table,
                             const akin_json *report) {
    akin_entries_set(metrics->entries, verb, table, report);
    return write_entries(metrics);
}

/* Whether a report says that a table was published that was not there yet. */
static bool has_published(const char *verb, const akin_json *report) {
    const char *status = akin_json_text(report, "status");
    if (strcmp(verb, "publish") != 0 || !status || strcmp(status, "ok") != 0) return false;
    for (const akin_json *it = akin_json_first(akin_json_get(report, "published")); it;
         it = akin_json_next(it))
        if (!akin_json_is_true(it, "already") && !akin_json_is_true(it, "rolled_back")) return true;
    return false;
}

static akin_status put_report(akin_metrics *metrics, const char *verb, const char *table,
                              const akin_json *report, bool ran) {
    char room[AKIN_JOB_FILE_SIZE];
    if (ran && has_published(verb, report)) metrics->runs.published = (double)time(NULL);
    if (ran) akin_json_set_bool(metrics->ran, akin_job_title(verb, table, room), true);
    akin_status status = akin_json_check(metrics->ran);
    return status == AKIN_OK ? put_entry(metrics, verb, table, report) : status;
}

akin_status akin_metrics_put(akin_comm *comm, akin_metrics *metrics, const char *verb,
                             const char *table, const akin_json *report, bool ran) {
    return akin_agree(
        comm, akin_comm_rank(comm) == 0 ? put_report(metrics, verb, table, report, ran) : AKIN_OK);
}

void akin_metrics_end(akin_comm *comm, akin_metrics *metrics, akin_status outcome, bool whole,
                      double seconds) {
    if (akin_comm_rank(comm) != 0 || !metrics) return;
    akin_error_kept first;
    akin_error_keep(&first);
    akin_record_runs *runs = &metrics->runs;
    runs->ended = (double)time(NULL);
    if (outcome == AKIN_OK && whole) runs->success = runs->ended;
    runs->exit_code = outcome;
    runs->seconds = seconds;
    runs->warnings = (double)akin_log_warnings();
    if (write_prometheus(metrics) != AKIN_OK) akin_error_clear();
    akin_error_restore(&first);
}

static akin_status inherit(akin_metrics *metrics, const char *verb, const char *from) {
    akin_status status = AKIN_OK;
    akin_json *entries = NULL, *copy = NULL;
    char *path = akin_file_join(from, "metrics.json");
    if (!path) AKIN_TRY(AKIN_FAILED);
    if (akin_metrics_entry(metrics, verb, NULL)) goto done;
    AKIN_TRY(read_entries(path, &entries));
    const akin_json *entry = akin_json_get(entries, verb);
    if (!entry) goto done;
    copy = akin_json_copy(entry);
    if (!akin_json_text(copy, "night")) akin_json_set_text(copy, "night", akin_file_name(from));
    AKIN_TRY(akin_json_check(copy));
    status = put_entry(metrics, verb, NULL, copy);
done:
    akin_json_free(copy);
    akin_json_free(entries);
    akin_mem_free(path);
    return status;
}

akin_status akin_metrics_inherit(akin_comm *comm, akin_metrics *metrics, const char *verb,
                                 const char *from) {
    return akin_agree(comm, akin_comm_rank(comm) == 0 ? inherit(metrics, verb, from) : AKIN_OK);
}

static akin_status add_number(akin_metrics *metrics, const char *verb, const char *table,
                              const char *key, double value) {
    const akin_json *entry = akin_metrics_entry(metrics, verb, table);
    if (!entry || akin_json_number(entry, key, NAN) == value) return AKIN_OK;
    akin_json *copy = akin_json_copy(entry);
    akin_json_set_number(copy, key, value);
    akin_status status = put_entry(metrics, verb, table, copy);
    akin_json_free(copy);
    return status;
}

akin_status akin_metrics_add(akin_comm *comm, akin_metrics *metrics, const char *verb,
                             const char *table, const char *key, double value) {
    return akin_agree(comm, akin_comm_rank(comm) == 0 ? add_number(metrics, verb, table, key, value)
                                                      : AKIN_OK);
}

akin_status akin_metrics_load(const char *folder, akin_json **out) {
    char *path = akin_file_join(folder, "metrics.json");
    *out = NULL;
    akin_status status = path ? read_entries(path, out) : AKIN_FAILED;
    akin_mem_free(path);
    return status;
}

double akin_metrics_number(const char *folder, const char *verb, const char *key) {
    akin_json *entries = NULL;
    akin_status status = akin_metrics_load(folder, &entries);
    double value =
        status == AKIN_OK ? akin_json_number(akin_json_get(entries, verb), key, NAN) : NAN;
    akin_error_clear();
    akin_json_free(entries);
    return value;
}

/* Also sorts the entries into the order of the stages. */
static akin_status keep_wanted(akin_metrics *metrics, const akin_jobs *jobs) {
    akin_json *kept = akin_json_object();
    for (size_t i = 0; i < jobs->count; i++)
        for (const akin_stage *stage = akin_stages; stage->verb; stage++) {
            const char *table = jobs->list[i].table;
            const akin_json *entry = akin_metrics_entry(metrics, stage->verb, table);
            if (entry && akin_stage_runs(stage, &jobs->list[i]))
                akin_entries_set(kept, stage->verb, table, entry);
        }
    akin_json_free(metrics->entries);
    metrics->entries = kept;
    return write_entries(metrics);
}

akin_status akin_metrics_keep_wanted(akin_comm *comm, akin_metrics *metrics,
                                     const akin_jobs *jobs) {
    return akin_agree(comm, akin_comm_rank(comm) == 0 ? keep_wanted(metrics, jobs) : AKIN_OK);
}

/* --- what a stage would read now: rank 0 --- */

/* The content_digest of a file; if one file cannot be read, the result as a whole is invalid. */
static void add_file(akin_hasher *hasher, const char *path, bool *known) {
    akin_ncfile *file = NULL;
    if (akin_ncfile_peek(path, NULL, &file) != AKIN_OK)
        *known = false;
    else
        akin_hasher_add_text(hasher, akin_ncfile_digest(file));
    akin_ncfile_close(file);
}

static void add_file_in(akin_hasher *hasher, const char *folder, const char *name, bool *known) {
    char *path = akin_file_join(folder, name);
    if (path)
        add_file(hasher, path, known);
    else
        *known = false;
    akin_mem_free(path);
}

static void add_entry(akin_hasher *hasher, const akin_json *entry, bool *known) {
    char *text = akin_json_print(entry, false);
    if (text)
        akin_hasher_add_text(hasher, text);
    else
        *known = false;
    akin_mem_free(text);
}

/* A gallery shows the figures of the other stages. */
static void add_other_entries(akin_hasher *hasher, const akin_metrics *metrics,
                              const akin_stage *own, bool *known) {
    for (const akin_stage *stage = akin_stages; stage->verb; stage++) {
        const akin_json *entry = akin_metrics_entry(metrics, stage->verb, NULL);
        if (entry && stage != own) add_entry(hasher, entry, known);
    }
    const akin_json *tables = akin_json_get(metrics->entries, AKIN_ENTRIES_TABLES);
    if (tables) add_entry(hasher, tables, known);
}

/* The files of an option, if it is given. */
static void add_option(akin_hasher *hasher, const akin_options *options, const char *name,
                       bool *known) {
    if (akin_options_declared(options, name, NULL) && akin_options_text(options, name))
        add_file(hasher, akin_options_text(options, name), known);
}

/* The bytes of what people write, which a file of the same name may have changed. */
static void add_written(akin_hasher *hasher, const akin_options *options, bool *known) {
    static const char *const names[] = {"golden", "pairs"};
    char digest[AKIN_HASH_TEXT_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = akin_options_declared(options, names[i], NULL)
                               ? akin_options_text(options, names[i])
                               : NULL;
        if (!path) continue;
        if (akin_file_digest(path, digest) == AKIN_OK)
            akin_hasher_add_text(hasher, digest);
        else
            *known = false; /* the stage itself will tell */
    }
}

/* The file of the same name as `path` beside `other`; it need not be there, or be readable. */
static void add_beside(akin_hasher *hasher, const char *other, const char *path, bool *known) {
    char *folder = akin_file_folder(other),
         *beside = folder ? akin_file_join(folder, akin_file_name(path)) : NULL;
    bool readable = beside != NULL;
    if (beside) add_file(hasher, beside, &readable);
    if (!beside) *known = false;
    if (!readable) akin_hasher_add_text(hasher, "none");
    akin_mem_free(beside);
    akin_mem_free(folder);
}

/* Further tables, NAME=FILE, and the one that each is compared with: its own of the night before. */
static void add_tables(akin_hasher *hasher, const akin_options *options, bool *known) {
    const char *const *words = NULL;
    if (!akin_options_declared(options, "table", NULL)) return;
    const char *against = akin_options_text(options, "against");
    for (size_t i = 0, count = akin_options_list(options, "table", &words); i < count; i++) {
        const char *path = words[i] + strcspn(words[i], "=") + 1;
        add_file(hasher, path, known);
        if (against) add_beside(hasher, against, path, known);
    }
}

akin_status akin_metrics_recall(const akin_metrics *metrics, const akin_stage *stage,
                                const char *table, akin_call *call) {
    char room[AKIN_JOB_FILE_SIZE];
    call->inputs[0] = '\0';
    if (!stage->recorded || akin_comm_rank(call->comm) != 0) return AKIN_OK;
    call->last = akin_metrics_entry(metrics, stage->verb, table);
    bool known = true;
    akin_hasher *hasher = NULL;
    akin_status status = akin_hasher_create(&hasher);
    if (status != AKIN_OK) return status;
    add_file_in(hasher, metrics->folder, akin_job_file(stage->argument, table, room), &known);
    const char *const *arguments = NULL;
    size_t count = akin_options_arguments(call->options, &arguments);
    for (size_t i = 1; i < count; i++)
        add_file(hasher, arguments[i], &known); /* [0] is the stage's */
    add_option(hasher, call->options, "against", &known);
    add_option(hasher, call->options, "embeddings", &known);
    add_written(hasher, call->options, &known);
    add_option(hasher, call->options, "beside", &known);
    add_tables(hasher, call->options, &known);
    if (stage->shows_all) {
        add_file_in(hasher, metrics->folder, "catalog.nc", &known);
        add_other_entries(hasher, metrics, stage, &known);
    }
    akin_hasher_add_text(hasher, call->options_text);
    if (known) akin_hash_text(akin_hasher_result(hasher), call->inputs);
    akin_hasher_free(hasher);
    akin_error_clear();
    return AKIN_OK;
}
