/* verb_neighbors: all-pairs cosine top-k. */
#include "checkpoints.h"
#include "output.h"
#include "rules.h"
#include "verbs.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/neighbors.h>
#include <stdio.h>
#include <string.h>

static const akin_option options[] = {
    {.name = "output",
     .letter = 'o',
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "the table to write, table.nc"},
    {.name = "against",
     .type = AKIN_OPTION_TEXT,
     .shapes_result = true,
     .argument = "FILE",
     .help =
         "take neighbours from these embeddings (or .npy) instead of from the items themselves"},
    {.name = "aspect",
     .type = AKIN_OPTION_TEXT,
     .shapes_result = true,
     .argument = "PART,...",
     .help = "compare only some parts of the vectors, such as foreground (its colours) or shape; "
             "`akin inspect model.nc` lists them"},
    {.name = "model",
     .type = AKIN_OPTION_TEXT,
     .unrecorded = true,
     .argument = "FILE",
     .help = "with --aspect: the model that made the vectors (default: model.nc in their folder)"},
    {.name = "catalog",
     .type = AKIN_OPTION_TEXT,
     .unrecorded = true,
     .argument = "FILE",
     .help = "with --aspect: the catalogue that the vectors were made from (default: catalog.nc in "
             "their folder)"},
    {.name = "against-catalog",
     .type = AKIN_OPTION_TEXT,
     .unrecorded = true,
     .argument = "FILE",
     .help = "with --aspect and --against: the catalogue of the vectors of --against (default: "
             "catalog.nc in their folder)"},
    {.name = "by",
     .type = AKIN_OPTION_CHOICE,
     .choices = "item|group",
     .shapes_result = true,
     .help = "rows of the table: items, or products, each of which is a group of items"},
    {.name = "pictures",
     .type = AKIN_OPTION_CHOICE,
     .choices = "best|mean",
     .shapes_result = true,
     .help = "with --by group, how the score of two products is computed from the cosines between "
             "pictures of one and pictures of the other: the best (the default), or the mean"},
    {.name = "against-ids",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help =
         "with --against and a .npy file: ids of its rows, one per line (default: row numbers)"},
    AKIN_RULE_OPTIONS,
    AKIN_ITEM_RULE_OPTIONS,
    {.name = "diversity",
     .type = AKIN_OPTION_REAL,
     .minimum = 0,
     .maximum = 1,
     .shapes_result = true,
     .argument = "LAMBDA",
     .help = "choose the k from a longer list by maximal marginal relevance: 1 = the plain list, "
             "lower = more variety"},
    {.name = "collapse-duplicates",
     .type = AKIN_OPTION_REAL,
     .minimum = -1,
     .maximum = 1,
     .shapes_result = true,
     .argument = "S",
     .help = "treat items with a cosine of S or more as one: only the first is recommended "
             "(duplicate_of in the table)"},
    {.name = "fill",
     .type = AKIN_OPTION_CHOICE,
     .choices = "category|none",
     .shapes_result = true,
     .help = "fill short lists with the most central items of the item's category"},
    {.name = "score",
     .type = AKIN_OPTION_CHOICE,
     .choices = "cosine|calibrated",
     .shapes_result = true,
     .help = "scores in the table: cosines, or the share of random pairs that are less alike"},
    {.name = "pool",
     .type = AKIN_OPTION_INT,
     .minimum = 1,
     .maximum = AKIN_TOPK_MAX,
     .shapes_result = true,
     .argument = "N",
     .help = "length of the exact list from which --diversity and --collapse-duplicates choose "
             "(default: 3 k)"},
    {.name = "previous",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "the previous table: only what has changed since is computed"},
    {.name = "previous-embeddings",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "with --previous: the embeddings that it was made from"},
    {.name = "previous-ids",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "with --previous and --ids: ids of the rows of --previous-embeddings, if that is a "
             ".npy file"},
    {.name = "previous-against",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "with --previous and --against: what the previous table was made against, if it was "
             "another file"},
    {.name = "previous-against-ids",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "with --previous-against and a .npy file: ids of its rows"},
    {.name = "spare",
     .type = AKIN_OPTION_INT,
     .initial = "4",
     .minimum = 0,
     .maximum = 1024,
     .unrecorded = true,
     .argument = "N",
     .help = "additional neighbours to keep in <output>.spare for the next --previous"},
    AKIN_CHECKPOINT_OPTIONS("how often it is saved"),
    {0},
};

