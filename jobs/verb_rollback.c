/* rollback: put the previously published table back. Floor 4 (jobs); looks down to everything. */
#include "verbs.h"
#include <akin/publish.h>

static const akin_option options[] = {
    {.name = "to",
     .type = AKIN_OPTION_LIST,
     .argument = "URL",
     .help = "where a table was published: file:PATH.jsonl or file:PATH.csv; may be given several times"},
    {0},
};

static akin_status run(akin_call *call) {
    akin_status status = AKIN_OK;
    akin_json *places = NULL;
    const char *const *urls = NULL;
    size_t count = akin_options_list(call->options, "to", &urls);
    AKIN_TRY(akin_rollback(call->comm, urls, count));
    akin_status local = akin_json_create_array(&places);
    for (size_t i = 0; i < count && local == AKIN_OK; i++) local = akin_json_append_text(places, urls[i]);
    if (local == AKIN_OK) {
        local = akin_json_set_node(call->report, "restored", places);
        places = NULL;
    }
    AKIN_TRY(akin_agree(call->comm, local));
done:
    akin_json_free(places);
    return status;
}

static akin_status check(const akin_options *options) {
    const char *const *urls = NULL;
    size_t count = akin_options_list(options, "to", &urls);
    return akin_publish_check(urls, count);
}

const akin_verb akin_verb_rollback = {
    .name = "rollback",
    .arguments = "--to URL",
    .summary = "put the previously published table back",
    .arguments_min = 0,
    .arguments_max = 0,
    .options = options,
    .run = run,
    .check = check,
};
