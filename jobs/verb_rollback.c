/* rollback: restores the previously published table. */
#include "places.h"
#include "verbs.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/text.h>

static const akin_option options[] = {
    {.name = "to",
     .type = AKIN_OPTION_LIST,
     .argument = "URL",
     .is_address = true,
     .help = "where a table was published; may be repeated"},
    AKIN_PLACE_OPTIONS,
    {0},
};

/* The targets, and the number of items of the restored table (of the first target). */
static akin_status report(akin_json *json, const char *const *urls, size_t count,
                          const akin_live *lives) {
    akin_status status = AKIN_OK;
    akin_text *shown = NULL;
    akin_json *places = akin_json_array();
    AKIN_TRY(akin_text_create(&shown));
    for (size_t i = 0; i < count; i++) {
        akin_text_clear(shown);
        AKIN_TRY(akin_text_append_hidden(shown, urls[i]));
        akin_json_append_text(places, akin_text_bytes(shown));
        akin_log_info("rollback: %s holds the previous table again, %zu items",
                      akin_text_bytes(shown), lives[i].items);
    }
    akin_json_set_node(json, "restored", &places);
    akin_json_set_integer(json, "items", (long long)lives[0].items);
done:
    akin_json_free(places);
    akin_text_free(shown);
    return status;
}

static akin_status run(akin_call *call) {
    akin_status status = AKIN_OK;
    const char *const *urls = NULL;
    akin_sink_options sink;
    size_t count = akin_options_list(call->options, "to", &urls);
    akin_live *lives = akin_mem_zalloc(count, sizeof *lives);
    akin_status local = lives ? akin_places_options(call->options, &sink) : AKIN_FAILED;
    AKIN_TRY(akin_agree(call->comm, local));
    AKIN_TRY(akin_rollback(call->comm, urls, count, &sink, lives));
    AKIN_TRY(akin_agree(call->comm, report(call->report, urls, count, lives)));
done:
    akin_mem_free(lives);
    return status;
}

static akin_status check(akin_options *o) {
    const char *const *urls = NULL;
    akin_sink_options sink;
    size_t count = akin_options_list(o, "to", &urls);
    akin_status status = akin_publish_check(urls, count, NULL, 0);
    return status == AKIN_OK ? akin_places_options(o, &sink) : status;
}

const akin_verb akin_verb_rollback = {
    .name = "rollback",
    .arguments = "--to URL",
    .summary = "restore the previously published table",
    .arguments_min = 0,
    .arguments_max = 0,
    .options = options,
    .run = run,
    .check = check,
};
