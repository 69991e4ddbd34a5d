/* preflight: checks that a run makes before it starts, of the places that it writes to. */
#include "preflight.h"
#include "call.h"
#include "mistakes.h"
#include "places.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/text.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const char file_scheme[] = "file:";

/* --- folders --- */

/* The part of the path that exists: owned, NULL = out of memory. */
static char *existing_part(const char *path) {
    char *part = akin_mem_text(path);
    while (part && !akin_file_exists(part)) {
        char *above = akin_file_folder(part);
        akin_mem_free(part);
        part = above;
    }
    return part;
}

/* Whether it is the job's fault that a path cannot be written: not if the disk is read-only, full
 * or broken, or belongs to someone else. */
static bool names_wrong(const char *folder) {
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0) return errno == ENOTDIR || errno == ENAMETOOLONG;
    return !(disk.f_flag & ST_RDONLY) && access(folder, W_OK) == 0 && disk.f_bavail > 0;
}

static akin_status check_output(akin_jobfile *job, const char *output) {
    char *part = existing_part(output);
    if (!part) return AKIN_FAILED;
    akin_status status;
    uint64_t failures = akin_mem_failures();
    if (!akin_file_is_folder(part))
        status = akin_error_set(AKIN_USAGE,
                                "output %s cannot be created: %s is not a folder; choose another",
                                output, part);
    else
        status = akin_file_check_output_in(part);
    if (status == AKIN_FAILED && akin_mem_failures() == failures)
        status = akin_error_context(names_wrong(part) ? AKIN_USAGE : AKIN_FAILED,
                                    "output %s cannot be written: ", output);
    akin_mem_free(part);
    return status == AKIN_OK ? AKIN_OK : akin_job_at_key(job, "job", "output", status);
}

akin_status akin_preflight_room(akin_jobfile *job, const char *output, uint64_t bytes) {
    char *part = existing_part(output);
    akin_status status = part ? akin_file_check_output_in(part) : AKIN_FAILED;
    if (part && status != AKIN_OK)
        status = AKIN_OK;
    else if (part && (status = akin_file_check_space_in(part, bytes)) != AKIN_OK)
        akin_job_at_key(job, "job", "output", akin_error_context(status, "output %s: ", output));
    akin_mem_free(part);
    return status;
}

static const char *without_dot(const char *path) {
    while (strncmp(path, "./", 2) == 0) path += 2 + strspn(path + 2, "/");
    return path;
}

/* Whether the run creates this folder, or the last part of the path to it. */
static bool will_be_made(const char *folder, const char *output) {
    size_t length = strlen(without_dot(folder));
    const char *made = without_dot(output);
    return strncmp(made, without_dot(folder), length) == 0 &&
           (made[length] == '\0' || made[length] == '/');
}

static akin_status check_file(const char *path, const char *folder) {
    uint64_t failures = akin_mem_failures();
    akin_status status = akin_file_check_output(path);
    if (status == AKIN_OK) return AKIN_OK;
    bool wrong = akin_mem_failures() == failures && names_wrong(folder);
    return akin_error_context(wrong ? AKIN_USAGE : AKIN_FAILED, "--to file:%s: ", path);
}

/* A missing folder is named without its files, so that it is told once for all tables. */
static akin_status check_place(const char *path, const char *output) {
    char *folder = akin_file_folder(path);
    if (!folder) return AKIN_FAILED;
    akin_status status = AKIN_OK;
    if (akin_file_exists(folder))
        status = check_file(path, folder);
    else if (!will_be_made(folder, output))
        status = akin_error_set(
            AKIN_USAGE, "--to: folder %s does not exist: create it, or choose another", folder);
    akin_mem_free(folder);
    return status;
}

static akin_status check_apart(const akin_options *publish, const char *path) {
    const char *const *urls = NULL;
    size_t count = akin_options_list(publish, "to", &urls);
    return path ? akin_publish_check(urls, count, &path, 1) : AKIN_OK;
}

static akin_status check_apart_from_output(const akin_options *publish, const char *output,
                                           const char *name) {
    char *path = akin_file_join(output, name);
    akin_status status = path ? check_apart(publish, path) : AKIN_FAILED;
    akin_mem_free(path);
    return status;
}

