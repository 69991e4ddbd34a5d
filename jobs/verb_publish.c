/* publish: exports a table to where a storefront reads it. */
#include "call.h"
#include "places.h"
#include <akin/mem.h>
#include <akin/publish.h>
#include <akin/text.h>
#include <math.h>
#include <stdio.h>

static const akin_option options[] = {
    {.name = "to",
     .type = AKIN_OPTION_LIST,
     .argument = "URL",
     .is_address = true,
     .help = "the target, such as file:PATH.jsonl or redis://HOST/0?catalog=NAME; may be repeated"},
    {.name = "previous",
     .type = AKIN_OPTION_TEXT,
     .argument = "TABLE.nc",
     .unrecorded = true,
     .help = "the table of the previous night: a cache that holds it receives only the changes"},
    {.name = "min-coverage",
     .type = AKIN_OPTION_REAL,
     .initial = "0.95",
     .minimum = 0,
     .maximum = 1,
     .argument = "SHARE",
     .help = "gate: do not publish if a smaller share of the items has neighbours"},
    {.name = "max-churn",
     .type = AKIN_OPTION_REAL,
     .initial = "0.6",
     .minimum = 0,
     .maximum = 1,
     .argument = "SHARE",
     .help = "gate: do not publish if more of the published neighbours would change"},
    {.name = "max-shrink",
     .type = AKIN_OPTION_REAL,
     .initial = "0.1",
     .minimum = 0,
     .maximum = 1,
     .argument = "SHARE",
     .help = "gate: do not publish if more of the published items would be lost"},
    {.name = "golden",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE.csv",
     .help = "id,neighbor rows that people approved, for --min-golden"},
    {.name = "min-golden",
     .type = AKIN_OPTION_REAL,
     .initial = "0.9",
     .minimum = 0,
     .maximum = 1,
     .argument = "SHARE",
     .help = "gate: do not publish if a smaller share of the pairs of --golden is in the lists"},
    {.name = "respect-rollback",
     .type = AKIN_OPTION_FLAG,
     .unrecorded = true,
     .help = "leave a target unchanged if this table was rolled back there; `run` does so"},
    {.name = "dry-run",
     .type = AKIN_OPTION_FLAG,
     .help = "report what would change, and publish nothing"},
    AKIN_PLACE_OPTIONS("in a cache: JSON pairs of id and score, or only ids, separated by blanks",
                       "Redis: how long the previous table is kept (30m, 12h, 2d)",
                       "Redis: spread the catalogue over B hashes, for a cluster; 0 = one"),
    {0},
};

/* What the target holds and what would change; null if it holds nothing or already this table. */
static void report_change(akin_json *place, const akin_publish_place *it) {
    if (!it->compared) {
        akin_json_set_null(place, "change");
        return;
    }
    akin_json *change = akin_json_object();
    akin_json_set_integer(change, "before", (long long)it->change.before);
    akin_json_set_integer(change, "new", (long long)it->change.fresh);
    akin_json_set_integer(change, "gone", (long long)it->change.gone);
    akin_json_set_integer(change, "changed", (long long)it->change.changed);
    akin_json_set_number(change, "churn", it->change.churn);
    akin_json_set_number(change, "shrink", it->change.shrink);
    akin_json_set_node(place, "change", &change);
}

static akin_status report_place(akin_json *places, const char *url, const akin_publish_place *it) {
    akin_status status = AKIN_OK;
    akin_json *place = akin_json_object();
    AKIN_TRY(akin_places_set_url(place, url));
    akin_json_set_integer(place, "bytes", (long long)it->published.bytes);
    akin_json_set_text(place, "digest", it->published.digest);
    akin_json_set_bool(place, "already", it->published.already);
    akin_json_set_bool(place, "rolled_back", it->left);
    akin_json_set_integer(place, "lists_sent", (long long)it->published.sent);
    report_change(place, it);
    akin_json_append_node(places, &place);
done:
    akin_json_free(place);
    return status;
}

