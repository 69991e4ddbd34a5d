/* verb_ingest: `akin ingest SOURCE... -o catalog.nc`. */
#include "addresses.h"
#include "checkpoints.h"
#include "output.h"
#include "tables.h"
#include "verbs.h"
#include <akin/file.h>
#include <akin/ingest.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <string.h>
#include <sys/stat.h>

static const akin_option options[] = {
    {.name = "output",
     .letter = 'o',
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "the catalogue to write, catalog.nc"},
    {.name = "root",
     .type = AKIN_OPTION_TEXT,
     .argument = "DIR",
     .help =
         "relative paths in a CSV start here, and none may lead outside (default: the CSV's own "
         "folder, with absolute paths allowed)"},
    {.name = "fit",
     .type = AKIN_OPTION_CHOICE,
     .initial = "stretch",
     .choices = "stretch|pad|crop",
     .shapes_result = true,
     .help = "how a picture that is not square becomes 32x32"},
    {.name = "max-pixels",
     .type = AKIN_OPTION_INT,
     .initial = "100000000",
     .minimum = 1,
     .maximum = 1e12,
     .shapes_result = true,
     .argument = "N",
     .help = "reject a picture whose header gives more pixels"},
    {.name = "rejects",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "write the rejected rows to this CSV: id,path,reason"},
    {.name = "max-reject-fraction",
     .type = AKIN_OPTION_REAL,
     .initial = "0.05",
     .minimum = 0,
     .maximum = 1,
     .argument = "X",
     .help =
         "if more than this share of the rows is rejected, exit with 3 and keep the old output"},
    AKIN_WITHDRAWALS_OPTION,
    {.name = "previous",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .unrecorded = true,
     .help = "an earlier catalog.nc: unchanged pictures are not decoded again"},
    AKIN_TABLE_OPTIONS,
    AKIN_ADDRESS_OPTIONS,
    {.name = "offline",
     .type = AKIN_OPTION_FLAG,
     .unrecorded = true,
     .help = "download nothing and use only the cache"},
    {.name = "network",
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "an ONNX or OpenVINO IR model to run on every picture; its output is stored in the "
             "catalogue"},
    {.name = "network-size",
     .type = AKIN_OPTION_TEXT,
     .argument = "N",
     .help = "pixels on the shorter side, or WxH, to which a picture is resized for the network "
             "(default: from the model's preprocessor_config.json)"},
    {.name = "network-crop",
     .type = AKIN_OPTION_TEXT,
     .argument = "N",
     .help = "size of the middle part that the network gets: N pixels, WxH, or none for the whole "
             "picture (default: from the model's preprocessor_config.json)"},
    {.name = "network-mean",
     .type = AKIN_OPTION_TEXT,
     .argument = "R,G,B",
     .help = "subtracted from values in [0, 1] (default: from the model's "
             "preprocessor_config.json, or ImageNet's)"},
    {.name = "network-std",
     .type = AKIN_OPTION_TEXT,
     .argument = "R,G,B",
     .help = "divisor of values after that (default: from the model's preprocessor_config.json, or "
             "ImageNet's)"},
    {.name = "network-output",
     .type = AKIN_OPTION_TEXT,
     .argument = "NAME",
     .help =
         "the output of the model to use (default: image_embeds, pooler_output, or the only one)"},
    {.name = "network-precision",
     .type = AKIN_OPTION_CHOICE,
     .initial = "float32",
     .choices = "float32|bfloat16|int8-if-quantised",
     .help = "what the network computes in; bfloat16 where the CPU has it"},
    AKIN_CHECKPOINT_OPTIONS("how often the outputs of the network are saved"),
    {0},
};

static akin_image_fit read_fit(const char *name) {
    return strcmp(name, "pad") == 0    ? AKIN_FIT_PAD
           : strcmp(name, "crop") == 0 ? AKIN_FIT_CROP
                                       : AKIN_FIT_STRETCH;
}

static akin_pretrained_params read_network(const akin_options *o) {
    return (akin_pretrained_params){.path = akin_options_text(o, "network"),
                                    .size = akin_options_text(o, "network-size"),
                                    .crop = akin_options_text(o, "network-crop"),
                                    .mean = akin_options_text(o, "network-mean"),
                                    .deviation = akin_options_text(o, "network-std"),
                                    .output = akin_options_text(o, "network-output"),
                                    .precision = akin_options_text(o, "network-precision")};
}

