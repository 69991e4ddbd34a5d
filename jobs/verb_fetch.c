/* verb_fetch: `akin fetch SOURCE... --cache DIR` downloads pictures into a cache, on a node with
 * a network, for nodes without one. */
#include "addresses.h"
#include "tables.h"
#include "verbs.h"
#include <akin/mem.h>
#include <akin/source.h>

static const akin_option options[] = {
    AKIN_ADDRESS_OPTIONS,
    {.name = "root",
     .type = AKIN_OPTION_TEXT,
     .argument = "DIR",
     .help = "as in ingest: the folder that relative paths start from"},
    AKIN_TABLE_OPTIONS,
    AKIN_WITHDRAWALS_OPTION,
    {.name = "max-pixels",
     .type = AKIN_OPTION_INT,
     .initial = "100000000",
     .minimum = 1,
     .maximum = 1e12,
     .argument = "N",
     .help = "reject a picture with more pixels"},
    {.name = "rejects",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "write the rows whose picture is not available to this CSV: id,path,reason"},
    {0},
};

static akin_status check(akin_options *o) {
    akin_fetch_params params;
    akin_source_params source;
    if (!akin_options_text(o, "cache"))
        return akin_error_option("cache", "no folder given: --cache DIR");
    akin_status status = akin_tables_params(o, &source);
    return status == AKIN_OK ? akin_addresses_params(o, &params) : status;
}

/* --- what could not be downloaded --- */

typedef struct {
    akin_rejects *rejects;
    size_t had;
} reading;

static akin_status take(void *context, size_t row, const uint8_t *bytes, size_t count,
                        const char *reason) {
    reading *r = context;
    (void)count;
    if (bytes) r->had++;
    return bytes ? AKIN_OK : akin_rejects_add(r->rejects, row, reason);
}

/* Reads this rank's part of the rows that are addresses as ingest will. */
static akin_status read_part(akin_comm *comm, const akin_source *source, reading *r) {
    size_t valid = akin_source_valid(source), size = (size_t)akin_comm_size(comm);
    const size_t *order = akin_source_order(source);
    bool *wanted = akin_mem_zalloc(akin_source_rows(source), sizeof *wanted);
    akin_status status = wanted ? akin_rejects_create(&r->rejects) : AKIN_FAILED;
    for (size_t i = (size_t)akin_comm_rank(comm); i < valid && status == AKIN_OK; i += size)
        wanted[order[i]] =
            akin_source_is_address(source, order[i]) && akin_source_needs_picture(source, order[i]);
    if (status == AKIN_OK) status = akin_source_read(source, wanted, take, r);
    akin_mem_free(wanted);
    return status;
}

/* Collective. */
static akin_status list_rejects(akin_call *call, const akin_source *source, size_t *had,
                                size_t *rejected) {
    akin_status status = AKIN_OK;
    reading r = {0};
    const char *path = akin_options_text(call->options, "rejects");
    AKIN_TRY(akin_agree(call->comm, read_part(call->comm, source, &r)));
    int64_t count = (int64_t)r.had;
    akin_comm_sum_i64(call->comm, &count, 1);
    *had = (size_t)count;
    AKIN_TRY(akin_rejects_gather(r.rejects, call->comm, source, rejected));
    if (path)
        AKIN_TRY(akin_rejects_write(r.rejects, call->comm, source, path));
    else if (akin_comm_rank(call->comm) == 0)
        akin_rejects_show(r.rejects, source, NULL);
done:
    akin_rejects_free(r.rejects);
    return status;
}

/* --- the verb --- */

static akin_fetch_params params_of(const akin_options *o) {
    akin_fetch_params params;
    (void)!akin_addresses_params(o, &params); /* checked before */
    params.max_pixels = (uint64_t)akin_options_int(o, "max-pixels");
    return params;
}

static void report(akin_json *json, const akin_fetch_result *result, size_t rows, size_t had,
                   size_t rejected) {
    akin_json_set_integer(json, "rows", (long long)rows);
    akin_json_set_integer(json, "items", (long long)had);
    akin_json_set_integer(json, "rejected", (long long)rejected);
    akin_addresses_report(json, result);
}

/* Collective; agreed. */
static akin_status list_source(const akin_call *call, akin_source **out) {
    const akin_options *o = call->options;
    akin_source_params from = {.root = akin_options_text(o, "root"),
                               .cache = akin_options_text(o, "cache"),
                               .withdrawals = akin_options_flag(o, "withdrawals")};
    (void)!akin_tables_params(o, &from); /* checked before */
    from.count = akin_options_arguments(o, &from.names);
    return akin_source_open(call->comm, &from, out);
}

static akin_status run(akin_call *call) {
    akin_status status = AKIN_OK;
    akin_source *source = NULL;
    akin_fetch_result result = {0};
    const akin_fetch_params params = params_of(call->options);
    size_t had = 0, rejected = 0;
    AKIN_TRY(list_source(call, &source));
    AKIN_TRY(akin_fetch(call->comm, source, &params, &result));
    AKIN_TRY(list_rejects(call, source, &had, &rejected));
    report(call->report, &result, akin_source_rows(source), had, rejected);
    if (result.addresses > 0 && had == 0)
        status = akin_error_set(AKIN_FAILED,
                                "none of %zu address%s gave a picture: see the reasons above",
                                result.addresses, result.addresses == 1 ? "" : "es");
done:
    akin_source_close(source);
    return status;
}

/* Also a recent cache lacks what the source has got since. Collective. */
static bool up_to_date(akin_call *call) {
    const akin_fetch_params params = params_of(call->options);
    akin_source *source = NULL;
    if (list_source(call, &source) != AKIN_OK) return false;
    bool has_all = akin_source_unfetched(source) == 0;
    akin_source_close(source);
    return has_all && akin_fetch_is_recent(params.cache, params.fresh);
}

const akin_verb akin_verb_fetch = {
    .name = "fetch",
    .arguments = "SOURCE... --cache DIR",
    .summary = "download the pictures of a catalogue into a cache",
    .argument_key = "source",
    .arguments_min = 1,
    .arguments_max = -1,
    .options = options,
    .run = run,
    .up_to_date = up_to_date,
    .check = check,
};
