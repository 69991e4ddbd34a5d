/* verb_query: the neighbours of one item, or of a new picture. */
#include "rules.h"
#include "verbs.h"
#include <akin/log.h>
#include <akin/query.h>
#include <stdio.h>
#include <string.h>

static const akin_option options[] = {
    {.name = "id", .type = AKIN_OPTION_TEXT, .argument = "ID", .help = "the item to search for"},
    {.name = "image",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "or a picture, which needs a model too"},
    {.name = "model",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "the model that made the embeddings, model.nc"},
    {.name = "network",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "the trained network that the model uses, if it is no longer where ingest found it"},
    {.name = "why",
     .type = AKIN_OPTION_TEXT,
     .argument = "ID",
     .help = "explain the place of this item in the list of --id: cosine, parts, rules, ranks"},
    AKIN_RULE_OPTIONS,
    {0},
};

static akin_status check(const akin_query_params *params) {
    if (params->id && params->image)
        return akin_error_option(
            "id",
            "--id %s and --image %s are both given: search for an item or for a picture, not both",
            params->id, params->image);
    if (!params->id && !params->image)
        return akin_error_set(
            AKIN_USAGE,
            "nothing to search for: give --id ID, or --image FILE with --model model.nc");
    if (params->why && !params->id)
        return akin_error_option("why", "--why %s explains a list of an item: give --id ID",
                                 params->why);
    if (params->why && strcmp(params->why, params->id) == 0)
        return akin_error_option("why", "--why %s: an item is never in its own list", params->why);
    if (params->image && !params->model)
        return akin_error_set(AKIN_USAGE, "no model given: --image %s needs --model model.nc",
                              params->image);
    return AKIN_OK;
}

/* A pair [id, score]. */
static void append_pair(akin_json *list, const char *id, float score) {
    akin_json *pair = akin_json_array();
    akin_json_append_text(pair, id);
    akin_json_append_number(pair, score);
    akin_json_append_node(list, &pair);
}

static void fill_report(akin_json *report, const akin_query_params *params,
                        const akin_answer *answer) {
    akin_json_set_text(report, params->id != NULL ? "id" : "image",
                       params->id ? params->id : params->image);
    akin_json_set_integer(report, "items", (long long)akin_answer_items(answer));
    akin_json_set_integer(report, "k", (long long)params->k);
    akin_json *list = akin_json_array();
    for (size_t i = 0; i < akin_answer_count(answer); i++)
        append_pair(list, akin_answer_id(answer, i), akin_answer_score(answer, i));
    akin_json_set_node(report, "neighbors", &list);
}

/* Nine digits distinguish any two float32 values. */
static akin_status print(const akin_answer *answer) {
    for (size_t i = 0; i < akin_answer_count(answer); i++)
        printf("%s\t%.9g\n", akin_answer_id(answer, i), (double)akin_answer_score(answer, i));
    if (fflush(stdout) != 0 || ferror(stdout))
        return akin_error_set(AKIN_FAILED, "cannot write to stdout");
    return AKIN_OK;
}

static void set_rank(akin_json *report, const char *key, size_t rank) {
    if (rank > 0)
        akin_json_set_integer(report, key, (long long)rank);
    else
        akin_json_set_null(report, key);
}

static void report_why(akin_json *report, const akin_query_params *params,
                       const akin_query_why *why) {
    akin_json *parts = akin_json_array(), *rules = akin_json_array();
    akin_json_set_text(report, "id", params->id);
    akin_json_set_text(report, "why", params->why);
    akin_json_set_integer(report, "k", (long long)params->k);
    akin_json_set_number(report, "cosine", why->cosine);
    for (size_t p = 0; p < why->part_count; p++) {
        akin_json *part = akin_json_object();
        akin_json_set_text(part, "part", why->parts[p].name);
        akin_json_set_integer(part, "columns", (long long)why->parts[p].columns);
        akin_json_set_number(part, "share", why->parts[p].share);
        akin_json_append_node(parts, &part);
    }
    for (size_t r = 0; r < AKIN_QUERY_RULES; r++) {
        akin_json *rule = akin_json_object();
        akin_json_set_text(rule, "rule", why->rules[r].rule);
        akin_json_set_bool(rule, "asked", why->rules[r].asked);
        akin_json_set_bool(rule, "passes", why->rules[r].passes);
        akin_json_append_node(rules, &rule);
    }
    akin_json_set_node(report, "parts", &parts);
    akin_json_set_node(report, "rules", &rules);
    set_rank(report, "rank", why->rank);
    set_rank(report, "rank_without_rules", why->rank_without_rules);
    akin_json_set_bool(report, "in_list", why->rank > 0 && why->rank <= params->k);
}

