/* addition: what `akin add` changes in the run of its job. */
#include "addition.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <stdlib.h>

/* The table of additions; NULL: another verb. */
static const char *added(const akin_call *call) {
    const char *const *arguments = NULL;
    return akin_options_arguments(call->options, &arguments) > 1 ? arguments[1] : NULL;
}

static akin_status settle_one(const char *table, akin_jobfile *job) {
    static const char *const left_out[] = {"evaluate", "gallery"};
    akin_status status;
    akin_options *ingest = akin_jobfile_options(job, "ingest"),
                 *train = akin_jobfile_options(job, "train");
    const char *const *sources = NULL;
    if (akin_options_arguments(ingest, &sources) == 0)
        AKIN_TRY(akin_error_set(AKIN_USAGE, "the job has no [ingest] source that %s could add to",
                                table));
    AKIN_TRY(akin_options_add_argument(ingest, table));
    AKIN_TRY(akin_options_set(ingest, "last-replaces", "yes", "add"));
    AKIN_TRY(akin_options_set(train, "retrain", "never", "add"));
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (akin_jobfile_has(job, left_out[i]))
            AKIN_TRY(
                akin_options_set(akin_jobfile_options(job, left_out[i]), "enabled", "no", "add"));
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
    char *place = NULL, *table = NULL;
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
    table = akin_file_join(*output, "table.nc");
    if (!table) AKIN_TRY(AKIN_FAILED);
    if (!akin_file_exists(table))
        AKIN_TRY(akin_error_set(AKIN_FAILED, "%s: no table to add to: run the job first", table));
done:
    akin_mem_free(place);
    akin_mem_free(table);
    return status;
}
