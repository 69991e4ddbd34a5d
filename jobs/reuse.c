/* reuse: see reuse.h. */
#include "reuse.h"
#include "output.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/text.h>
#include <stdint.h>
#include <unistd.h>

typedef bool file_test(const char *path, const char *kind, const char *attribute,
                       const char *value);

static bool file_serves(file_test *test, const char *folder, const char *name, const char *kind,
                        const char *attribute, const char *value) {
    char *path = akin_file_join(folder, name);
    bool good = path && value && test(path, kind, attribute, value);
    akin_mem_free(path);
    return good;
}

/* Made with the same options. */
bool akin_reuse_catalog(const akin_call *call, const char *folder, const char *second) {
    (void)second;
    return file_serves(akin_output_has, folder, "catalog.nc", "catalog", "akin_result_options",
                       call->result_options);
}

/* Made with the same model. */
bool akin_reuse_embeddings(const akin_call *call, const char *folder, const char *second) {
    (void)second;
    return file_serves(akin_output_made_from, folder, "embeddings.nc", "embeddings",
                       "input_model_digest", akin_options_text(call->options, "model"));
}

/* Made with the same model, or imported and of the same width. */
static bool alike(const char *a, const char *b) {
    return akin_output_alike(a, b, "embeddings", "input_model_digest") ||
           (akin_output_has(a, "embeddings", "input_model_digest", NULL) &&
            akin_output_has(b, "embeddings", "input_model_digest", NULL) &&
            akin_output_same_length(a, b, "embeddings", "feature"));
}

/* Made with the same options, from those embeddings, which have the same model as today's. */
bool akin_reuse_table(const akin_call *call, const char *folder, const char *second) {
    const char *const *today = NULL;
    char *embeddings = akin_file_join(folder, second);
    const char *name = akin_file_name(akin_options_text(call->options, "output"));
    bool good = embeddings && akin_options_arguments(call->options, &today) == 1 &&
                alike(embeddings, today[0]) &&
                file_serves(akin_output_has, folder, name, "table", "akin_result_options",
                            call->result_options) &&
                file_serves(akin_output_made_from, folder, name, "table", "input_embeddings_digest",
                            embeddings);
    akin_mem_free(embeddings);
    return good;
}

/* Whether all ranks find the first file intact; a damaged one only costs the time it would have
 * saved. Collective. */
static bool is_whole(const akin_stage *stage, const char *table, const akin_call *call,
                     const char *folder, const char *second) {
    akin_ncfile *file = NULL;
    char room[AKIN_JOB_FILE_SIZE];
    char *path = akin_file_join(folder, akin_job_file(stage->previous[0].file, table, room));
    int64_t wrong = !path || !stage->previous_serves(call, folder, second);
    akin_comm_max_i64(call->comm, &wrong, 1);
    akin_status status = AKIN_FAILED;
    if (!wrong) {
        status = akin_ncfile_open(call->comm, path, NULL, &file);
        if (status != AKIN_OK) akin_log_warning("%s is not reused: %s", path, akin_error_message());
    }
    akin_ncfile_close(file);
    akin_mem_free(path);
    akin_error_clear();
    return status == AKIN_OK;
}

/* A file that is skipped for another reason needs no message. Only rank 0 prints. */
static void tell_damage_before(const akin_stage *stage, const char *table, const akin_call *call,
                               const char *folder) {
    char room[AKIN_JOB_FILE_SIZE];
    for (size_t i = 0; stage->previous[i].option; i++) {
        char *path = akin_file_join(folder, akin_job_file(stage->previous[i].file, table, room));
        if (path && akin_comm_rank(call->comm) == 0)
            akin_output_tell_damage(path, stage->verb,
                                    "a file of the previous night is not reused");
        akin_mem_free(path);
    }
}

akin_status akin_reuse_previous(const akin_stage *stage, const char *table, const akin_call *call,
                                const akin_folder *folder) {
    akin_status status = AKIN_OK;
    char room[AKIN_JOB_FILE_SIZE];
    const char *first = stage->previous[0].option, *before = akin_folder_previous(folder),
               *taken = NULL;
    const char *second = stage->previous_here ? stage->previous_here : stage->previous[1].file;
    if (!first || !akin_options_declared(call->options, first, NULL) ||
        akin_options_given(call->options, first))
        return AKIN_OK;
    if (is_whole(stage, table, call, akin_folder_path(folder), second))
        taken = akin_folder_path(folder);
    if (!taken && before) {
        tell_damage_before(stage, table, call, before);
        if (is_whole(stage, table, call, before, second = stage->previous[1].file)) taken = before;
    }
    for (size_t i = 0; taken && stage->previous[i].option && status == AKIN_OK; i++)
        if (akin_options_declared(call->options, stage->previous[i].option, NULL))
            status = akin_stage_set_file(
                call->options, stage->previous[i].option, taken,
                i == 1 ? second : akin_job_file(stage->previous[i].file, table, room));
    return akin_agree(call->comm, status);
}

