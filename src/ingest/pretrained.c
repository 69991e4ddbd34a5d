/* pretrained: opens a model, runs it on batches, and converts its output to features. */
#include "openvino.h"
#include "pretrained_recipe.h"
#include <akin/file.h>
#include <akin/hash.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/pretrained.h>
#include <cpuid.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BATCH = 4, FACTS = 12 };

struct akin_pretrained {
    char *path, *request;
    akin_pretrained_recipe recipe;
    akin_image_view view;
    akin_openvino *model;
    size_t batch, features;
    double seconds;
    float *vectors; /* [batch, features]; NULL if the output itself is used */
    enum { AS_IT_IS, MEAN_OF_MAPS, FIRST_TOKEN, MEAN_OF_TOKENS } way;
    const char *instructions, *precision;
    char *texts[FACTS]; /* owned */
    akin_catalog_fact facts[FACTS + 1];
};

/* --- instruction sets --- */

/* Names in oneDNN, which OpenVINO computes with, from the oldest on; each CPU also has the earlier
 * ones. */
static const char *const instruction_sets[] = {
    "SSE41", "AVX2", "AVX512_CORE", "AVX512_CORE_VNNI", "AVX512_CORE_BF16", "AVX512_CORE_AMX"};
enum { INSTRUCTION_SETS = sizeof instruction_sets / sizeof *instruction_sets };
#define LIMIT "ONEDNN_MAX_CPU_ISA"

/* The matrix unit with bfloat16 and int8: CPUID leaf 7, EDX bits 22 and 25 (clang 14 has no name for
 * them). */
static bool has_matrix_unit(void) {
    const unsigned wanted = 1u << 22 | 1u << 25;
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & wanted) == wanted;
}

/* The instruction set of this rank's CPU, or the one that the environment allows. */
static int64_t instructions_here(void) {
    const bool has[] = {__builtin_cpu_supports("sse4.1"),
                        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"),
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                            __builtin_cpu_supports("avx512vl"),
                        __builtin_cpu_supports("avx512vnni"),
                        __builtin_cpu_supports("avx512bf16"),
                        has_matrix_unit()};
    const char *allowed = getenv(LIMIT);
    int64_t level = 0;
    while (level + 1 < INSTRUCTION_SETS && has[level + 1]) level++;
    for (int64_t i = 0; allowed && i < level; i++)
        if (strcasecmp(allowed, instruction_sets[i]) == 0) return i;
    return level;
}

/* All ranks use the oldest instruction set among them. Collective. */
static const char *agree_instructions(akin_comm *comm) {
    int64_t level = instructions_here(), least = -level;
    akin_comm_max_i64(comm, &least, 1);
    least = -least;
    if (least < level) (void)setenv(LIMIT, instruction_sets[least], 1);
    int64_t most = level;
    akin_comm_max_i64(comm, &most, 1);
    if (most > least)
        akin_log_info("ingest: not all CPUs have the same instructions: the network runs with %s "
                      "on all ranks",
                      instruction_sets[least]);
    return instruction_sets[least];
}

/* --- from output to features --- */

/* Whether this number of tokens is that of the patches of the picture, without a token for the
 * whole picture. */
static bool is_grid(size_t tokens, size_t width, size_t height) {
    for (size_t side = 1; side <= width && side <= height; side++)
        if (width % side == 0 && height % side == 0 && width / side * (height / side) == tokens)
            return true;
    return false;
}

static akin_status choose_way(akin_pretrained *network) {
    const akin_openvino_output *out = akin_openvino_output_of(network->model);
    const size_t *d = out->dims;
    network->way = AS_IT_IS;
    network->features = d[1];
    if (out->rank == 4 && d[2] * d[3] > 1) network->way = MEAN_OF_MAPS;
    if (out->rank == 4 && akin_openvino_input_of(network->model)->channels_last) {
        network->features = d[3];
        network->way = d[1] * d[2] > 1 ? MEAN_OF_MAPS : AS_IT_IS;
    }
    if (out->rank == 3) {
        network->features = d[2];
        bool grid = is_grid(d[1], network->view.width, network->view.height);
        network->way = d[1] == 1 ? AS_IT_IS : grid ? MEAN_OF_TOKENS : FIRST_TOKEN;
    }
    if (network->features <= AKIN_PRETRAINED_FEATURES) return AKIN_OK;
    return akin_error_set(AKIN_INPUT,
                          "%s: the output %s has %zu features; at most %d are supported: name a "
                          "smaller one with --network-output",
                          network->path, out->name, network->features, AKIN_PRETRAINED_FEATURES);
}