/* temporary: a cache for the time of the run if none is given. */
static akin_ingest_params read_params(const akin_call *call, const char *temporary) {
    const akin_options *o = call->options;
    const char *cache = akin_options_text(o, "cache");
    akin_ingest_params params = {.output = akin_options_text(o, "output"),
                                 .fit = read_fit(akin_options_text(o, "fit")),
                                 .max_pixels = (uint64_t)akin_options_int(o, "max-pixels"),
                                 .rejects = akin_options_text(o, "rejects"),
                                 .max_reject_fraction = akin_options_real(o, "max-reject-fraction"),
                                 .previous = akin_options_text(o, "previous"),
                                 .network = read_network(o),
                                 .checkpoint = akin_options_text(o, "checkpoint"),
                                 .checkpoint_every = akin_options_real(o, "checkpoint-every"),
                                 .listed = call->listed,
                                 .options = call->options_text,
                                 .result_options = call->result_options};
    params.source.count = akin_options_arguments(o, &params.source.names);
    params.source.root = akin_options_text(o, "root");
    params.source.withdrawals = akin_options_flag(o, "withdrawals");
    (void)!akin_tables_params(o, &params.source); /* both were checked before */
    (void)!akin_addresses_params(o, &params.fetch);
    params.fetch.cache = params.source.cache = cache ? cache : temporary;
    params.fetch.max_pixels = params.max_pixels;
    params.fetch.offline = akin_options_flag(o, "offline");
    return params;
}

static void fill_report(akin_json *report, const akin_ingest_result *result) {
    akin_json_set_integer(report, "rows", (long long)result->rows);
    akin_json_set_integer(report, "items", (long long)result->items);
    akin_json_set_integer(report, "rejected", (long long)result->rejected);
    akin_json_set_integer(report, "reused", (long long)result->reused);
    akin_json_set_integer(report, "broken_profiles", (long long)result->broken_profiles);
    akin_json_set_number(report, "images_per_second", result->images_per_second);
    if (result->fetch.addresses > 0) akin_addresses_report(report, &result->fetch);
}

/* Before anything is touched: whether this program can do what the network's options ask for. */
static akin_status check_network(const akin_options *options) {
    static const char *const words[] = {"network-size", "network-crop",    "network-mean",
                                        "network-std",  "network-output",  "network-precision",
                                        "checkpoint",   "checkpoint-every"};
    const akin_pretrained_params network = read_network(options);
    if (network.path) return akin_pretrained_check(&network);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (akin_options_changed(options, words[i]))
            return akin_error_option(words[i], "--%s belongs to --network FILE, which is missing",
                                     words[i]);
    return AKIN_OK;
}

/* An output that is also an input would destroy it before anyone noticed the mistake. */
static akin_status check(akin_options *options) {
    const char *output = akin_options_text(options, "output"),
               *rejects = akin_options_text(options, "rejects");
    const char *const *sources;
    akin_fetch_params fetch;
    akin_source_params source;
    if (!output) return akin_error_set(AKIN_USAGE, "no output given: -o catalog.nc");
    if (rejects && strcmp(rejects, output) == 0)
        return akin_error_option("rejects", "--rejects and the output are both %s", output);
    for (size_t i = akin_options_arguments(options, &sources); i-- > 0;)
        if (strcmp(sources[i], output) == 0 || (rejects && strcmp(sources[i], rejects) == 0))
            return akin_error_set(AKIN_USAGE,
                                  "%s is a source: choose another name for --output or --rejects",
                                  sources[i]);
    akin_status status = AKIN_OK;
    if (akin_checkpoints_check(options, output) != AKIN_OK) return AKIN_USAGE;
    status = check_network(options);
    if (status != AKIN_OK) return status;
    if (akin_options_flag(options, "offline") && !akin_options_text(options, "cache"))
        return akin_error_option("offline",
                                 "--offline needs --cache DIR with the downloaded pictures");
    status = akin_tables_params(options, &source);
    return status == AKIN_OK ? akin_addresses_params(options, &fetch) : status;
}

/* A stopped run leaves its own, which the next run reuses. */
static void clear_temporary(const char *folder) {
    akin_error_kept kept;
    if (!akin_file_is_folder(folder)) return;
    akin_error_keep(&kept);
    if (akin_file_remove_tree(folder) != AKIN_OK) akin_log_warning("%s", akin_error_message());
    akin_error_restore(&kept);
}

