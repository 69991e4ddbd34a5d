/* verb_query: the neighbours of one item, or of a new picture. */
#include "output.h"
#include "recorded.h"
#include "rules.h"
#include "verbs.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/query.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const akin_option options[] = {
    {.name = "id", .type = AKIN_OPTION_TEXT, .argument = "ID", .help = "the item to search for"},
    {.name = "image",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "or a picture to search for, with --model"},
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
     .help = "explain the place of this item or product in the list of --id: cosine, parts, rules, "
             "ranks"},
    {.name = "table",
     .type = AKIN_OPTION_TEXT,
     .argument = "TABLE.nc",
     .help = "use k and the rules of this table, except for those given here"},
    {.name = "against",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "take neighbours from these embeddings (or .npy), as neighbors --against does"},
    {.name = "against-ids",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "with --against and a .npy file: ids of its rows"},
    {.name = "by",
     .type = AKIN_OPTION_CHOICE,
     .choices = "item|group",
     .help =
         "group: --id names a product (a picture of --image is one by itself), the answer is of "
         "products, as with neighbors --by group"},
    {.name = "pictures",
     .type = AKIN_OPTION_CHOICE,
     .choices = "best|mean",
     .help = "with --by group, the score of two products: the best of all cosines of their "
             "pictures (the default), or the mean"},
    AKIN_RULE_OPTIONS,
    AKIN_ITEM_RULE_OPTIONS,
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
    if (params->why && !params->against && strcmp(params->why, params->id) == 0)
        return akin_error_option("why", "--why %s: %s is never in its own list", params->why,
                                 params->by_group ? "a product" : "an item");
    if (params->mean && !params->by_group)
        return akin_error_option("pictures", "--pictures needs --by group");
    if (params->against_ids && !params->against)
        return akin_error_option("against-ids", "--against-ids needs --against");
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

static bool is_in_list(const akin_query_params *params, const akin_query_why *why) {
    return params->table ? why->place.rank > 0 : why->rank > 0 && why->rank <= params->k;
}

static void report_place(akin_json *report, const akin_query_why *why) {
    set_rank(report, "rank_by_rules", why->rank);
    akin_json_set_bool(report, "filled", why->place.filled);
    if (why->place.duplicate_of)
        akin_json_set_text(report, "duplicate_of", why->place.duplicate_of);
    else
        akin_json_set_null(report, "duplicate_of");
}

static void report_why(akin_json *report, const akin_query_params *params,
                       const akin_query_why *why) {
    akin_json *parts = akin_json_array(), *rules = akin_json_array();
    akin_json_set_text(report, "id", params->id);
    akin_json_set_text(report, "why", params->why);
    akin_json_set_integer(report, "k", (long long)params->k);
    akin_json_set_number(report, "cosine", why->cosine);
    if (why->picture[0]) akin_json_set_text(report, "picture", why->picture[0]);
    if (why->picture[1]) akin_json_set_text(report, "neighbor_picture", why->picture[1]);
    for (size_t p = 0; p < why->part_count; p++) {
        akin_json *part = akin_json_object();
        akin_json_set_text(part, "part", why->parts[p].name);
        akin_json_set_integer(part, "columns", (long long)why->parts[p].columns);
        akin_json_set_number(part, "share", why->parts[p].share);
        akin_json_append_node(parts, &part);
    }
    for (size_t r = 0; r < why->rule_count; r++) {
        akin_json *rule = akin_json_object();
        akin_json_set_text(rule, "rule", why->rules[r].rule);
        akin_json_set_bool(rule, "asked", why->rules[r].asked);
        akin_json_set_bool(rule, "passes", why->rules[r].passes);
        akin_json_append_node(rules, &rule);
    }
    akin_json_set_node(report, "parts", &parts);
    akin_json_set_node(report, "rules", &rules);
    akin_json_set_number(report, "boost", why->boost);
    akin_json_set_bool(report, "pinned", why->pinned);
    set_rank(report, "rank", params->table ? why->place.rank : why->rank);
    if (params->table) report_place(report, why);
    set_rank(report, "rank_without_boost", why->rank_without_boost);
    set_rank(report, "rank_without_rules", why->rank_without_rules);
    akin_json_set_bool(report, "in_list", is_in_list(params, why));
}

static bool is_excluded(const akin_query_why *why) {
    bool excluded = false;
    for (size_t r = 0; r < why->rule_count; r++)
        excluded = excluded || (why->rules[r].asked && !why->rules[r].passes);
    return excluded;
}