static akin_refine_params refine_of(const akin_options *o) {
    akin_refine_params refine = {.diverse = akin_options_given(o, "diversity"),
                                 .collapse = akin_options_given(o, "collapse-duplicates"),
                                 .fill = akin_options_is(o, "fill", "category"),
                                 .calibrated = akin_options_is(o, "score", "calibrated")};
    if (refine.diverse) refine.lambda = akin_options_real(o, "diversity");
    if (refine.collapse) refine.duplicates = akin_options_real(o, "collapse-duplicates");
    if (akin_options_given(o, "pool")) refine.pool = (size_t)akin_options_int(o, "pool");
    return refine;
}

/* Lists between products of one catalogue hold none of the product's own. */
static akin_neighbors_rules rules_of(const akin_options *o) {
    akin_neighbors_rules rules = akin_item_rules_of(o);
    if (akin_options_is(o, "by", "group") && !akin_options_given(o, "against"))
        rules.exclude_same_group = true;
    return rules;
}

static akin_neighbors_params read_params(const akin_call *call) {
    const akin_options *o = call->options;
    const char *const *arguments;
    akin_options_arguments(o, &arguments);
    return (akin_neighbors_params){
        .input = arguments[0],
        .ids = akin_options_text(o, "ids"),
        .output = akin_options_text(o, "output"),
        .against = akin_options_text(o, "against"),
        .against_ids = akin_options_text(o, "against-ids"),
        .aspect = akin_options_text(o, "aspect"),
        .model = akin_options_text(o, "model"),
        .catalog = akin_options_text(o, "catalog"),
        .against_catalog = akin_options_text(o, "against-catalog"),
        .k = (size_t)akin_options_int(o, "k"),
        .rules = rules_of(o),
        .by_group = akin_options_is(o, "by", "group"),
        .mean = akin_options_is(o, "pictures", "mean"),
        .refine = refine_of(o),
        .options = call->options_text,
        .result_options = call->result_options,
        .previous = akin_options_text(o, "previous"),
        .previous_embeddings = akin_options_text(o, "previous-embeddings"),
        .previous_ids = akin_options_text(o, "previous-ids"),
        .previous_against = akin_options_text(o, "previous-against"),
        .previous_against_ids = akin_options_text(o, "previous-against-ids"),
        .spare = (size_t)akin_options_int(o, "spare"),
        .checkpoint = akin_options_text(o, "checkpoint"),
        .checkpoint_every = akin_options_real(o, "checkpoint-every")};
}

static void fill_report(akin_json *report, const akin_neighbors_params *params,
                        const akin_neighbors_figures *figures) {
    const akin_refine_params *refine = &params->refine;
    double rows = (double)(params->mean ? figures->products : figures->items),
           pairs = rows * (params->against ? (double)figures->targets : rows - 1),
           seconds = figures->engine.seconds;
    akin_json_set_integer(report, "items", (long long)figures->items);
    if (params->by_group) akin_json_set_integer(report, "products", (long long)figures->products);
    akin_json_set_integer(report, "k", (long long)params->k);
    akin_json_set_integer(report, "dim", (long long)figures->dim);
    akin_json_set_number(report, "pairs", pairs);
    akin_json_set_number(report, "seconds_compute", seconds);
    akin_json_set_number(report, "pairs_per_second", seconds > 0 ? pairs / seconds : 0);
    akin_json_set_number(report, "pairs_computed", figures->engine.computed);
    akin_json_set_number(report, "pairs_skipped", figures->engine.pairs - figures->engine.computed);
    akin_json_set_number(report, "pairs_scored", figures->engine.scored);
    akin_json_set_integer(report, "lists_mended", (long long)figures->engine.mended);
    akin_json_set_text(report, "kernel", figures->engine.kernel);
    akin_json_set_integer(report, "leading_dimensions", (long long)figures->engine.leading);
    akin_json_set_number(report, "seconds_waiting", figures->engine.seconds_waiting);
    akin_json_set_integer(report, "kept", (long long)figures->kept);
    akin_json_set_integer(report, "tables_in_pass", (long long)figures->sharing);
    if (refine->collapse) {
        akin_json_set_integer(report, "duplicates", (long long)figures->duplicates);
        akin_json_set_integer(report, "sought_anew", (long long)figures->sought);
    }
    if (refine->fill) akin_json_set_integer(report, "filled", (long long)figures->fills);
    akin_json_set_integer(report, "peak_memory_bytes", (long long)figures->peak_memory);
    akin_json_set_integer(report, "unusable", (long long)figures->unusable);
}