static akin_status run_ingest(akin_call *call) {
    akin_ingest_result result;
    char *temporary = akin_file_with_ending(akin_options_text(call->options, "output"), ".fetched");
    akin_status status = akin_agree(call->comm, temporary ? AKIN_OK : AKIN_FAILED);
    if (status != AKIN_OK) {
        akin_mem_free(temporary);
        return status;
    }
    akin_ingest_params params = read_params(call, temporary);
    status = akin_ingest(call->comm, &params, &result);
    if (!params.source.cache || strcmp(params.source.cache, temporary) != 0) goto done;
    if (status != AKIN_INTERRUPTED && akin_comm_rank(call->comm) == 0) clear_temporary(temporary);
done:
    akin_mem_free(temporary);
    fill_report(call->report, &result); /* also if ingest refused it */
    return status;
}

/* The file of rejects is the one that was written with the catalogue. */
static bool rejects_up_to_date(const akin_ingest_params *params) {
    char digest[AKIN_HASH_TEXT_SIZE];
    return !params->rejects ||
           (akin_file_digest(params->rejects, digest) == AKIN_OK &&
            akin_output_has(params->output, "catalog", "akin_rejects_digest", digest));
}

/* What is known about a catalogue that was made earlier. */
static akin_status report_counts(akin_json *report, const char *path, size_t rows) {
    akin_status status = AKIN_OK;
    akin_ncfile *file = NULL;
    size_t items = 0;
    AKIN_TRY(akin_ncfile_peek(path, "catalog", &file));
    AKIN_TRY(akin_ncfile_length(file, "item", &items));
    akin_json_set_integer(report, "rows", (long long)rows);
    akin_json_set_integer(report, "items", (long long)items);
    akin_json_set_integer(report, "rejected", (long long)(rows - items));
done:
    akin_ncfile_close(file);
    return status;
}

/* Whether its addresses need not be requested again: their pictures are there, and the run that
 * downloaded them is still in progress, as it has no newer table yet. */
static bool is_fetched(const akin_source *source, const akin_ingest_params *params) {
    struct stat catalog, table;
    if (!akin_source_has_addresses(source) || params->fetch.offline) return true;
    if (!params->fetch.cache || akin_source_unfetched(source) > 0) return false;
    if (!akin_fetch_is_recent(params->fetch.cache, params->fetch.fresh)) return false;
    char *folder = akin_file_folder(params->output);
    char *path = folder ? akin_file_join(folder, "table.nc") : NULL;
    bool used = path && stat(path, &table) == 0 && stat(params->output, &catalog) == 0 &&
                table.st_mtime >= catalog.st_mtime;
    akin_mem_free(folder);
    akin_mem_free(path);
    return !used;
}

/* What a network gave is of the same network, seen in the same way. Collective. */
static bool network_up_to_date(akin_comm *comm, const akin_ingest_params *params) {
    char *request = NULL;
    if (params->network.path &&
        akin_pretrained_request(comm, &params->network, &request) != AKIN_OK)
        return false;
    bool same = akin_output_has(params->output, "catalog", "network_request", request);
    akin_mem_free(request);
    return same;
}

/* Costs only the listing of the source; no picture is read. Collective, as rank 0 does the
 * listing. */
static bool up_to_date(akin_call *call) {
    akin_ingest_params params = read_params(call, NULL);
    if (!params.output) return false;
    if (!call->listed && akin_source_open(call->comm, &params.source, &call->listed) != AKIN_OK)
        return false;
    if (akin_source_has_addresses(call->listed) &&
        akin_source_look_again(call->comm, call->listed, params.source.cache) != AKIN_OK)
        return false;
    bool same =
        network_up_to_date(call->comm, &params) && rejects_up_to_date(&params) &&
        akin_output_has(params.output, "catalog", "akin_result_options", params.result_options) &&
        akin_output_has(params.output, "catalog", "input_source_digest",
                        akin_source_digest(call->listed));
    same = same &&
           report_counts(call->report, params.output, akin_source_rows(call->listed)) == AKIN_OK;
    return same && is_fetched(call->listed, &params);
}

const akin_verb akin_verb_ingest = {
    .name = "ingest",
    .arguments = "SOURCE... -o catalog.nc",
    .summary = "read, check and shrink the images of a catalogue",
    .argument_key = "source",
    .arguments_min = 1,
    .arguments_max = -1,
    .options = options,
    .run = run_ingest,
    .up_to_date = up_to_date,
    .check = check,
};