/* --- what the last table was made from --- */

/* Whether any table was made from them. */
static bool serve_a_table(const char *folder, const char *embeddings, const akin_jobs *jobs) {
    char room[AKIN_JOB_FILE_SIZE];
    for (size_t i = 0; i < jobs->count; i++)
        if (file_serves(akin_output_made_from, folder,
                        akin_job_file("table.nc", jobs->list[i].table, room), "table",
                        "input_embeddings_digest", embeddings))
            return true;
    return false;
}

/* Rank 0. */
static void keep_embeddings(const char *folder, const akin_jobs *jobs) {
    char *embeddings = akin_file_join(folder, "embeddings.nc"),
         *last = akin_file_join(folder, AKIN_LAST_EMBEDDINGS);
    if (embeddings && last && serve_a_table(folder, embeddings, jobs)) {
        (void)unlink(last);
        if (akin_file_link(embeddings, last) != AKIN_OK) akin_error_clear();
    }
    akin_mem_free(embeddings);
    akin_mem_free(last);
}

akin_status akin_reuse_set_aside(akin_stage_run *run) {
    if (akin_comm_rank(run->call->comm) == 0)
        keep_embeddings(akin_folder_path(run->folder), run->jobs);
    return AKIN_OK;
}

static void remove_part(const char *output) {
    akin_text *part = NULL;
    if (akin_text_create(&part) == AKIN_OK &&
        akin_text_append(part, "%s.spare.part", output) == AKIN_OK)
        (void)unlink(akin_text_bytes(part));
    akin_text_free(part);
}

akin_status akin_reuse_clear_aside(akin_stage_run *run) {
    if (akin_comm_rank(run->call->comm) != 0) return AKIN_OK;
    remove_part(akin_options_text(run->call->options, "output"));
    if (run->job < run->jobs->list + run->jobs->count - 1) return AKIN_OK;
    char *last = akin_file_join(akin_folder_path(run->folder), AKIN_LAST_EMBEDDINGS);
    if (last) (void)unlink(last);
    akin_mem_free(last);
    return AKIN_OK;
}

/* --- the table that was published last --- */

/* TABLE.nc of this stage's table, and TABLE.nc.last; owned; NULL: out of memory. */
static bool name_tables(const akin_stage_run *run, char **table, char **last) {
    char room[AKIN_JOB_FILE_SIZE];
    *table = akin_file_join(akin_folder_path(run->folder),
                            akin_job_file("table.nc", run->job->table, room));
    *last = *table ? akin_file_with_ending(*table, ".last") : NULL;
    return *last != NULL;
}

/* One that is kept already was not published since. Rank 0; a failure only costs time. */
akin_status akin_reuse_keep_table(akin_stage_run *run) {
    char *table = NULL, *last = NULL;
    if (akin_comm_rank(run->call->comm) == 0 && name_tables(run, &table, &last)) {
        bool published = akin_stage_runs(akin_stage_find("publish"), run->job);
        if (!published)
            (void)unlink(last);
        else if (akin_file_exists(table) && !akin_file_exists(last))
            (void)!akin_file_link(table, last);
    }
    akin_error_clear(); /* it only costs time */
    akin_mem_free(table);
    akin_mem_free(last);
    return AKIN_OK;
}

akin_status akin_reuse_kept_table(akin_stage_run *run) {
    char *table = NULL, *last = NULL;
    akin_status status = AKIN_OK;
    akin_comm *comm = run->call->comm;
    int64_t unknown = !name_tables(run, &table, &last);
    if (!unknown && akin_comm_rank(comm) == 0) {
        unknown = !akin_file_exists(last) ||
                  akin_output_tell_damage(last, "publish",
                                          "continuing without the table that was published last");
    }
    akin_comm_max_i64(comm, &unknown, 1);
    akin_error_clear(); /* it only costs time */
    if (!unknown && !akin_options_given(run->call->options, "previous"))
        status = akin_options_set(run->call->options, "previous", last, "run");
    akin_mem_free(table);
    akin_mem_free(last);
    return akin_agree(comm, status);
}

akin_status akin_reuse_drop_table(akin_stage_run *run) {
    char *table = NULL, *last = NULL;
    if (akin_comm_rank(run->call->comm) == 0 && name_tables(run, &table, &last)) (void)unlink(last);
    akin_error_clear(); /* it only costs time */
    akin_mem_free(table);
    akin_mem_free(last);
    return AKIN_OK;
}