/* The mean of `count` rows [count, features]. */
static void mean_of_rows(const float *rows, size_t count, size_t features, float *out) {
    for (size_t f = 0; f < features; f++) {
        double sum = 0;
        for (size_t i = 0; i < count; i++) sum += rows[i * features + f];
        out[f] = (float)(sum / (double)count);
    }
}

static void mean_of_columns(const float *maps, size_t features, size_t places, float *out) {
    for (size_t f = 0; f < features; f++) {
        double sum = 0;
        for (size_t i = 0; i < places; i++) sum += maps[f * places + i];
        out[f] = (float)(sum / (double)places);
    }
}

static void take(const akin_pretrained *network, const float *output, float *vector) {
    const akin_openvino_output *shape = akin_openvino_output_of(network->model);
    const size_t *d = shape->dims;
    bool last = akin_openvino_input_of(network->model)->channels_last;
    switch (network->way) {
    case AS_IT_IS:
    case FIRST_TOKEN: memcpy(vector, output, network->features * sizeof *vector); break;
    case MEAN_OF_TOKENS: mean_of_rows(output, d[1], d[2], vector); break;
    case MEAN_OF_MAPS:
        if (last)
            mean_of_rows(output, d[1] * d[2], d[3], vector);
        else
            mean_of_columns(output, d[1], d[2] * d[3], vector);
        break;
    }
}

akin_status akin_pretrained_run(akin_pretrained *network, size_t count, const float **vectors) {
    akin_status status = AKIN_OK;
    const float *output;
    const akin_openvino_output *shape = akin_openvino_output_of(network->model);
    size_t each = 1;
    for (size_t d = 1; d < shape->rank; d++) each *= shape->dims[d];
    AKIN_TRY(akin_openvino_run(network->model, &output));
    for (size_t i = 0; i < count; i++) {
        float *vector = network->vectors + i * network->features;
        take(network, output + i * each, vector);
        for (size_t f = 0; f < network->features; f++)
            if (!isfinite(vector[f]))
                return akin_error_set(AKIN_INPUT,
                                      "%s: the output %s is not finite for a picture: try "
                                      "--network-precision float32, or look at the model",
                                      network->path, shape->name);
    }
    *vectors = network->vectors;
done:
    return status;
}

/* --- opening --- */

static size_t values_of(const akin_pretrained *network) {
    return network->view.width * network->view.height * 3;
}

void akin_pretrained_put(akin_pretrained *network, size_t slot, const uint8_t *seen) {
    akin_pretrained_recipe_apply(&network->recipe, seen, network->view.width * network->view.height,
                                 akin_openvino_input_of(network->model)->channels_last,
                                 akin_openvino_values(network->model) + slot * values_of(network));
}

/* Unrelated patterns, because pictures of a batch are unrelated. */
static void put_pattern(akin_pretrained *network, size_t slot, uint32_t seed) {
    float *values = akin_openvino_values(network->model) + slot * values_of(network);
    for (size_t i = 0; i < values_of(network); i++) {
        seed = seed * 1664525U + 1013904223U;
        values[i] = (float)(seed >> 8) / (float)(1 << 23) - 1;
    }
}

static akin_status compile(akin_pretrained *network, const akin_pretrained_params *params,
                           size_t batch) {
    akin_status status = AKIN_OK;
    const char *precision = params->precision ? params->precision : "float32";
    const akin_openvino_choice choice = {.batch = batch,
                                         .width = network->view.width,
                                         .height = network->view.height,
                                         .output = params->output,
                                         .bfloat16 = strcmp(network->precision, "bfloat16") == 0,
                                         .int8 = strncmp(precision, "int8", 4) == 0};
    network->batch = batch;
    AKIN_TRY(akin_openvino_compile(network->model, &choice));
    AKIN_TRY(choose_way(network));
    akin_mem_free(network->vectors);
    network->vectors = akin_mem_alloc(batch, network->features * sizeof *network->vectors);
    if (!network->vectors) status = AKIN_FAILED;
done:
    return status;
}

/* *same: whether a picture gives the same bits in the first and in the last place of a batch,
 * whatever else is in it. */
