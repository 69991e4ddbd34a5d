/* rollback: restores the previously published table. */
#include "places.h"
#include "verbs.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/publish.h>

static const akin_option options[] = {
    {.name = "to",
     .type = AKIN_OPTION_LIST,
     .argument = "URL",
     .is_address = true,
     .help = "where a table was published; may be repeated"},
    {.name = "dry-run",
     .type = AKIN_OPTION_FLAG,
     .help = "report what is live and what would be restored, and change nothing"},
    AKIN_PLACE_OPTIONS("of no effect: the previous table comes back as it was published",
                       "Redis: how long the table that is replaced is kept (30m, 12h, 2d)",
                       AKIN_PLACE_BUCKETS_PUBLISHED),
    {0},
};

/* What is reported of each target. */
typedef struct {
    bool dry_run;
    akin_json *restored;
} telling;

static void tell(void *context, const char *url, const akin_standing *standing) {
    const telling *t = context;
    char live[AKIN_PLACES_EDITION], kept[AKIN_PLACES_EDITION];
    akin_places_edition_text(&standing->live, live);
    akin_places_edition_text(&standing->kept, kept);
    if (!t->dry_run) akin_json_append_text(t->restored, url);
    if (t->dry_run)
        akin_log_info("rollback: %s: live is %s; a rollback would restore %s", url, live, kept);
    else
        akin_log_info("rollback: %s: live again is %s; kept is %s", url, live, kept);
}

static akin_status report(akin_call *call, const akin_places *places) {
    telling t = {akin_options_flag(call->options, "dry-run"), akin_json_array()};
    akin_json_set_bool(call->report, "dry_run", t.dry_run);
    akin_status status = akin_places_report(call->report, places, tell, &t);
    akin_json_set_node(call->report, "restored", &t.restored);
    return status;
}

static akin_status run(akin_call *call) {
    akin_status status = AKIN_OK;
    akin_places at = {0};
    bool dry_run = akin_options_flag(call->options, "dry-run");
    AKIN_TRY(akin_places_take(call->comm, call->options, &at));
    AKIN_TRY(akin_rollback(call->comm, at.urls, at.count, &at.sink, dry_run, at.standings));
    AKIN_TRY(akin_agree(call->comm, report(call, &at)));
done:
    akin_mem_free(at.standings);
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