/* Items of a table whose list is empty. */
static akin_status count_empty(const char *path, size_t *empty) {
    enum { ROWS = 4096 };
    akin_status status = AKIN_OK;
    akin_ncfile *file = NULL;
    int32_t counts[ROWS];
    size_t n = 0;
    *empty = 0;
    AKIN_TRY(akin_ncfile_peek(path, "table", &file));
    AKIN_TRY(akin_ncfile_length(file, "item", &n));
    for (size_t first = 0; first < n; first += ROWS) {
        size_t count = n - first < ROWS ? n - first : ROWS;
        AKIN_TRY(akin_ncfile_get(file, "count", first, count, counts));
        for (size_t i = 0; i < count; i++) *empty += counts[i] == 0;
    }
done:
    akin_ncfile_close(file);
    return status;
}

static akin_status check_files(const akin_call *call, const akin_neighbors_params *params) {
    if (params->output == NULL) return akin_error_set(AKIN_USAGE, "no output given: -o table.nc");
    if (strcmp(params->output, params->input) == 0)
        return akin_error_option("output", "--output %s is also the input", params->output);
    return akin_checkpoints_check(call->options, params->output);
}

/* All lists are empty: probably not what was wanted. */
static void tell_empty(const akin_call *call, const akin_neighbors_params *params, size_t rows) {
    char least[64] = "";
    if (akin_options_given(call->options, "min-score"))
        snprintf(least, sizeof least, "; --min-score %g may be too high", params->rules.min_score);
    akin_log_warning("neighbors: %s: none of %zu %ss has a neighbour%s", params->output, rows,
                     params->by_group ? "product" : "item", least);
}

/* Collective; agreed. */
static akin_status report(akin_call *call, const akin_neighbors_params *params,
                          const akin_neighbors_figures *figures) {
    size_t empty = 0;
    fill_report(call->report, params, figures);
    akin_status status =
        akin_agree(call->comm,
                   akin_comm_rank(call->comm) == 0 ? count_empty(params->output, &empty) : AKIN_OK);
    size_t rows = params->by_group ? figures->products : figures->items;
    if (status == AKIN_OK && rows > 1 && empty == rows) tell_empty(call, params, rows);
    akin_json_set_integer(call->report, "without_neighbors", (long long)empty);
    return status;
}

static akin_status run_together(akin_call *const *calls, size_t count) {
    akin_comm *comm = calls[0]->comm;
    akin_neighbors_params *params = akin_mem_alloc(count, sizeof *params);
    akin_neighbors_figures *figures = akin_mem_alloc(count, sizeof *figures);
    akin_status status = akin_agree(comm, params && figures ? AKIN_OK : AKIN_FAILED);
    for (size_t i = 0; i < count && status == AKIN_OK; i++) {
        params[i] = read_params(calls[i]);
        status = check_files(calls[i], &params[i]);
    }
    if (status == AKIN_OK) status = akin_neighbors(comm, params, count, figures);
    for (size_t i = 0; i < count && status == AKIN_OK; i++) {
        if (count > 1) akin_log_hold();
        akin_neighbors_tell(&params[i], &figures[i]);
        if (count > 1) calls[i]->said = akin_mem_text(akin_log_release());
        status = report(calls[i], &params[i], &figures[i]);
    }
    akin_mem_free(params);
    akin_mem_free(figures);
    return status;
}

