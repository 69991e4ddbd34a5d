/* job: a job file, once for each of its tables. */
#include "job.h"
#include "mistakes.h"
#include "stages.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <stdio.h>
#include <string.h>

#define MAIN_FILE "table.nc"

static bool is_enabled(const akin_jobfile *file, const char *section) {
    return akin_options_flag(akin_jobfile_options(file, section), "enabled");
}

const char *akin_job_table_section(const akin_jobfile *file, size_t index) {
    for (size_t i = 0;; i++) {
        const char *section = akin_jobfile_named(file, AKIN_TABLE_SECTION, i);
        if (!section) return NULL;
        if (is_enabled(file, section) && index-- == 0) return section;
    }
}

const char *akin_job_neighbors_section(const akin_jobfile *file, size_t index) {
    return index == 0 ? "neighbors" : akin_job_table_section(file, index - 1);
}

bool akin_job_of_products(const akin_job *job) {
    const char *section = job->section ? job->section : "neighbors";
    return akin_options_is(akin_jobfile_options(job->file, section), "by", "group");
}

akin_status akin_job_at_key(const akin_jobfile *file, const char *section, const char *key,
                            akin_status status) {
    return akin_job_at_item(file, section, key, 0, status);
}

akin_status akin_job_at_item(const akin_jobfile *file, const char *section, const char *key,
                             size_t at, akin_status status) {
    char *place = akin_jobfile_place_of(file, section, key, at);
    if (place) status = akin_error_context(status, "%s: [%s] ", place, section);
    akin_mem_free(place);
    return status;
}

const char *akin_job_table_name(const char *section) {
    return section + sizeof AKIN_TABLE_SECTION;
}

const char *akin_job_file(const char *file, const char *table, char room[AKIN_JOB_FILE_SIZE]) {
    if (!table || strcmp(file, MAIN_FILE) != 0) return file;
    snprintf(room, AKIN_JOB_FILE_SIZE, "table-%s.nc", table);
    return room;
}

const char *akin_job_title(const char *verb, const char *table, char room[AKIN_JOB_FILE_SIZE]) {
    if (!table) return verb;
    snprintf(room, AKIN_JOB_FILE_SIZE, "%s (table %s)", verb, table);
    return room;
}

static size_t count_tables(const akin_jobfile *file) {
    size_t count = 0;
    while (akin_job_table_section(file, count)) count++;
    return count;
}

/* The jobs of a file that was read; takes it, also on failure. */
static akin_status start_jobs(akin_jobfile *first, akin_jobs *out) {
    akin_status status = AKIN_OK;
    size_t count = 1 + count_tables(first);
    out->list = akin_mem_zalloc(count, sizeof *out->list);
    if (!out->list) {
        akin_jobfile_free(first);
        return AKIN_FAILED;
    }
    out->list[out->count++].file = first;
    while (out->count < count) {
        akin_job *job = &out->list[out->count];
        AKIN_TRY(akin_jobfile_again(first, &job->file));
        job->section = akin_job_table_section(job->file, out->count++ - 1);
        job->table = akin_job_table_name(job->section);
    }
done:
    if (status != AKIN_OK) akin_jobs_free(out);
    return status;
}

akin_status akin_jobs_read(const char *path, akin_error_kept *wrong_keys, akin_jobs *out) {
    akin_jobfile *first = NULL;
    *out = (akin_jobs){0};
    akin_status status = akin_jobfile_read_on(path, akin_stage_sections(), wrong_keys, &first);
    return status == AKIN_OK ? start_jobs(first, out) : status;
}

akin_status akin_jobs_again(const akin_jobs *jobs, akin_jobs *out) {
    akin_jobfile *first = NULL;
    *out = (akin_jobs){0};
    akin_status status = akin_jobfile_again(jobs->list[0].file, &first);
    return status == AKIN_OK ? start_jobs(first, out) : status;
}

void akin_jobs_free(akin_jobs *jobs) {
    for (size_t i = 0; i < jobs->count; i++) akin_jobfile_free(jobs->list[i].file);
    akin_mem_free(jobs->list);
    *jobs = (akin_jobs){0};
}

akin_status akin_jobs_settle(akin_jobs *jobs, const akin_options *run, const char *folder,
                             const char *previous) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < jobs->count && status == AKIN_OK; i++)
        status = akin_stages_settle(&jobs->list[i], run, folder, previous);
    return status;
}

akin_status akin_jobs_check(const akin_jobs *jobs) {
    akin_mistakes found = {.status = AKIN_OK};
    for (size_t i = 0; i < jobs->count; i++)
        akin_mistakes_note(&found, akin_stages_check(&jobs->list[i]));
    return akin_mistakes_sum(&found);
}

/* results/<name>; by default the name is the job file's without its ending. *output is owned. */
static akin_status default_output(const akin_jobfile *job, const char *path, const char *name,
                                  char **output) {
    const char *file = akin_file_name(path);
    size_t length = strlen(file) - strlen(akin_file_ending(file));
    char *own = akin_mem_text(name ? name : file);
    akin_status status = AKIN_OK;
    if (!own) return AKIN_FAILED;
    if (!name) own[length] = '\0';
    if (!*own || strchr(own, '/') || strcmp(own, ".") == 0 || strcmp(own, "..") == 0)
        status = akin_job_at_key(
            job, "job", "name",
            akin_error_set(AKIN_USAGE,
                           "name must be the name of a folder, not \"%s\"; use output for a path",
                           own));
    if (!(*output = akin_file_join("results", own))) status = AKIN_FAILED;
    akin_mem_free(own);
    return status;
}

akin_status akin_job_output(const akin_jobfile *job, const char *path, char **output) {
    const akin_options *options = akin_jobfile_options(job, "job");
    const char *given = akin_options_text(options, "output");
    if (!given) return default_output(job, path, akin_options_text(options, "name"), output);
    *output = akin_mem_text(given);
    if (!*output) return AKIN_FAILED;
    for (size_t length = strlen(*output); length > 1 && (*output)[length - 1] == '/';)
        (*output)[--length] = '\0';
    return AKIN_OK;
}