/* No publishing target may be a file that the job itself reads or writes. */
static akin_status check_apart_from_tables(const akin_jobfile *job, const akin_options *publish,
                                           const char *output) {
    akin_status status = AKIN_OK;
    char room[AKIN_JOB_FILE_SIZE];
    const char *section;
    for (size_t i = 0; (section = akin_job_table_section(job, i)) && status == AKIN_OK; i++)
        status = check_apart_from_output(
            publish, output, akin_job_file("table.nc", akin_job_table_name(section), room));
    return status;
}

static akin_status check_all_apart(akin_jobfile *job, const char *output) {
    static const char *const written[] = {"rejects.csv",   "catalog.nc",         "model.nc",
                                          "embeddings.nc", "table.nc",           "metrics.json",
                                          "log.txt",       "model.nc.checkpoint"};
    static const struct {
        const char *section, *key;
    } read[] = {{"ingest", "previous"},  {"ingest", "network"},   {"train", "init"},
                {"train", "checkpoint"}, {"embed", "from"},       {"embed", "ids"},
                {"evaluate", "against"}, {"publish", "previous"}, {"publish", "golden"}};
    akin_status status = AKIN_OK;
    const akin_options *publish = akin_jobfile_options(job, "publish");
    const char *const *sources = NULL;
    size_t count = akin_options_arguments(akin_jobfile_options(job, "ingest"), &sources);
    for (size_t i = 0; i < count; i++) AKIN_TRY(check_apart(publish, sources[i]));
    for (size_t i = 0; i < sizeof read / sizeof *read; i++)
        AKIN_TRY(check_apart(
            publish, akin_options_text(akin_jobfile_options(job, read[i].section), read[i].key)));
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        AKIN_TRY(check_apart_from_output(publish, output, written[i]));
    status = check_apart_from_tables(job, publish, output);
done:
    return status;
}

/* An existing file must have been written by akin. */
static akin_status check_ours(const akin_options *publish, const char *url) {
    akin_sink_options sink;
    akin_live live;
    akin_status status = akin_places_options(publish, &sink);
    return status == AKIN_OK ? akin_publish_look(url, &sink, &live) : status;
}

static akin_status check_places(akin_jobfile *job, const char *output) {
    const char *const *urls = NULL;
    const akin_options *publish = akin_jobfile_options(job, "publish");
    size_t count = akin_options_list(publish, "to", &urls);
    akin_mistakes found = {.status = AKIN_OK};
    akin_status status = check_all_apart(job, output);
    if (status != AKIN_OK) return akin_job_at_item(job, "publish", "to", akin_error_item(), status);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(urls[i], file_scheme, strlen(file_scheme)) != 0) continue;
        status = check_place(urls[i] + strlen(file_scheme), output);
        if (status == AKIN_OK) status = check_ours(publish, urls[i]);
        if (status != AKIN_OK)
            akin_mistakes_note(&found, akin_job_at_item(job, "publish", "to", i, status));
    }
    return akin_mistakes_sum(&found);
}

/* Names the line of one of the addresses of all tables. */
static akin_status at_address(const akin_jobs *jobs, size_t at, akin_status status) {
    const char *const *urls = NULL;
    size_t i = 0, own;
    for (; i < jobs->count; i++, at -= own) {
        own = akin_options_list(akin_jobfile_options(jobs->list[i].file, "publish"), "to", &urls);
        if (at < own) break;
    }
    return akin_job_at_item(jobs->list[i].file, "publish", "to", at, status);
}

/* No two tables may be published at one address. */
static akin_status check_tables_apart(const akin_jobs *jobs) {
    akin_status status = AKIN_OK;
    const char *const *urls = NULL;
    size_t most = 0, count = 0;
    for (size_t i = 0; i < jobs->count; i++)
        most += akin_options_list(akin_jobfile_options(jobs->list[i].file, "publish"), "to", &urls);
    const char **all = akin_mem_zalloc(most + 1, sizeof *all);
    if (!all) return AKIN_FAILED;
    for (size_t i = 0; i < jobs->count; i++) {
        size_t own =
            akin_options_list(akin_jobfile_options(jobs->list[i].file, "publish"), "to", &urls);
        for (size_t u = 0; u < own; u++) all[count++] = urls[u];
    }
    if (jobs->count > 1 && count > 0) status = akin_publish_check(all, count, NULL, 0);
    akin_mem_free(all);
    return status == AKIN_OK ? AKIN_OK : at_address(jobs, akin_error_item(), status);
}

