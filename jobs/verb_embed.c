/* verb_embed: `akin embed catalog.nc --model model.nc -o embeddings.nc`. Floor 4 (jobs); looks down to everything. */
#include "fits.h"
#include "verbs.h"
#include <akin/embed.h>
#include <string.h>

static const akin_option options[] = {
    {.name = "output",
     .letter = 'o',
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "the vectors to write, embeddings.nc"},
    {.name = "model",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "the model that gives the vectors, model.nc"},
    {.name = "previous",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "embeddings.nc of the same model: unchanged pictures keep its vectors"},
    {0},
};

static akin_embed_params read_params(const akin_call *call) {
    const akin_options *o = call->options;
    const char *const *arguments;
    akin_options_arguments(o, &arguments);
    return (akin_embed_params){.catalog = arguments[0],
                               .model = akin_options_text(o, "model"),
                               .output = akin_options_text(o, "output"),
                               .previous = akin_options_text(o, "previous"),
                               .options = call->options_text,
                               .result_options = call->result_options};
}

static akin_status fill_report(akin_json *report, const akin_embed_result *result) {
    akin_status status;
    AKIN_TRY(akin_json_set_integer(report, "items", (long long)result->items));
    AKIN_TRY(akin_json_set_integer(report, "dim", (long long)result->dim));
    AKIN_TRY(akin_json_set_integer(report, "computed", (long long)result->computed));
    AKIN_TRY(akin_json_set_number(report, "images_per_second", result->images_per_second));
done:
    return status;
}

static akin_status run_embed(akin_call *call) {
    akin_status status;
    akin_embed_result result;
    akin_embed_params params = read_params(call);
    if (!params.output) return akin_error_set(AKIN_USAGE, "an output is missing: -o embeddings.nc");
    if (strcmp(params.output, params.catalog) == 0)
        return akin_error_set(AKIN_USAGE, "--output %s is the input", params.output);
    if (!params.model) return akin_error_set(AKIN_USAGE, "a model is missing: --model model.nc");
    AKIN_TRY(akin_embed(call->comm, &params, &result));
    AKIN_TRY(akin_agree(call->comm, fill_report(call->report, &result)));
done:
    return status;
}

static bool fits(const akin_call *call) {
    akin_embed_params params = read_params(call);
    return params.output && params.model &&
           akin_fits_text(params.output, "embeddings", "akin_result_options", params.result_options) &&
           akin_fits_input(params.output, "embeddings", "input_catalog_digest", params.catalog) &&
           akin_fits_input(params.output, "embeddings", "input_model_digest", params.model);
}

const akin_verb akin_verb_embed = {
    .name = "embed",
    .arguments = "catalog.nc --model model.nc -o embeddings.nc",
    .summary = "one unit vector per item",
    .arguments_min = 1,
    .arguments_max = 1,
    .options = options,
    .run = run_embed,
    .fits = fits,
};