static void print_rank(const char *name, size_t rank, size_t depth, const char *what) {
    printf("%-20s ", name);
    if (rank > 0)
        printf("%zu  %s\n", rank, what);
    else
        printf("none  not among the first %zu\n", depth);
}

static akin_status print_why(const akin_query_params *params, const akin_query_why *why) {
    printf("%-20s %.9g\n", "cosine", why->cosine);
    for (size_t p = 0; p < why->part_count; p++)
        printf("  %-18s %+.4f\n", why->parts[p].name, why->parts[p].share);
    if (why->part_count == 0)
        printf("  %-18s unknown: --model names the model that made the vectors\n", "parts");
    for (size_t r = 0; r < AKIN_QUERY_RULES; r++)
        printf("%-20s %s%s\n", why->rules[r].rule,
               why->rules[r].passes ? "passes" : "does not pass",
               why->rules[r].asked ? "" : " (not asked for)");
    print_rank("rank", why->rank, why->depth,
               why->rank <= params->k ? "in the list" : "behind the end of the list");
    print_rank("rank_without_rules", why->rank_without_rules, why->depth, "by cosine alone");
    if (fflush(stdout) != 0 || ferror(stdout))
        return akin_error_set(AKIN_FAILED, "cannot write to stdout");
    return AKIN_OK;
}

/* Collective; agreed. */
static akin_status explain(const akin_call *call, const akin_query_params *params) {
    akin_query_why why;
    akin_status status = akin_query_explain(call->comm, params, &why);
    if (status != AKIN_OK) return status;
    report_why(call->report, params, &why);
    bool prints = call->print && akin_comm_rank(call->comm) == 0;
    return akin_agree(call->comm, prints ? print_why(params, &why) : AKIN_OK);
}

static akin_status run(akin_call *call) {
    akin_status status;
    const akin_options *o = call->options;
    const char *const *arguments;
    akin_answer *answer = NULL;
    akin_options_arguments(o, &arguments);
    const akin_query_params params = {.input = arguments[0],
                                      .ids = akin_options_text(o, "ids"),
                                      .id = akin_options_text(o, "id"),
                                      .image = akin_options_text(o, "image"),
                                      .model = akin_options_text(o, "model"),
                                      .network = akin_options_text(o, "network"),
                                      .k = (size_t)akin_options_int(o, "k"),
                                      .rules = akin_rules_of(o),
                                      .why = akin_options_text(o, "why")};
    AKIN_TRY(check(&params));
    if (params.why) {
        status = explain(call, &params);
        goto done;
    }
    AKIN_TRY(akin_query(call->comm, &params, &answer));
    if (answer) fill_report(call->report, &params, answer);
    akin_status local = answer != NULL && call->print ? print(answer) : AKIN_OK;
    if (answer && akin_answer_count(answer) == 0)
        akin_log_warning("query: no neighbours: the item's vector is zero or not finite, or the "
                         "rules exclude all others");
    AKIN_TRY(akin_agree(call->comm, local));
done:
    akin_answer_free(answer);
    return status;
}

const akin_verb akin_verb_query = {
    .name = "query",
    .multiplies = true,
    .arguments = "embeddings.nc --id ID | --image FILE --model model.nc",
    .summary = "the neighbours of one item, or of a new picture",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .run = run,
};