static akin_status check_publish(const akin_jobs *jobs, const char *output) {
    akin_mistakes found = {.status = AKIN_OK};
    const akin_stage *publish = akin_stage_find("publish");
    if (akin_jobfile_has_wrong_keys(jobs->list[0].file, "publish")) return AKIN_OK;
    for (size_t i = 0; i < jobs->count; i++)
        if (akin_stage_runs(publish, &jobs->list[i]))
            akin_mistakes_note(&found, check_places(jobs->list[i].file, output));
    if (found.status == AKIN_OK && akin_stage_wanted(publish, jobs->list[0].file))
        akin_mistakes_note(&found, check_tables_apart(jobs));
    return akin_mistakes_sum(&found);
}

void akin_preflight_tell_unpublished(const akin_jobs *jobs) {
    const akin_stage *publish = akin_stage_find("publish");
    for (size_t i = 1; i < jobs->count; i++)
        if (akin_stage_wanted(publish, jobs->list[i].file) &&
            !akin_stage_runs(publish, &jobs->list[i]))
            akin_log_warning("table %s is not published: no `to` of [publish] has {table}, which "
                             "stands for its name",
                             jobs->list[i].table);
}

/* --- what tables do not share --- */

static bool leaves_out(const akin_jobfile *job, const char *section, const char *key) {
    const akin_options *own = akin_jobfile_options(job, section);
    return akin_jobfile_names(job, "neighbors", key) &&
           akin_options_changed(akin_jobfile_options(job, "neighbors"), key) &&
           akin_options_declared(own, key, NULL) && !akin_options_given(own, key);
}

static akin_status tell_left_out(const akin_jobfile *job, const char *section) {
    akin_status status = AKIN_OK;
    akin_text *keys = NULL;
    char *place = akin_jobfile_place(job, section, NULL);
    AKIN_TRY(akin_text_create(&keys));
    for (const akin_option *o = akin_verb_find("neighbors")->options; o->name; o++)
        if (o->shapes_result && leaves_out(job, section, o->name))
            AKIN_TRY(
                akin_text_append(keys, "%s%s", akin_text_length(keys) > 0 ? ", " : "", o->name));
    if (place && akin_text_length(keys) > 0)
        akin_log_info(
            "%s: [%s] does not take these keys from [neighbors], and has their defaults: %s", place,
            section, akin_text_bytes(keys));
done:
    akin_text_free(keys);
    akin_mem_free(place);
    return status;
}

akin_status akin_preflight_tell_left_out(const akin_jobfile *job) {
    akin_status status = AKIN_OK;
    const char *section;
    for (size_t i = 0; (section = akin_job_table_section(job, i)) && status == AKIN_OK; i++)
        status = tell_left_out(job, section);
    return status;
}

/* --- the checks as a whole --- */

/* The catalogue of the night before determines which items are new. */
static akin_status check_drift(akin_jobfile *job) {
    bool nights = akin_options_int(akin_jobfile_options(job, "job"), "keep") > 0;
    if (nights || akin_jobfile_has_wrong_keys(job, "job") ||
        strcmp(akin_options_text(akin_jobfile_options(job, "train"), "retrain"), "drift") != 0)
        return AKIN_OK;
    return akin_job_at_key(
        job, "train", "retrain",
        akin_error_set(AKIN_USAGE,
                       "retrain = drift needs nights to compare: set keep = 2 or more in [job]"));
}

akin_status akin_preflight_start(const akin_jobs *jobs, const char *output) {
    akin_mistakes found = {.status = AKIN_OK};
    akin_jobfile *job = jobs->list[0].file;
    akin_mistakes_note(&found, check_drift(job));
    akin_mistakes_note(&found, check_output(job, output));
    akin_mistakes_note(&found, check_publish(jobs, output));
    akin_mistakes_note(&found, akin_preflight_files(job));
    return akin_mistakes_sum(&found);
}

/* --- where it will publish, beyond files --- */

/* The least share of what is published that the table must lose: of pictures that cannot be decoded
 * nothing is known. */
