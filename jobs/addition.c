/* addition: what `akin add` changes in the run of its job. */
#include "addition.h"
#include "entries.h"
#include "metrics.h"
#include "places.h"
#include "stages.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <stdlib.h>

/* The table of additions; NULL: another verb. */
static const char *added(const akin_call *call) {
    const char *const *arguments = NULL;
    return akin_options_arguments(call->options, &arguments) > 1 ? arguments[1] : NULL;
}

/* Lists by parts of vectors need the pictures of all items, in the catalogue that the vectors were made
 * from; catalog.nc remains that of the night. */
static akin_status refuse_aspects(const akin_jobfile *job, const char *table) {
    const char *section;
    for (size_t i = 0; (section = akin_job_neighbors_section(job, i)); i++)
        if (akin_options_given(akin_jobfile_options(job, section), "aspect"))
            return akin_job_at_key(
                job, section, "aspect",
                akin_error_set(AKIN_USAGE,
                               "aspect needs the catalogue of all items, to which %s is not added: "
                               "run the job with sources that have these rows",
                               table));
    return AKIN_OK;
}

static akin_status settle_one(const char *table, akin_jobfile *job) {
    akin_status status;
    akin_options *ingest = akin_jobfile_options(job, "ingest");
    const char *const *sources = NULL;
    if (akin_options_given(akin_jobfile_options(job, "embed"), "from"))
        AKIN_TRY(akin_job_at_key(
            job, "embed", "from",
            akin_error_set(AKIN_USAGE,
                           "the job imports its vectors ([embed] from), so %s has none: run the "
                           "job with a file that has them",
                           table)));
    if (akin_options_arguments(ingest, &sources) == 0 &&
        !akin_jobfile_has_wrong_keys(job, "ingest"))
        AKIN_TRY(akin_job_at_key(
            job, "ingest", "source",
            akin_error_set(AKIN_USAGE, "the job has no [ingest] source that %s could add to",
                           table)));
    AKIN_TRY(refuse_aspects(job, table));
    akin_options_empty_arguments(ingest);
    AKIN_TRY(akin_options_add_argument(ingest, table));
    status = akin_options_set(akin_jobfile_options(job, "job"), AKIN_STAGES_ADDED, table, "add");
done:
    return status;
}

akin_status akin_addition_settle(const akin_call *call, akin_jobs *jobs) {
    akin_status status = AKIN_OK;
    const char *table = added(call);
    for (size_t i = 0; table && i < jobs->count && status == AKIN_OK; i++)
        status = settle_one(table, jobs->list[i].file);
    return status;
}

akin_status akin_addition_place(const akin_call *call, char **output, long long *keep) {
    akin_status status = AKIN_OK;
    static const char *const needed[] = {"table.nc", "embeddings.nc", "model.nc"};
    char *place = NULL, *file = NULL;
    if (!added(call)) return AKIN_OK;
    if (*keep > 0) {
        place = akin_file_join(*output, "latest");
        if (!place) AKIN_TRY(AKIN_FAILED);
        char *night = realpath(place, NULL);
        akin_mem_free(place);
        place = night ? akin_mem_text(night) : NULL;
        free(night);
        if (!place)
            AKIN_TRY(akin_error_set(AKIN_FAILED,
                                    "%s has no complete night to add to: run the job "
                                    "first",
                                    *output));
        akin_mem_free(*output);
        *output = place, place = NULL;
        *keep = 0;
    }
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        akin_mem_free(file);
        file = akin_file_join(*output, needed[i]);
        if (!file) AKIN_TRY(AKIN_FAILED);
        if (!akin_file_exists(file))
            AKIN_TRY(
                akin_error_set(AKIN_FAILED, "%s: no table to add to: run the job first", file));
    }
done:
    akin_mem_free(place);
    akin_mem_free(file);
    return status;
}

akin_status akin_addition_check_places(const akin_jobs *jobs, const char *output) {
    akin_status status = AKIN_OK;
    akin_json *entries = NULL;
    if (!akin_stages_added(jobs->list[0].file)) return AKIN_OK;
    AKIN_TRY(akin_metrics_load(output, &entries));
    for (size_t i = 0; i < jobs->count; i++) {
        const akin_jobfile *job = jobs->list[i].file;
        const akin_json *entry = akin_entries_get(entries, "publish", jobs->list[i].table);
        status = akin_published_refuse_rolled_back(entry, akin_jobfile_options(job, "publish"));
        if (status != AKIN_OK) AKIN_TRY(akin_job_at_key(job, "publish", "to", status));
    }
done:
    akin_json_free(entries);
    return status;
}