static akin_status try_places(akin_pretrained *network, bool *same) {
    akin_status status = AKIN_OK;
    const float *vectors;
    size_t last = network->batch - 1, bytes = network->features * sizeof(float);
    float *first = akin_mem_alloc(network->features, sizeof *first);
    if (!first) return AKIN_FAILED;
    for (size_t slot = 0; slot < network->batch; slot++) put_pattern(network, slot, (uint32_t)slot);
    AKIN_TRY(akin_pretrained_run(network, network->batch, &vectors));
    memcpy(first, vectors, bytes);
    for (size_t slot = 0; slot < network->batch; slot++)
        put_pattern(network, slot, slot == last ? 0 : 77 + (uint32_t)slot);
    double begin = akin_comm_seconds();
    AKIN_TRY(akin_pretrained_run(network, network->batch, &vectors));
    network->seconds = akin_comm_seconds() - begin;
    *same = memcmp(first, vectors + last * network->features, bytes) == 0;
done:
    akin_mem_free(first);
    return status;
}

/* It does not matter if the output for patterns that are not pictures is not finite. */
static akin_status settle_batch(akin_pretrained *network, bool *same) {
    akin_status status = try_places(network, same);
    if (status != AKIN_INPUT) return status;
    akin_error_clear();
    *same = false;
    return AKIN_OK;
}

static akin_status set_up(akin_pretrained *network, const akin_pretrained_params *params) {
    akin_status status = AKIN_OK;
    char *config = akin_pretrained_config(params->path);
    network->path = akin_mem_text(params->path);
    if (!config || !network->path) AKIN_TRY(AKIN_FAILED);
    AKIN_TRY(akin_pretrained_recipe_read(params, config, &network->recipe));
    AKIN_TRY(akin_openvino_read(params->path, &network->model));
    const akin_openvino_input *input = akin_openvino_input_of(network->model);
    size_t width = input->width, height = input->height;
    AKIN_TRY(akin_pretrained_recipe_view(&network->recipe, params->path, &width, &height,
                                         &network->view));
    bool wants = params->precision && strcmp(params->precision, "bfloat16") == 0;
    network->precision =
        wants && akin_openvino_has_bfloat16(network->model) ? "bfloat16" : "float32";
    AKIN_TRY(compile(network, params, BATCH));
done:
    akin_mem_free(config);
    return status;
}

/* --- facts --- */

static akin_status add_fact(akin_pretrained *network, const char *name, char *value) {
    size_t at = 0;
    while (network->facts[at].name) at++;
    AKIN_ASSERT(at < FACTS);
    if (!value) return AKIN_FAILED;
    network->texts[at] = value;
    network->facts[at] = (akin_catalog_fact){name, value};
    return AKIN_OK;
}

static char *print(const char *format, ...) AKIN_PRINTF(1, 2);
static char *print(const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return akin_mem_text(text);
}

static const char *filter_name(akin_image_filter filter) {
    static const char *const names[AKIN_IMAGE_FILTERS] = {"nearest", "lanczos", "bilinear",
                                                          "bicubic", "box",     "hamming"};
    return names[filter];
}

static char *describe_view(const akin_image_view *view) {
    if (view->resize_height == 0)
        return print("the middle %zux%zu of the picture with a shorter side of %zu, %s",
                     view->width, view->height, view->resize_width, filter_name(view->filter));
    if (view->resize_width == view->width && view->resize_height == view->height)
        return print("the whole picture, %s", filter_name(view->filter));
    return print("the middle %zux%zu of the picture at %zux%zu, %s", view->width, view->height,
                 view->resize_width, view->resize_height, filter_name(view->filter));
}

static const char *describe_way(const akin_pretrained *network) {
    switch (network->way) {
    case MEAN_OF_MAPS: return "mean over the places of its maps";
    case FIRST_TOKEN: return "its class token, the first";
    case MEAN_OF_TOKENS: return "mean of its tokens";
    case AS_IT_IS: break;
    }
    return "as it is";
}

