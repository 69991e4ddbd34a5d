/* verb_embed: `akin embed catalog.nc --model model.nc -o embeddings.nc`. */
#include "output.h"
#include "verbs.h"
#include <akin/embed.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static const akin_option options[] = {
    {.name = "output",
     .letter = 'o',
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "the vectors to write, embeddings.nc"},
    {.name = "model",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "the model that computes the vectors, model.nc"},
    {.name = "from",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE.npy",
     .help = "instead of a model: vectors of any network, one row per item, float32 or float16, "
             "matched with the catalogue by id"},
    {.name = "ids",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "with --from: the ids of its rows, one per line (default: row numbers)"},
    {.name = "from-weight",
     .type = AKIN_OPTION_REAL,
     .minimum = 0,
     .maximum = 1000,
     .shapes_result = true,
     .argument = "W",
     .help = "with --from and --model: join both vectors, the imported ones times W"},
    {.name = "previous",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "embeddings.nc of the same model: vectors of unchanged images are reused"},
    {.name = "into",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "embeddings.nc of the same model, to which the items are added; they replace items "
             "with the same ids"},
    {.name = "leave-out",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE.csv",
     .unrecorded = true,
     .help = "with --into: remove the items whose ids are in the first column of this CSV (with a "
             "header), such as the rejects of ingest"},
    {0},
};

/* NULL = none. */
static const char *catalog_of(const akin_options *o) {
    const char *const *arguments = NULL;
    return akin_options_arguments(o, &arguments) > 0 ? arguments[0] : NULL;
}

static akin_embed_params read_params(const akin_call *call) {
    const akin_options *o = call->options;
    return (akin_embed_params){.catalog = catalog_of(o),
                               .model = akin_options_text(o, "model"),
                               .output = akin_options_text(o, "output"),
                               .previous = akin_options_text(o, "previous"),
                               .options = call->options_text,
                               .result_options = call->result_options};
}

static void fill_report(akin_json *report, const akin_embed_result *result) {
    akin_json_set_integer(report, "items", (long long)result->items);
    akin_json_set_integer(report, "dim", (long long)result->dim);
    akin_json_set_integer(report, "computed", (long long)result->computed);
    akin_json_set_number(report, "images_per_second", result->images_per_second);
}

/* --- imported vectors --- */

/* Whether they are joined with a model's vectors. */
static bool joins(const akin_options *o) {
    return akin_options_given(o, "from-weight");
}

static akin_import_vectors_params adopt_params(const akin_call *call) {
    const akin_options *o = call->options;
    return (akin_import_vectors_params){.from = akin_options_text(o, "from"),
                                        .ids = akin_options_text(o, "ids"),
                                        .catalog = catalog_of(o),
                                        .model = joins(o) ? akin_options_text(o, "model") : NULL,
                                        .weight =
                                            joins(o) ? akin_options_real(o, "from-weight") : 0,
                                        .output = akin_options_text(o, "output"),
                                        .options = call->options_text,
                                        .result_options = call->result_options};
}

static void fill_adopt_report(akin_json *report, const akin_import_vectors_result *result) {
    akin_json_set_integer(report, "items", (long long)result->items);
    akin_json_set_integer(report, "dim", (long long)result->dim);
    akin_json_set_number(report, "images_per_second", result->images_per_second);
    akin_json_set_integer(report, "vectors", (long long)result->vectors);
    akin_json_set_integer(report, "items_without_vector", (long long)result->without_vector);
    akin_json_set_integer(report, "vectors_without_item", (long long)result->without_item);
    akin_json_set_integer(report, "unusable", (long long)result->unusable);
}

