/* verb_neighbors: all-pairs cosine top-k. Floor 4 (jobs); looks down to neighbors, topk, ncfile and the world. */
#include "verbs.h"
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/neighbors.h>
#include <akin/topk.h>
#include <string.h>

static const akin_option options[] = {
    {.name = "output", .letter = 'o', .type = AKIN_OPTION_TEXT, .argument = "FILE", .help = "the table to write"},
    {.name = "k",
     .letter = 'k',
     .type = AKIN_OPTION_INT,
     .initial = "20",
     .minimum = 1,
     .maximum = AKIN_TOPK_MAX,
     .shapes_result = true,
     .argument = "N",
     .help = "neighbours of each item"},
    {.name = "min-score",
     .type = AKIN_OPTION_REAL,
     .initial = "-1",
     .minimum = -1,
     .maximum = 1,
     .shapes_result = true,
     .argument = "S",
     .help = "only neighbours with a cosine of S or more"},
    {.name = "same-category",
     .type = AKIN_OPTION_FLAG,
     .shapes_result = true,
     .help = "only neighbours of the item's category; none without one"},
    {.name = "exclude-same-group",
     .type = AKIN_OPTION_FLAG,
     .shapes_result = true,
     .help = "no neighbours of the item's own group"},
    {.name = "only-available",
     .type = AKIN_OPTION_FLAG,
     .shapes_result = true,
     .help = "only neighbours that are available"},
    {.name = "ids",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "ids of the rows of a .npy file, one a line (default: the row numbers)"},
    {0},
};

static const char *input_of(const akin_call *call) {
    const char *const *arguments;
    akin_options_arguments(call->options, &arguments);
    return arguments[0];
}

static akin_status report(akin_json *json, size_t k, const akin_neighbors_figures *figures) {
    akin_status status = AKIN_OK;
    double pairs = (double)figures->items * (double)(figures->items - 1), seconds = figures->seconds_compute;
    AKIN_TRY(akin_json_set_integer(json, "items", (long long)figures->items));
    AKIN_TRY(akin_json_set_integer(json, "k", (long long)k));
    AKIN_TRY(akin_json_set_integer(json, "dim", (long long)figures->dim));
    AKIN_TRY(akin_json_set_number(json, "pairs", pairs));
    AKIN_TRY(akin_json_set_number(json, "seconds_compute", seconds));
    AKIN_TRY(akin_json_set_number(json, "pairs_per_second", seconds > 0 ? pairs / seconds : 0));
    AKIN_TRY(akin_json_set_integer(json, "unusable", (long long)figures->unusable));
done:
    return status;
}

static akin_status run(akin_call *call) {
    const akin_options *o = call->options;
    akin_neighbors_figures figures;
    akin_neighbors_params params = {
        .input = input_of(call),
        .ids = akin_options_text(o, "ids"),
        .output = akin_options_text(o, "output"),
        .k = (size_t)akin_options_int(o, "k"),
        .rules = {akin_options_flag(o, "same-category"), akin_options_flag(o, "exclude-same-group"),
                  akin_options_flag(o, "only-available"), akin_options_real(o, "min-score")},
        .options = call->options_text,
        .result_options = call->result_options,
    };
    if (params.output == NULL) return akin_error_set(AKIN_USAGE, "neighbors: say where the table goes: -o table.nc");
    akin_status status = akin_neighbors(call->comm, &params, &figures);
    return status == AKIN_OK ? report(call->report, params.k, &figures) : status;
}

/* Made from these embeddings with these options; a .npy carries no digest, so its table is made anew. */
static bool fits(const akin_call *call) {
    akin_ncfile *table = NULL, *embeddings = NULL;
    char *made_from = NULL, *made_with = NULL;
    const char *output = akin_options_text(call->options, "output");
    bool fitting = output != NULL && akin_ncfile_peek(output, "table", &table) == AKIN_OK &&
                   akin_ncfile_peek(input_of(call), "embeddings", &embeddings) == AKIN_OK &&
                   akin_ncfile_get_attribute(table, "input_embeddings_digest", &made_from) == AKIN_OK &&
                   akin_ncfile_get_attribute(table, "akin_result_options", &made_with) == AKIN_OK &&
                   made_from != NULL && made_with != NULL && strcmp(made_from, akin_ncfile_digest(embeddings)) == 0 &&
                   strcmp(made_with, call->result_options) == 0;
    akin_mem_free(made_from);
    akin_mem_free(made_with);
    akin_ncfile_close(table);
    akin_ncfile_close(embeddings);
    if (!fitting) akin_error_clear();
    return fitting;
}

const akin_verb akin_verb_neighbors = {
    .name = "neighbors",
    .arguments = "embeddings.nc|vectors.npy -o table.nc",
    .summary = "all-pairs cosine top-k: the recommendation table",
    .argument_key = "embeddings",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .run = run,
    .fits = fits,
};