static akin_status run(akin_call *call) {
    return run_together(&call, 1);
}

static akin_status check_products(const akin_options *o) {
    if (akin_options_given(o, "pictures") && !akin_options_is(o, "by", "group"))
        return akin_error_option("pictures", "--pictures needs --by group");
    return AKIN_OK;
}

static akin_status check_aspect(const akin_options *o) {
    static const char *const files[] = {"model", "catalog", "against-catalog"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (akin_options_given(o, files[i]) && !akin_options_given(o, "aspect"))
            return akin_error_option(files[i], "--%s is for --aspect, which is missing", files[i]);
    return AKIN_OK;
}

static akin_status check(akin_options *o) {
    if (check_products(o) != AKIN_OK || check_aspect(o) != AKIN_OK) return AKIN_USAGE;
    static const char *const of_against[] = {"against-ids", "previous-against", "against-catalog"};
    for (size_t i = 0; i < sizeof of_against / sizeof *of_against; i++)
        if (akin_options_given(o, of_against[i]) && !akin_options_given(o, "against"))
            return akin_error_option(of_against[i], "--%s needs --against", of_against[i]);
    if (akin_options_given(o, "previous-against-ids") && !akin_options_given(o, "previous-against"))
        return akin_error_option("previous-against-ids",
                                 "--previous-against-ids needs --previous-against");
    if ((akin_options_text(o, "previous") == NULL) !=
        (akin_options_text(o, "previous-embeddings") == NULL))
        return akin_error_option(akin_options_given(o, "previous") ? "previous"
                                                                   : "previous-embeddings",
                                 "--previous and --previous-embeddings must be given "
                                 "together: last night's table and what it was made from");
    const akin_refine_params refine = refine_of(o);
    if (refine.pool > 0 && !refine.diverse && !refine.collapse)
        return akin_error_option("pool", "--pool needs --diversity or --collapse-duplicates");
    if (refine.pool > 0 && refine.pool < (size_t)akin_options_int(o, "k"))
        return akin_error_option("pool", "--pool %zu is less than k = %lld", refine.pool,
                                 akin_options_int(o, "k"));
    if (refine.collapse && refine.duplicates < akin_options_real(o, "min-score"))
        return akin_error_option(
            "collapse-duplicates",
            "--collapse-duplicates %g is below --min-score %g: duplicates below "
            "--min-score would not be found",
            refine.duplicates, akin_options_real(o, "min-score"));
    return AKIN_OK;
}

/* Made from these embeddings with these options; a .npy carries no digest, so its table is
 * computed again. */
static bool up_to_date(akin_call *call) {
    akin_neighbors_params params = read_params(call);
    char files[AKIN_HASH_TEXT_SIZE];
    if (akin_neighbors_files_digest(&params.rules, files) != AKIN_OK) {
        akin_error_clear(); /* the run itself will tell */
        return false;
    }
    return params.output != NULL &&
           akin_output_made_from(params.output, "table", "input_embeddings_digest", params.input) &&
           (params.against == NULL ||
            akin_output_made_from(params.output, "table", "input_against_digest",
                                  params.against)) &&
           akin_output_has(params.output, "table", "akin_result_options", params.result_options) &&
           akin_output_has(params.output, "table", "akin_rules_digest", *files ? files : NULL);
}

const akin_verb akin_verb_neighbors = {
    .name = "neighbors",
    .multiplies = true,
    .arguments = "embeddings.nc|vectors.npy -o table.nc",
    .summary = "find every item's k nearest neighbours: the recommendation table",
    .argument_key = "embeddings",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .run = run,
    .run_together = run_together,
    .up_to_date = up_to_date,
    .check = check,
};