static akin_status run_adopt(akin_call *call) {
    akin_status status;
    akin_import_vectors_result result;
    akin_import_vectors_params params = adopt_params(call);
    if (!params.output) return akin_error_set(AKIN_USAGE, "no output given: -o embeddings.nc");
    if (joins(call->options) && !params.model)
        return akin_error_option(
            "from-weight", "--from-weight joins with a model's vectors and needs --model model.nc");
    if (joins(call->options) && !params.catalog)
        return akin_error_option(
            "from-weight",
            "--from-weight joins with the vectors of the pictures and needs a catalogue");
    const char *const inputs[] = {params.from, params.ids, params.catalog, params.model};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (inputs[i] && strcmp(params.output, inputs[i]) == 0)
            return akin_error_option("output", "--output %s is also the input", params.output);
    AKIN_TRY(akin_import_vectors(call->comm, &params, &result));
    fill_adopt_report(call->report, &result);
done:
    return status;
}

/* A .npy carries no digest, so its rows are read, by all ranks together. */
static bool imported_up_to_date(const akin_call *call) {
    char digest[AKIN_HASH_TEXT_SIZE];
    akin_import_vectors_params params = adopt_params(call);
    int64_t wrong =
        !params.output ||
        !akin_output_has(params.output, "embeddings", "akin_result_options",
                         params.result_options) ||
        !(params.catalog
              ? akin_output_made_from(params.output, "embeddings", "input_catalog_digest",
                                      params.catalog)
              : akin_output_has(params.output, "embeddings", "input_catalog_digest", NULL)) ||
        !(params.model
              ? akin_output_made_from(params.output, "embeddings", "input_blended_digest",
                                      params.model)
              : akin_output_has(params.output, "embeddings", "input_blended_digest", NULL));
    akin_comm_max_i64(call->comm, &wrong, 1);
    return !wrong && akin_import_vectors_digest(call->comm, &params, digest) == AKIN_OK &&
           akin_output_has(params.output, "embeddings", "input_vectors_digest", digest);
}

/* --- items that enter the vectors of others --- */

static akin_status check_model(const akin_embed_params *params, const char *into) {
    akin_ncfile *file = NULL;
    akin_status status = akin_ncfile_peek(into, "embeddings", &file);
    akin_ncfile_close(file);
    if (status != AKIN_OK) return status;
    if (akin_output_made_from(into, "embeddings", "input_model_digest", params->model))
        return AKIN_OK;
    return akin_error_set(AKIN_INPUT,
                          "--into %s was not made with %s: its whole catalogue has to be embedded "
                          "again first (akin run)",
                          into, params->model);
}

/* Collective; agreed. */
static akin_status run_into(akin_call *call, akin_embed_params params) {
    akin_status status;
    const akin_options *o = call->options;
    char digest[AKIN_HASH_TEXT_SIZE];
    akin_embed_result computed;
    akin_extend_result result;
    akin_extend_params into = {.base = akin_options_text(o, "into"),
                               .left_out = akin_options_text(o, "leave-out"),
                               .output = params.output,
                               .options = params.options,
                               .result_options = params.result_options};
    char *path = akin_file_with_ending(params.output, ".added"); /* the new items alone */
    akin_status local = path ? check_model(&params, into.base) : AKIN_FAILED;
    if (local == AKIN_OK && into.left_out) local = akin_file_digest(into.left_out, digest);
    AKIN_TRY(akin_agree(call->comm, local));
    params.output = path, params.previous = into.base;
    AKIN_TRY(akin_embed(call->comm, &params, &computed));
    into.added = path, into.left_out_digest = into.left_out ? digest : NULL;
    AKIN_TRY(akin_extend(call->comm, &into, &result));
    computed.items = result.items;
    fill_report(call->report, &computed);
    akin_json_set_integer(call->report, "new", (long long)result.fresh);
    akin_json_set_integer(call->report, "replaced", (long long)result.replaced);
    akin_json_set_integer(call->report, "left_out", (long long)result.left_out);
done:
    if (path && akin_comm_rank(call->comm) == 0) (void)unlink(path);
    akin_mem_free(path);
    return status;
}