static akin_status report_gate(akin_json *list, const akin_publish_params *params,
                               const akin_publish_gate *it, const char *url) {
    akin_status status = AKIN_OK;
    akin_text *said = NULL;
    akin_json *gate = akin_json_object();
    AKIN_TRY(akin_text_create(&said));
    if (url) AKIN_TRY(akin_places_set_url(gate, url));
    akin_json_set_text(gate, "gate", it->option);
    akin_json_set_number(gate, "measured", it->measured);
    akin_json_set_number(gate, "limit", it->limit);
    akin_json_set_bool(gate, "refused", it->refuses);
    if (it->refuses) {
        AKIN_TRY(akin_publish_append_refusal(params, it, url, said));
        akin_json_set_text(gate, "message", akin_text_bytes(said));
    }
    akin_json_append_node(list, &gate);
done:
    akin_json_free(gate);
    akin_text_free(said);
    return status;
}

static akin_status report_gates(akin_json *list, const akin_publish_params *params,
                                const akin_publish_result *result, const akin_publish_place *place,
                                const char *url) {
    akin_status status = AKIN_OK;
    akin_publish_gate gates[AKIN_PUBLISH_GATES];
    size_t count = akin_publish_gates(params, result, place, gates);
    for (size_t i = 0; i < count && status == AKIN_OK; i++)
        status = report_gate(list, params, &gates[i], url);
    return status;
}

static akin_status report(const akin_call *call, const akin_publish_params *params,
                          const akin_publish_result *result, const akin_publish_place *places) {
    akin_status status = AKIN_OK;
    size_t left = 0; /* targets where this table was rolled back */
    akin_json_set_integer(call->report, "items", (long long)result->items);
    akin_json_set_text(call->report, "table_digest", result->table_digest);
    akin_json_set_number(call->report, "coverage", result->coverage);
    if (params->golden) {
        akin_json_set_number(call->report, "golden", result->golden);
        akin_json_set_integer(call->report, "golden_pairs", (long long)result->golden_pairs);
        akin_json_set_integer(call->report, "golden_unknown", (long long)result->golden_unknown);
    }
    akin_json_set_bool(call->report, "dry_run", params->dry_run);
    for (size_t i = 0; i < params->url_count; i++) left += places[i].left;
    akin_json_set_integer(call->report, "places_left", (long long)left);
    akin_json *list = akin_json_array(), *gates = akin_json_array();
    AKIN_TRY(report_gates(gates, params, result, NULL, NULL));
    for (size_t i = 0; i < params->url_count; i++) {
        AKIN_TRY(report_place(list, params->urls[i], &places[i]));
        AKIN_TRY(report_gates(gates, params, result, &places[i], params->urls[i]));
    }
    akin_json_set_node(call->report, "published", &list);
    akin_json_set_node(call->report, "gates", &gates);
done:
    akin_json_free(gates);
    akin_json_free(list);
    return status;
}

/* The answer of a dry run. Rank 0. */
static akin_status print(const akin_publish_params *params, const akin_publish_result *result,
                         const akin_publish_place *places) {
    akin_text *shown = NULL;
    akin_status status = akin_text_create(&shown);
    if (status != AKIN_OK) return status;
    printf("%-10s %zu", "items", result->items);
    if (!isnan(result->coverage))
        printf(", %.2f %% of them with a neighbour", 100 * result->coverage);
    printf("\n");
    for (size_t i = 0; i < params->url_count && status == AKIN_OK; i++) {
        const akin_publish_diff_figures *change = &places[i].change;
        akin_text_clear(shown);
        status = akin_text_append_hidden(shown, params->urls[i]);
        printf("%s: ", akin_text_bytes(shown));
        if (places[i].published.already)
            printf("already holds this table\n");
        else if (places[i].left)
            printf("holds the previous table; this one was rolled back there, so it is left "
                   "unchanged\n");
        else if (!places[i].compared)
            printf("holds nothing yet\n");
        else {
            printf("holds %zu items; %zu new, %zu lost (%.2f %%), %zu lists change", change->before,
                   change->fresh, change->gone, 100 * change->shrink, change->changed);
            if (!isnan(change->churn)) printf(", churn %.4f", change->churn);
            printf("\n");
        }
    }
    akin_text_free(shown);
    return status;
}

