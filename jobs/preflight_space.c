/* preflight_space: the rows of the sources by themselves, and whether what a run makes of them fits on
 * the disk. */
#include "preflight.h"
#include <akin/csv.h>
#include <akin/file.h>
#include <akin/ingest.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/npy.h>
#include <akin/source.h>
#include <akin/text.h>
#include <string.h>

/* Bytes per row that is read: the picture, and one of the gallery; per item: the labels in three files,
 * the vector and the lists; plus the model, its checkpoint, and the temporary copy of each file. */
static uint64_t bytes_of(akin_jobfile *job, size_t rows, size_t items, size_t features) {
    enum { PICTURE = 3072, LABELS = 3 * 64, MODEL = 3 * (7 << 20) };
    const akin_options *gallery = akin_jobfile_options(job, "gallery");
    uint64_t k = 0;
    const char *section;
    for (size_t i = 0; (section = akin_job_neighbors_section(job, i)); i++)
        k += (uint64_t)akin_options_int(akin_jobfile_options(job, section), "k");
    uint64_t side = (uint64_t)akin_options_int(gallery, "picture-size"), page = 0;
    if (akin_stage_wanted(akin_stage_find("gallery"), job)) page = side * side / 32 + 12 * k;
    return rows * (PICTURE + page) + items * (LABELS + features * sizeof(float) + 8 * k) + MODEL;
}

/* Rows and columns of the vectors that the job imports. */
static akin_status look_at_vectors(const char *path, size_t *rows, size_t *columns) {
    akin_npy *npy = NULL;
    akin_status status = akin_npy_open(path, &npy);
    if (status == AKIN_OK) *rows = akin_npy_rows(npy), *columns = akin_npy_columns(npy);
    akin_npy_close(npy);
    return status;
}

static void warn_of_refused(const akin_source *source, const akin_preflight_needs *needs) {
    size_t row = 0;
    if (needs->refused == 0) return;
    while (!akin_source_get(source, row).reason) row++;
    akin_source_row first = akin_source_get(source, row);
    akin_log_warning("%zu row%s will be rejected; the first: id \"%s\", %s: %s", needs->refused,
                     AKIN_PLURAL(needs->refused), first.id, first.path, first.reason);
}

static akin_status warn_of_missing(const akin_source *source, const akin_preflight_needs *needs,
                                   size_t first) {
    akin_text *why = NULL;
    akin_status status = akin_text_create(&why);
    if (status == AKIN_OK) status = akin_source_explain(source, first, "no such file", why);
    if (status == AKIN_OK)
        akin_log_warning("%zu file%s of the source %s not there; the first: id \"%s\", %s: %s",
                         needs->missing, AKIN_PLURAL(needs->missing),
                         needs->missing == 1 ? "is" : "are", akin_source_get(source, first).id,
                         akin_source_get(source, first).path, akin_text_bytes(why));
    akin_text_free(why);
    return status;
}

/* Names the line of the job's sources; of a table of additions, which no line names, the table. */
static akin_status at_rows(const akin_jobfile *job, akin_status status) {
    const char *table = akin_stages_added(job);
    return table ? akin_error_context(status, "%s: ", table)
                 : akin_job_at_key(job, "ingest", "source", status);
}

/* Rows that the list alone shows will be rejected; pictures that cannot be decoded are not known
 * yet. */
static akin_status foresee_rejects(akin_jobfile *job, const akin_source *source,
                                   akin_preflight_needs *needs) {
    size_t first = 0, valid = akin_source_valid(source);
    double limit = akin_options_real(akin_jobfile_options(job, "ingest"), "max-reject-fraction");
    needs->refused = needs->rows - valid;
    needs->missing = akin_source_missing(source, &first);
    size_t bad = needs->refused + needs->missing;
    warn_of_refused(source, needs);
    akin_status status = needs->missing > 0 ? warn_of_missing(source, needs, first) : AKIN_OK;
    if (status != AKIN_OK) return status;
    if (needs->rows == 0 || bad == needs->rows)
        return at_rows(job,
                       akin_error_set(AKIN_INPUT,
                                      "no usable picture: %zu row%s, of which %zu will be rejected",
                                      needs->rows, AKIN_PLURAL(needs->rows), bad));
    if (akin_ingest_too_many(bad, needs->rows, limit))
        return at_rows(
            job, akin_error_set(
                     AKIN_INPUT,
                     "%zu of %zu rows will be rejected, more than max-reject-fraction = %g allows",
                     bad, needs->rows, limit));
    return AKIN_OK;
}

/* --- what the last night rejected --- */

typedef struct {
    const akin_source *source;
    size_t known;
} last_rejects;

/* A row that is still there, under the same path, and that the list alone does not reject, nor
 * that its file is missing. */
static akin_status see_reject(void *context, size_t row, size_t count, const char *const *fields,
                              const size_t *lengths) {
    last_rejects *last = context;
    (void)lengths;
    if (row == 1 || count != 3) return AKIN_OK;
    size_t now = akin_source_find(last->source, akin_csv_unsafe(fields[0]));
    if (now == SIZE_MAX) return AKIN_OK;
    akin_source_row it = akin_source_get(last->source, now);
    last->known += !it.reason && strcmp(it.path, akin_csv_unsafe(fields[1])) == 0 &&
                   akin_source_is_there(last->source, now);
    return AKIN_OK;
}