/* Whether the output has these items already, over whatever vectors. */
static bool into_up_to_date(const akin_call *call, const akin_embed_params *params) {
    char digest[AKIN_HASH_TEXT_SIZE];
    const char *left_out = akin_options_text(call->options, "leave-out");
    if (left_out && akin_file_digest(left_out, digest) != AKIN_OK) return false;
    return akin_output_has(params->output, "embeddings", "akin_result_options",
                           params->result_options) &&
           akin_output_made_from(params->output, "embeddings", "input_added_digest",
                                 params->catalog) &&
           akin_output_has(params->output, "embeddings", "input_left_out_digest",
                           left_out ? digest : NULL) &&
           akin_output_made_from(params->output, "embeddings", "input_model_digest", params->model);
}

/* --- the verb --- */

static akin_status check_into(const akin_options *o) {
    static const char *const others[] = {"from", "previous"};
    bool into = akin_options_text(o, "into");
    if (!into && akin_options_text(o, "leave-out"))
        return akin_error_option("leave-out",
                                 "--leave-out takes items out of --into, which is missing");
    for (size_t i = 0; into && i < sizeof others / sizeof *others; i++)
        if (akin_options_text(o, others[i]))
            return akin_error_option(
                "into", "--into does not go together with --%s: leave one of them out", others[i]);
    return AKIN_OK;
}

static akin_status check(akin_options *o) {
    const char *from = akin_options_text(o, "from");
    if (check_into(o) != AKIN_OK) return AKIN_USAGE;
    if (!from && akin_options_text(o, "ids"))
        return akin_error_option("ids",
                                 "--ids gives the ids of the rows of --from, which is missing");
    if (!from && !catalog_of(o))
        return akin_error_set(AKIN_USAGE,
                              "no catalogue given: akin embed catalog.nc --model model.nc");
    if (!from && joins(o))
        return akin_error_option(
            "from-weight",
            "--from-weight is the weight of the vectors of --from, which is missing");
    if (joins(o) && !(akin_options_real(o, "from-weight") > 0))
        return akin_error_option(
            "from-weight",
            "--from-weight must be above 0; without --from only the model's vectors are used");
    if (from && akin_options_text(o, "model") && !joins(o))
        return akin_error_option(
            "from",
            "--from %s replaces the model: leave --model out, or join both with --from-weight",
            from);
    if (from && akin_options_text(o, "previous"))
        return akin_error_option(
            "previous",
            "--previous is for vectors that a model computes: leave it out with --from");
    return AKIN_OK;
}

static akin_status run_embed(akin_call *call) {
    akin_status status;
    akin_embed_result result;
    akin_embed_params params = read_params(call);
    if (akin_options_text(call->options, "from")) return run_adopt(call);
    if (!params.output) return akin_error_set(AKIN_USAGE, "no output given: -o embeddings.nc");
    if (strcmp(params.output, params.catalog) == 0)
        return akin_error_option("output", "--output %s is also the input", params.output);
    if (!params.model) return akin_error_set(AKIN_USAGE, "no model given: --model model.nc");
    if (akin_options_text(call->options, "into")) return run_into(call, params);
    AKIN_TRY(akin_embed(call->comm, &params, &result));
    fill_report(call->report, &result);
done:
    return status;
}

static bool up_to_date(akin_call *call) {
    akin_embed_params params = read_params(call);
    if (akin_options_text(call->options, "from")) return imported_up_to_date(call);
    if (!params.output || !params.model) return false;
    if (akin_options_text(call->options, "into")) return into_up_to_date(call, &params);
    return akin_output_has(params.output, "embeddings", "akin_result_options",
                           params.result_options) &&
           akin_output_made_from(params.output, "embeddings", "input_catalog_digest",
                                 params.catalog) &&
           akin_output_made_from(params.output, "embeddings", "input_model_digest", params.model);
}

const akin_verb akin_verb_embed = {
    .name = "embed",
    .multiplies = true,
    .arguments = "catalog.nc --model model.nc -o embeddings.nc",
    .summary = "compute one unit vector per item",
    .notes = "With --from FILE.npy the vectors come from another network, and the catalogue may be "
             "left out;\nwith --from-weight W as well, both are joined.\n",
    .arguments_min = 0,
    .arguments_max = 1,
    .options = options,
    .run = run_embed,
    .up_to_date = up_to_date,
    .check = check,
};