static void print_rank(const char *name, size_t rank, size_t depth, bool excluded,
                       const char *what) {
    printf("%-20s ", name);
    if (rank > 0)
        printf("%zu  %s\n", rank, what);
    else if (excluded)
        printf("none  excluded by a rule\n");
    else
        printf("none  not among the first %zu\n", depth);
}

/* In the list of a table, and in that of the rules alone. */
static void print_place(const akin_query_why *why) {
    const akin_query_place *place = &why->place;
    if (place->rank == 0 && why->rank > 0)
        printf("%-20s none  %s\n", "rank",
               is_excluded(why) ? "excluded by a rule" : "beyond the end of the list");
    else
        print_rank("rank", place->rank, why->depth, is_excluded(why),
                   place->pinned   ? "pinned"
                   : place->filled ? "filled in"
                                   : "in the list");
    if (place->duplicate_of)
        printf("%-20s %s  which is recommended in its place\n", "duplicate_of",
               place->duplicate_of);
    print_rank("rank_by_rules", why->rank, why->depth, is_excluded(why),
               "before the list of the table is chosen");
}

static akin_status print_why(const akin_query_params *params, const akin_query_why *why) {
    printf("%-20s %.9g\n", "cosine", why->cosine);
    if (why->picture[0] && why->picture[1])
        printf("%-20s %s, %s\n", "pictures", why->picture[0], why->picture[1]);
    for (size_t p = 0; p < why->part_count; p++)
        printf("  %-18s %+.4f\n", why->parts[p].name, why->parts[p].share);
    if (why->part_count == 0)
        printf("  %-18s unknown: --model names the model that made the vectors\n", "parts");
    if (why->boosted) printf("%-20s %+.6f\n", "boost", why->boost);
    for (size_t r = 0; r < why->rule_count; r++)
        printf("%-20s %s%s\n", why->rules[r].rule,
               why->rules[r].passes ? "passes" : "does not pass",
               why->rules[r].asked ? "" : " (not asked for)");
    if (params->table)
        print_place(why);
    else
        print_rank("rank", why->rank, why->depth, is_excluded(why),
                   why->pinned               ? "pinned"
                   : is_in_list(params, why) ? "in the list"
                                             : "beyond the end of the list");
    if (why->boosted)
        print_rank("rank_without_boost", why->rank_without_boost, why->depth, is_excluded(why),
                   "with the other rules");
    print_rank("rank_without_rules", why->rank_without_rules, why->depth, false, "by cosine alone");
    if (fflush(stdout) != 0 || ferror(stdout))
        return akin_error_set(AKIN_FAILED, "cannot write to stdout");
    return AKIN_OK;
}

/* Collective; agreed. */
static akin_status explain(const akin_call *call, const akin_query_params *params) {
    akin_status status;
    akin_query_why why;
    AKIN_TRY(akin_query_explain(call->comm, params, &why));
    report_why(call->report, params, &why);
    bool prints = call->print && akin_comm_rank(call->comm) == 0;
    status = akin_agree(call->comm, prints ? print_why(params, &why) : AKIN_OK);
done:
    akin_query_why_release(&why);
    return status;
}

/* --- the rules of a table --- */

typedef struct {
    bool explains; /* --why */
    bool reads;    /* the table's list is what is asked for */
    bool chosen;   /* so its lists are not the first k of the rules alone */
    char *diversity, *collapse, *pool;
} table_options;

typedef struct {
    const char *name, *none;
    size_t kept; /* offset of the field that has the value, 0 = none */
    bool told;   /* also where a place in the list is explained */
} other_option;

/* Options that a query does not apply, unless it reads the list. */
static const other_option others[] = {
    {"diversity", "", offsetof(table_options, diversity), false},
    {"collapse-duplicates", "", offsetof(table_options, collapse), false},
    {"pool", "", offsetof(table_options, pool), false},
    {"fill", "none", 0, false},
    {"score", "cosine", 0, true},
    {"aspect", "", 0, true}};

/* Notes one; the answer then has another order or other scores, unless the table's list is read. */
static akin_status see_other(void *context, const char *table, const char *name,
                             const char *value) {
    table_options *seen = context;
    for (const other_option *o = others; o < others + sizeof others / sizeof *others; o++) {
        if (strcmp(name, o->name) != 0 || strcmp(value, o->none) == 0) continue;
        char **field = o->kept ? (void *)((char *)seen + o->kept) : NULL;
        bool told = seen->explains && o->told;
        if (told || !seen->reads)
            akin_log_warning("query: %s was made with --%s %s, which a query does not apply: its "
                             "lists differ from this answer",
                             table, name, value);
        seen->chosen = seen->chosen || !told;
        if (field && !(*field = akin_mem_text(value))) return AKIN_FAILED;
    }
    return AKIN_OK;
}

