/* undo: see undo.h. */
#include "undo.h"
#include "entries.h"
#include <akin/file.h>
#include <akin/json.h>
#include <akin/mem.h>
#include <unistd.h>

#define KEPT ".before"

/* What is done with a file and its kept copy. */
typedef akin_status act(const char *path, const char *kept);

/* A hard link: the files are replaced as a whole. */
static akin_status keep(const char *path, const char *kept) {
    return akin_file_exists(path) && !akin_file_exists(kept) ? akin_file_link(path, kept) : AKIN_OK;
}

static akin_status forget(const char *path, const char *kept) {
    (void)path;
    (void)unlink(kept);
    return AKIN_OK;
}

static akin_status put_back(const char *path, const char *kept) {
    if (!akin_file_exists(kept)) return AKIN_OK;
    akin_status status = akin_file_sync_rename(kept, path);
    if (status == AKIN_OK) (void)unlink(kept); /* still there if both are the same file */
    return status;
}

static akin_status act_on(const akin_run_state *run, const char *name, act *act) {
    char *path = akin_file_join(akin_folder_path(run->folder), name);
    char *kept = path ? akin_file_with_ending(path, KEPT) : NULL;
    akin_status status = kept ? act(path, kept) : AKIN_FAILED;
    akin_mem_free(path);
    akin_mem_free(kept);
    return status;
}

/* The embeddings last: while they are kept, so is all that was made from them. Rank 0. */
static akin_status act_on_all(const akin_run_state *run, act *act) {
    akin_status status = act_on(run, "metrics.json", act);
    char room[AKIN_JOB_FILE_SIZE];
    for (size_t i = 0; i < run->jobs.count && status == AKIN_OK; i++)
        status = act_on(run, akin_job_file("table.nc", run->jobs.list[i].table, room), act);
    return status == AKIN_OK ? act_on(run, "embeddings.nc", act) : status;
}

void akin_undo_begin(const akin_run_state *run) {
    if (akin_comm_rank(run->call->comm) != 0) return;
    if (act_on_all(run, akin_stages_added(run->job) ? keep : forget) == AKIN_OK) return;
    akin_error_clear();
    (void)!act_on_all(run, forget);
}

void akin_undo_forget(const akin_run_state *run) {
    if (akin_comm_rank(run->call->comm) == 0) (void)!act_on_all(run, forget);
}

/* The entries of the stages that made the kept files. Rank 0. */
static akin_status load_entries(const akin_run_state *run, akin_json **entries) {
    unsigned char *text = NULL;
    size_t count = 0;
    enum { LIMIT = 256 << 20 };
    char *path = akin_file_join(akin_folder_path(run->folder), "metrics.json" KEPT);
    akin_status status = path ? akin_file_read(path, LIMIT, &text, &count) : AKIN_FAILED;
    if (status == AKIN_OK) status = akin_json_parse((const char *)text, count, entries);
    akin_mem_free(text);
    akin_mem_free(path);
    return status;
}

/* Collective; agreed. */
static akin_status put_entries(const akin_run_state *run, const akin_json *entries) {
    static const char *const verbs[] = {"embed", "neighbors"};
    akin_status status = AKIN_OK;
    for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
        for (size_t i = 0; i < run->jobs.count; i++) {
            const char *table = run->jobs.list[i].table;
            const akin_json *entry = akin_entries_get(entries, verbs[v], table);
            int64_t there = entry != NULL;
            akin_comm_max_i64(run->call->comm, &there, 1);
            if (there)
                AKIN_TRY(
                    akin_metrics_put(run->call->comm, run->metrics, verbs[v], table, entry, false));
        }
done:
    return status;
}

akin_status akin_undo_addition(const akin_run_state *run, bool *undone) {
    akin_status status = AKIN_OK;
    akin_comm *comm = run->call->comm;
    akin_json *entries = NULL;
    bool first = akin_comm_rank(comm) == 0;
    int64_t able = !run->published && first && load_entries(run, &entries) == AKIN_OK;
    akin_error_clear();
    akin_comm_max_i64(comm, &able, 1);
    *undone = able;
    if (!able) return AKIN_OK;
    AKIN_TRY(put_entries(run, entries));
    if (first) (void)!act_on(run, "metrics.json", forget);
    status = akin_agree(comm, first ? act_on_all(run, put_back) : AKIN_OK);
done:
    akin_json_free(entries);
    return status;
}