static akin_status run(akin_call *call) {
    akin_status status = AKIN_OK;
    akin_publish_params params = {.previous = akin_options_text(call->options, "previous"),
                                  .min_coverage = akin_options_real(call->options, "min-coverage"),
                                  .max_churn = akin_options_real(call->options, "max-churn"),
                                  .max_shrink = akin_options_real(call->options, "max-shrink"),
                                  .golden = akin_options_text(call->options, "golden"),
                                  .min_golden = akin_options_real(call->options, "min-golden"),
                                  .dry_run = akin_options_flag(call->options, "dry-run"),
                                  .respect_rollback =
                                      akin_options_flag(call->options, "respect-rollback")};
    akin_publish_result result = {0};
    params.input_count = akin_options_arguments(call->options, &params.inputs);
    params.url_count = akin_options_list(call->options, "to", &params.urls);
    akin_publish_place *places = akin_mem_zalloc(params.url_count, sizeof *places);
    akin_status local = places ? akin_places_options(call->options, &params.sink) : AKIN_FAILED;
    AKIN_TRY(akin_agree(call->comm, local));
    akin_status outcome = akin_publish(call->comm, &params, places, &result);
    if (outcome != AKIN_OK && outcome != AKIN_GATE) AKIN_TRY(outcome);
    char *message = outcome == AKIN_GATE ? akin_mem_text(akin_error_message()) : NULL;
    local = report(call, &params, &result, places);
    if (local == AKIN_OK && params.dry_run && call->print && akin_comm_rank(call->comm) == 0)
        local = print(&params, &result, places);
    status = akin_agree(call->comm, local);
    if (status == AKIN_OK && outcome == AKIN_GATE)
        status = akin_error_repeat(AKIN_GATE, message ? message : "a gate refused");
    akin_mem_free(message);
done:
    akin_mem_free(places);
    return status;
}

/* An option that no target uses would seem to have an effect. */
static akin_status check_heeded(const akin_options *o, const char *const *urls, size_t count) {
    static const struct {
        const char *option, *takers;
    } asked[] = {{"format", "redis:// and memcached://"},
                 {"buckets", "redis://"},
                 {"keep-previous", "redis://"}};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        bool heeded = !akin_options_changed(o, asked[i].option);
        for (size_t u = 0; u < count; u++)
            heeded = heeded || akin_publish_heeds(urls[u], asked[i].option);
        if (!heeded)
            return akin_error_option(asked[i].option,
                                     "--%s is for %s, and no --to is one: leave it out",
                                     asked[i].option, asked[i].takers);
    }
    return AKIN_OK;
}

static akin_status check(akin_options *o) {
    const char *const *urls = NULL, *const *arguments = NULL;
    akin_sink_options sink;
    size_t count = akin_options_list(o, "to", &urls),
           argument_count = akin_options_arguments(o, &arguments);
    akin_status status = akin_publish_check(urls, count, arguments, argument_count);
    if (status == AKIN_OK) status = check_heeded(o, urls, count);
    if (status == AKIN_OK && akin_options_changed(o, "min-golden") &&
        !akin_options_text(o, "golden"))
        status = akin_error_option("min-golden", "--min-golden belongs to --golden FILE.csv, which "
                                                 "is missing");
    return status == AKIN_OK ? akin_places_options(o, &sink) : status;
}

/* What was published is still there, or another table is, which is left unchanged. */
static bool up_to_date(akin_call *call) {
    size_t left = 0;
    if (!akin_call_is_repeated(call)) return false;
    if (akin_comm_rank(call->comm) != 0) return true;
    bool stands = akin_published_stands(call->last, call->options, &left);
    akin_json_set_integer(call->report, "places_left", (long long)left);
    return stands;
}

const akin_verb akin_verb_publish = {
    .name = "publish",
    .arguments = "table.nc [embeddings.nc] --to URL",
    .summary = "publish a table to a cache or a file, atomically",
    .arguments_min = 1,
    .arguments_max = 2,
    .options = options,
    .run = run,
    .up_to_date = up_to_date,
    .check = check,
};