/* They may have been repaired, so this is a warning. */
static akin_status foresee_last(akin_jobfile *job, const akin_source *source, const char *output,
                                akin_preflight_needs *needs) {
    static const char *const places[] = {"latest/rejects.csv", "rejects.csv"};
    double limit = akin_options_real(akin_jobfile_options(job, "ingest"), "max-reject-fraction");
    last_rejects last = {.source = source};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char *path = akin_file_join(output, places[i]);
        if (!path) return AKIN_FAILED;
        bool there = akin_file_exists(path);
        if (there && akin_csv_read(path, ',', see_reject, &last) != AKIN_OK) akin_error_clear();
        akin_mem_free(path);
        if (there) break;
    }
    needs->rejected_before = last.known;
    if (last.known == 0) return AKIN_OK;
    bool many =
        akin_ingest_too_many(needs->refused + needs->missing + last.known, needs->rows, limit);
    akin_log_warning(
        "%zu row%s of the source %s rejected last time too, because of the picture itself "
        "(rejects.csv), and will be again unless it was repaired%s",
        last.known, AKIN_PLURAL(last.known), last.known == 1 ? "was" : "were",
        many ? "; that is more than max-reject-fraction allows: the job would exit with 3" : "");
    return AKIN_OK;
}

static akin_status judge_items(akin_jobfile *job, const akin_upcoming *items,
                               akin_preflight_needs *needs) {
    akin_status status;
    AKIN_TRY(akin_upcoming_names(items, akin_upcoming_id, &needs->ids));
    AKIN_TRY(akin_preflight_names(job, items, needs->ids));
    status = akin_preflight_tell_values(job, items);
done:
    return status;
}

/* What the sources of a run lack that their tables need, and what is strange in them. Rank 0. */
static akin_status judge_source(akin_jobfile *job, const akin_source *source,
                                akin_preflight_needs *needs) {
    akin_upcoming *items = NULL;
    needs->items = needs->rows - needs->refused - needs->missing;
    akin_status status = akin_preflight_source_labels(job, source);
    if (status != AKIN_OK) return status;
    akin_preflight_tell_labels(job, source);
    status = akin_upcoming_create(source, NULL, &items);
    if (status == AKIN_OK) status = judge_items(job, items, needs);
    akin_upcoming_free(items);
    return status;
}

/* The same of a table of additions, whose rows are only some of the items. Rank 0. */
static akin_status judge_added(akin_jobfile *job, const akin_source *source, const char *output,
                               akin_preflight_needs *needs) {
    akin_status status = AKIN_FAILED;
    akin_upcoming *items = NULL;
    char *last = akin_file_join(output, "embeddings.nc");
    if (!last) goto done;
    AKIN_TRY(akin_upcoming_create(source, last, &items));
    needs->items = akin_upcoming_count(items);
    if (needs->items == 0)
        AKIN_TRY(at_rows(job, akin_error_set(AKIN_INPUT, "every item would be withdrawn")));
    AKIN_TRY(akin_preflight_added_labels(job, source, last));
    status = judge_items(job, items, needs);
done:
    akin_upcoming_free(items);
    akin_mem_free(last);
    return status;
}

/* The sources, and their rows by themselves. */
static akin_status judge(akin_jobfile *job, const akin_source *source, const char *output,
                         akin_preflight_needs *needs) {
    akin_status status;
    AKIN_TRY(foresee_rejects(job, source, needs));
    AKIN_TRY(foresee_last(job, source, output, needs));
    status = akin_stages_added(job) ? judge_added(job, source, output, needs)
                                    : judge_source(job, source, needs);
done:
    return status;
}

akin_status akin_preflight_space(akin_comm *comm, akin_jobfile *job, const char *output,
                                 akin_preflight_needs *needs) {
    akin_status status = AKIN_OK;
    akin_source *source = NULL;
    const akin_source_params params = akin_preflight_sources(job);
    size_t rows = 0, features = 32;
    const char *vectors = akin_stages_vectors(job);
    AKIN_TRY(akin_agree(comm, vectors ? look_at_vectors(vectors, &rows, &features) : AKIN_OK));
    if (params.count > 0 || !vectors) {
        AKIN_TRY(akin_preflight_list(comm, job, &source));
        rows = akin_source_rows(source);
    } else
        AKIN_TRY(akin_preflight_rules(comm, job, &source));
    *needs = (akin_preflight_needs){.rows = rows, .items = rows};
    if (akin_comm_rank(comm) == 0) {
        if (source) status = judge(job, source, output, needs);
        needs->bytes = bytes_of(job, rows, needs->items, features);
        if (status == AKIN_OK) status = akin_preflight_room(job, output, needs->bytes);
    }
    status = akin_agree_with_first(comm, status);
done:
    akin_source_close(source);
    return status;
}