static void foresee_shrink(const akin_options *publish, const char *shown, size_t published,
                           size_t gone) {
    double limit = akin_options_real(publish, "max-shrink");
    double least = (double)gone / (double)published;
    if (least > limit + 1e-9)
        akin_log_warning("%s: at least %zu of the %zu items that are published there would be "
                         "missing: shrink would be %.4g, max-shrink is %.4g, and the job would "
                         "exit with 4",
                         shown, gone, published, least, limit);
}

/* How many of the published items the next table lacks, at least. */
static size_t count_gone(size_t published, const akin_publish_diff_figures *change,
                         const akin_preflight_needs *needs) {
    size_t fewer = needs && published > needs->items ? published - needs->items : 0;
    return change->gone > fewer ? change->gone : fewer;
}

static akin_status look_at_place(const akin_options *publish, const char *url,
                                 const akin_preflight_needs *needs) {
    akin_status status = AKIN_OK;
    akin_sink_options sink;
    akin_standing standing;
    akin_publish_diff_figures change;
    akin_text *shown = NULL;
    AKIN_TRY(akin_places_options(publish, &sink));
    AKIN_TRY(akin_publish_ask(url, &sink, needs ? needs->ids : NULL, &standing, &change));
    AKIN_TRY(akin_text_create(&shown));
    AKIN_TRY(akin_text_append_hidden(shown, url));
    if (*standing.busy)
        akin_log_warning("%s: someone is publishing there (%s); a run does not wait and would fail",
                         akin_text_bytes(shown), standing.busy);
    size_t published = standing.live.there ? standing.live.items : 0;
    if (published > 0)
        foresee_shrink(publish, akin_text_bytes(shown), published,
                       count_gone(published, &change, needs));
done:
    akin_text_free(shown);
    return status;
}

/* About the bytes of a neighbour in a published file: its id, in a CSV also the item's, and the score. */
static uint64_t bytes_of_neighbor(const char *path, const akin_ids *ids) {
    uint64_t sum = 0, items = akin_ids_count(ids);
    const char *ending = strrchr(akin_file_name(path), '.');
    for (size_t i = 0; i < items; i++) sum += akin_ids_length(ids, i);
    if (ending && strcmp(ending, ".npy") == 0) return sizeof(int32_t) + sizeof(float);
    return (ending && strcmp(ending, ".csv") == 0 ? 2 : 1) * sum / items + 14;
}

/* A file is published beside the one that is there. */
static void foresee_room(const akin_job *table, size_t place, const char *path,
                         const akin_ids *ids) {
    const char *section = akin_stage_section(akin_stage_find("neighbors"), table);
    uint64_t k = (uint64_t)akin_options_int(akin_jobfile_options(table->file, section), "k");
    char *folder = akin_file_folder(path);
    akin_status status = AKIN_OK;
    if (folder && akin_file_exists(folder))
        status =
            akin_file_check_space(path, akin_ids_count(ids) * k * bytes_of_neighbor(path, ids));
    if (status != AKIN_OK) {
        akin_job_at_item(table->file, "publish", "to", place, status);
        akin_log_warning("%s", akin_error_message());
        akin_error_clear();
    }
    akin_mem_free(folder);
}

static akin_status look_at_places(const akin_job *table, const akin_preflight_needs *needs) {
    akin_jobfile *job = table->file;
    if (akin_job_of_products(table)) needs = NULL; /* products are fewer */
    akin_mistakes found = {.status = AKIN_OK};
    const char *const *urls = NULL;
    const akin_options *publish = akin_jobfile_options(job, "publish");
    size_t count = akin_options_list(publish, "to", &urls);
    for (size_t i = 0; i < count; i++) {
        akin_status status = look_at_place(publish, urls[i], needs);
        if (status != AKIN_OK)
            akin_mistakes_note(&found, akin_job_at_item(job, "publish", "to", i, status));
        else if (needs && needs->ids && strncmp(urls[i], file_scheme, strlen(file_scheme)) == 0)
            foresee_room(table, i, urls[i] + strlen(file_scheme), needs->ids);
    }
    return akin_mistakes_sum(&found);
}

akin_status akin_preflight_places(const akin_jobs *jobs, const akin_preflight_needs *needs) {
    akin_mistakes found = {.status = AKIN_OK};
    for (size_t i = 0; i < jobs->count; i++)
        if (akin_stage_runs(akin_stage_find("publish"), &jobs->list[i]))
            akin_mistakes_note(&found, look_at_places(&jobs->list[i], needs));
    return akin_mistakes_sum(&found);
}
