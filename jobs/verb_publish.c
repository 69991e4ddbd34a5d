/* publish: export a table to where a storefront reads it. Floor 4 (jobs); looks down to everything. */
#include "verbs.h"
#include <akin/mem.h>
#include <akin/publish.h>

static const akin_option options[] = {
    {.name = "to",
     .type = AKIN_OPTION_LIST,
     .argument = "URL",
     .help = "where to: file:PATH.jsonl or file:PATH.csv; may be given several times"},
    {0},
};

/* {"url": ..., "bytes": ..., "digest": ...} of each place. */
static akin_status report_places(akin_json *report, const akin_published *published, size_t count) {
    akin_status status = AKIN_OK;
    akin_json *places = NULL, *place = NULL, *taken = NULL;
    AKIN_TRY(akin_json_create_array(&places));
    for (size_t i = 0; i < count; i++) {
        AKIN_TRY(akin_json_create(&place));
        AKIN_TRY(akin_json_set_text(place, "url", published[i].url));
        AKIN_TRY(akin_json_set_integer(place, "bytes", (long long)published[i].bytes));
        AKIN_TRY(akin_json_set_text(place, "digest", published[i].digest));
        taken = place;
        place = NULL;
        AKIN_TRY(akin_json_append_node(places, taken));
    }
    taken = places;
    places = NULL;
    AKIN_TRY(akin_json_set_node(report, "published", taken));
done:
    akin_json_free(place);
    akin_json_free(places);
    return status;
}

static akin_status report_result(akin_json *report, const akin_publish_result *result, const akin_published *published,
                                 size_t count) {
    akin_status status = AKIN_OK;
    AKIN_TRY(akin_json_set_integer(report, "items", (long long)result->items));
    AKIN_TRY(akin_json_set_text(report, "table_digest", result->table_digest));
    AKIN_TRY(report_places(report, published, count));
done:
    return status;
}

static akin_status run(akin_call *call) {
    akin_status status = AKIN_OK;
    const char *const *arguments = NULL;
    akin_publish_params params = {0};
    akin_publish_result result = {0};
    akin_options_arguments(call->options, &arguments);
    params.table = arguments[0];
    params.url_count = akin_options_list(call->options, "to", &params.urls);
    akin_published *published = akin_mem_zalloc(params.url_count, sizeof *published);
    AKIN_TRY(akin_agree(call->comm, published ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_publish(call->comm, &params, published, &result));
    AKIN_TRY(akin_agree(call->comm, report_result(call->report, &result, published, params.url_count)));
done:
    akin_mem_free(published);
    return status;
}

static akin_status check(const akin_options *options) {
    const char *const *urls = NULL;
    size_t count = akin_options_list(options, "to", &urls);
    return akin_publish_check(urls, count);
}

const akin_verb akin_verb_publish = {
    .name = "publish",
    .arguments = "table.nc --to URL",
    .summary = "export to a storefront cache or a file, switch over atomically",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .run = run,
    .check = check,
};