static akin_status set_facts(akin_pretrained *network) {
    akin_status status = AKIN_OK;
    const akin_openvino_output *out = akin_openvino_output_of(network->model);
    const akin_pretrained_recipe *r = &network->recipe;
    char digest[AKIN_HASH_TEXT_SIZE] = "";
    (void)sscanf(network->request, "digest=%32s", digest);
    AKIN_TRY(add_fact(network, "network_file", akin_mem_text(network->path)));
    AKIN_TRY(add_fact(network, "network_digest", akin_mem_text(digest)));
    AKIN_TRY(add_fact(network, "network_request", akin_mem_text(network->request)));
    AKIN_TRY(add_fact(network, "network_input",
                      print("%zux%zu", network->view.width, network->view.height)));
    AKIN_TRY(add_fact(network, "network_picture", describe_view(&network->view)));
    AKIN_TRY(add_fact(network, "network_view",
                      print("%zu,%zu,%zu,%zu", network->view.width, network->view.height,
                            network->view.resize_width, network->view.resize_height)));
    AKIN_TRY(add_fact(network, "network_normalisation",
                      print("(value * %.9g - mean) / std, mean %.9g %.9g %.9g, std %.9g %.9g %.9g",
                            r->factor, r->mean[0], r->mean[1], r->mean[2], r->deviation[0],
                            r->deviation[1], r->deviation[2])));
    AKIN_TRY(
        add_fact(network, "network_output", print("%s: %s", out->name, describe_way(network))));
    AKIN_TRY(add_fact(network, "network_precision", akin_mem_text(network->precision)));
    AKIN_TRY(add_fact(network, "network_instructions", akin_mem_text(network->instructions)));
    AKIN_TRY(add_fact(network, "network_runtime",
                      print("OpenVINO %s", akin_openvino_version(network->model))));
done:
    return status;
}

static void tell(const akin_pretrained *network, const akin_pretrained_params *params) {
    const akin_openvino_output *out = akin_openvino_output_of(network->model);
    akin_log_info(
        "ingest: %s sees %s and gives %zu numbers (%s: %s) in %s with %s, %.0f pictures/s "
        "on a core",
        network->path, network->facts[4].value, network->features, out->name, describe_way(network),
        network->precision, network->instructions,
        network->seconds > 0 ? (double)network->batch / network->seconds : 0);
    if (params->precision && strncmp(network->precision, params->precision, 4) != 0)
        akin_log_warning("ingest: --network-precision %s: %s; float32 is used", params->precision,
                         params->precision[0] == 'b' ? "this CPU has none of its own"
                                                     : "the model is not quantised");
}

/* Ranks produce the same bits only if they all choose the same. Collective; agreed. */
static akin_status choose_batch(akin_comm *comm, akin_pretrained *network,
                                const akin_pretrained_params *params) {
    akin_status status = AKIN_OK;
    bool same = true;
    AKIN_TRY(akin_agree(comm, settle_batch(network, &same)));
    int64_t differs = !same;
    akin_comm_max_i64(comm, &differs, 1);
    if (differs) {
        AKIN_TRY(akin_agree(comm, compile(network, params, 1)));
        AKIN_TRY(akin_agree(comm, settle_batch(network, &same)));
    }
    akin_comm_max_f64(comm, &network->seconds, 1);
    bool wants = params->precision && strncmp(params->precision, "int8", 4) == 0;
    int64_t int8 = wants && akin_openvino_ran_int8(network->model);
    akin_comm_max_i64(comm, &int8, 1);
    if (int8) network->precision = "int8";
done:
    return status;
}

akin_status akin_pretrained_open(akin_comm *comm, const akin_pretrained_params *params,
                                 akin_pretrained **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_pretrained *network = akin_mem_zalloc(1, sizeof *network);
    AKIN_TRY(akin_agree(comm, network ? AKIN_OK : AKIN_FAILED));
    AKIN_TRY(akin_pretrained_request(comm, params, &network->request));
    network->instructions = agree_instructions(comm);
    AKIN_TRY(akin_agree(comm, set_up(network, params)));
    AKIN_TRY(choose_batch(comm, network, params));
    AKIN_TRY(akin_agree(comm, set_facts(network)));
    tell(network, params);
    *out = network;
    network = NULL;
done:
    akin_pretrained_free(network);
    return status;
}

void akin_pretrained_free(akin_pretrained *network) {
    if (!network) return;
    akin_openvino_free(network->model);
    for (size_t i = 0; i < FACTS; i++) akin_mem_free(network->texts[i]);
    akin_mem_free(network->vectors);
    akin_mem_free(network->path);
    akin_mem_free(network->request);
    akin_mem_free(network);
}

size_t akin_pretrained_features(const akin_pretrained *network) {
    return network->features;
}

size_t akin_pretrained_batch(const akin_pretrained *network) {
    return network->batch;
}

double akin_pretrained_seconds(const akin_pretrained *network) {
    return network->seconds;
}

const akin_image_view *akin_pretrained_view(const akin_pretrained *network) {
    return &network->view;
}

const akin_catalog_fact *akin_pretrained_facts(const akin_pretrained *network) {
    return network->facts;
}