/* Whether the list that is asked for is the table's: no other rule is given, and no other k. */
static bool asks_as_made(const akin_options *o) {
    for (const akin_option *option = options; option->name; option++)
        if (option->shapes_result && akin_options_given(o, option->name)) return false;
    return true;
}

/* Whether the list is of the same rows and scores: where --by or --against is given, it is the
 * table's. */
static bool is_of_its_rows(const akin_options *o, const akin_ncfile *table) {
    bool by_group = akin_options_is(o, "by", "group");
    return !akin_options_given(o, "pictures") &&
           (!akin_options_given(o, "by") || by_group == akin_ncfile_has(table, "picture")) &&
           (!akin_options_given(o, "against") || akin_ncfile_has(table, "target_id"));
}

/* The table must be of these embeddings. Not collective. */
static akin_status read_table(akin_options *o, const char *table, const char *input,
                              table_options *out) {
    akin_status status;
    akin_ncfile *file = NULL;
    AKIN_TRY(akin_ncfile_peek(table, "table", &file));
    if (!akin_output_made_from(table, "table", "input_embeddings_digest", input))
        AKIN_TRY(akin_error_set(AKIN_INPUT, "--table %s was not made from %s", table, input));
    out->explains = akin_options_text(o, "why") != NULL;
    out->reads = akin_options_text(o, "id") && asks_as_made(o) && is_of_its_rows(o, file);
    AKIN_TRY(akin_recorded_take(file, o, see_other, out));
    const char *against = akin_options_text(o, "against");
    if (akin_ncfile_has(file, "target_id") &&
        !(against && akin_output_made_from(table, "table", "input_against_digest", against)))
        status = akin_error_set(AKIN_INPUT,
                                "--table %s was not made against %s: --against names the file",
                                table, against ? against : "what is given");
done:
    akin_ncfile_close(file);
    return status;
}

/* Files of rules may have changed since. Not collective. */
static void compare_files(const char *table, const akin_neighbors_rules *rules) {
    char files[AKIN_HASH_TEXT_SIZE];
    if (akin_neighbors_files_digest(rules, files) != AKIN_OK)
        akin_error_clear(); /* the query itself will tell */
    else if (!akin_output_has(table, "table", "akin_rules_digest", *files ? files : NULL))
        akin_log_warning("query: %s was made with other contents of the files of its rules: its "
                         "lists may differ from this answer",
                         table);
}

/* Lists between products of one catalogue hold none of the product's own. */
static akin_neighbors_rules rules_of(const akin_options *o) {
    akin_neighbors_rules rules = akin_item_rules_of(o);
    if (akin_options_is(o, "by", "group") && !akin_options_text(o, "against"))
        rules.exclude_same_group = true;
    return rules;
}

static akin_status run(akin_call *call) {
    akin_status status;
    const akin_options *o = call->options;
    const char *const *arguments;
    akin_answer *answer = NULL;
    table_options made = {0};
    akin_options_arguments(o, &arguments);
    const char *table = akin_options_text(o, "table");
    if (table)
        AKIN_TRY(akin_agree(call->comm, read_table(call->options, table, arguments[0], &made)));
    const akin_query_table list = {table, made.diversity, made.collapse,
                                   made.pool ? strtoul(made.pool, NULL, 10) : 0};
    const akin_query_params params = {.input = arguments[0],
                                      .ids = akin_options_text(o, "ids"),
                                      .id = akin_options_text(o, "id"),
                                      .image = akin_options_text(o, "image"),
                                      .model = akin_options_text(o, "model"),
                                      .network = akin_options_text(o, "network"),
                                      .against = akin_options_text(o, "against"),
                                      .against_ids = akin_options_text(o, "against-ids"),
                                      .by_group = akin_options_is(o, "by", "group"),
                                      .mean = akin_options_is(o, "pictures", "mean"),
                                      .k = (size_t)akin_options_int(o, "k"),
                                      .rules = rules_of(o),
                                      .why = akin_options_text(o, "why"),
                                      .table = made.reads && made.chosen ? &list : NULL};
    AKIN_TRY(check(&params));
    if (table && (params.why || !params.table)) compare_files(table, &params.rules);
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
    akin_mem_free(made.diversity);
    akin_mem_free(made.collapse);
    akin_mem_free(made.pool);
    return status;
}

const akin_verb akin_verb_query = {
    .name = "query",
    .multiplies = true,
    .arguments = "embeddings.nc --id ID | --image FILE --model model.nc",
    .summary = "list the neighbours of one item, or of a new picture",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .run = run,
};
