/* openvino: a model by OpenVINO's C API. */
#include "openvino.h"
#include "openvino_calls.h"
#include <akin/mem.h>
#include <akin/text.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef AKIN_OPENVINO
#define DEVICE "CPU"

static const akin_openvino_calls *ov; /* set by the first read */

struct akin_openvino {
    char *path;
    char version[64];
    ov_core_t *core;
    akin_openvino_input input;
    akin_openvino_output output;
    ov_compiled_model_t *compiled;
    ov_infer_request_t *request;
    ov_tensor_t *in, *out;
    float *values;
    bool bfloat16;
};

/* --- errors --- */

/* The library's message on one line, without the source positions at its beginning. */
static akin_status refuse(akin_status status, const akin_openvino *model, const char *what) {
    char line[600];
    size_t length = 0;
    const char *text = ov->get_last_err_msg();
    for (const char *at = text; at && *at && length + 2 < sizeof line;) {
        size_t count = strcspn(at, "\n");
        bool place = strncmp(at, "Exception from ", 15) == 0;
        for (size_t i = 0; !place && i < count && length + 2 < sizeof line; i++)
            line[length++] = (unsigned char)at[i] < ' ' ? ' ' : at[i];
        if (!place && count > 0) line[length++] = ' ';
        at += count + (at[count] == '\n');
    }
    while (length > 0 && line[length - 1] == ' ') length--;
    line[length] = '\0';
    return akin_error_set(status, "%s: %s: %s", model->path, what,
                          length > 0 ? line : "OpenVINO does not say why");
}

/* A call that, on failure, says what it was about. */
#define OV_TRY(kind, what, call)                                                                   \
    do {                                                                                           \
        if ((call) != OK) {                                                                        \
            status = refuse(kind, model, what);                                                    \
            goto done;                                                                             \
        }                                                                                          \
    } while (0)

/* --- names and shapes --- */

typedef struct {
    char name[128];
    ov_element_type_e type;
    int64_t rank, dims[4]; /* -1: any; rank -1: any, or above 4 */
} port;

static void append_shape(const port *p, char *out, size_t size) {
    size_t length = (size_t)snprintf(out, size, "[");
    for (int64_t d = 0; d < p->rank && length + 24 < size; d++) {
        const char *comma = d > 0 ? ", " : "";
        length += (size_t)(p->dims[d] < 0 ? snprintf(out + length, size - length, "%s?", comma)
                                          : snprintf(out + length, size - length, "%s%lld", comma,
                                                     (long long)p->dims[d]));
    }
    snprintf(out + length, size - length, "%s]", p->rank < 0 ? "?" : "");
}

static akin_status look_at(const akin_openvino *model, const ov_output_const_port_t *from,
                           port *out) {
    akin_status status = AKIN_OK;
    char *name = NULL;
    ov_partial_shape_t shape = {0};
    *out = (port){.rank = -1};
    if (ov->port_get_any_name(from, &name) == OK) snprintf(out->name, sizeof out->name, "%s", name);
    OV_TRY(AKIN_INPUT, "its ports cannot be read", ov->port_get_element_type(from, &out->type));
    OV_TRY(AKIN_INPUT, "its ports cannot be read", ov->port_get_partial_shape(from, &shape));
    if (!ov->rank_is_dynamic(shape.rank) && shape.rank.max <= 4) out->rank = shape.rank.max;
    for (int64_t d = 0; d < out->rank; d++)
        out->dims[d] = ov->dimension_is_dynamic(shape.dims[d]) ? -1 : shape.dims[d].max;
done:
    ov->free(name);
    ov->partial_shape_free(&shape);
    return status;
}

/* One of a model's inputs or outputs. */
static akin_status look_at_port(const akin_openvino *model, const ov_model_t *graph, bool input,
                                size_t index, port *out) {
    akin_status status = AKIN_OK;
    ov_output_const_port_t *found = NULL;
    OV_TRY(AKIN_INPUT, "its ports cannot be read",
           input ? ov->model_const_input_by_index(graph, index, &found)
                 : ov->model_const_output_by_index(graph, index, &found));
    AKIN_TRY(look_at(model, found, out));
done:
    ov->output_const_port_free(found);
    return status;
}

/* "a [1, 3, ?, ?], b [1, 77]": all inputs or outputs. */
static akin_status list_ports(const akin_openvino *model, const ov_model_t *graph, bool input,
                              size_t count, akin_text *list) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < count; i++) {
        port p;
        char shape[96];
        AKIN_TRY(look_at_port(model, graph, input, i, &p));
        append_shape(&p, shape, sizeof shape);
        AKIN_TRY(akin_text_append(list, "%s%s %s", i > 0 ? ", " : "", p.name, shape));
    }
done:
    return status;
}

/* Refuses the model, and lists all its inputs or outputs. */
static akin_status refuse_ports(const akin_openvino *model, const ov_model_t *graph, bool input,
                                size_t count, const char *sought) {
    akin_text *list = NULL;
    akin_status status = akin_text_create(&list);
    if (status == AKIN_OK) status = list_ports(model, graph, input, count, list);
    if (status == AKIN_OK)
        status = akin_error_set(AKIN_INPUT, "%s has the %s%s %s; %s", model->path,
                                input ? "input" : "output", AKIN_PLURAL(count),
                                akin_text_bytes(list), sought);
    akin_text_free(list);
    return status;
}

/* --- reading --- */

static akin_status check_input(akin_openvino *model, const ov_model_t *graph) {
    akin_status status = AKIN_OK;
    size_t count;
    port p;
    OV_TRY(AKIN_INPUT, "its inputs cannot be counted", ov->model_inputs_size(graph, &count));
    if (count != 1)
        return refuse_ports(
            model, graph, true, count,
            "akin expects one input, for pictures: export the model's image part alone");
    AKIN_TRY(look_at_port(model, graph, true, 0, &p));
    bool first = p.rank == 4 && (p.dims[1] == 3 || (p.dims[1] < 0 && p.dims[3] != 3));
    bool last = p.rank == 4 && !first && p.dims[3] == 3;
    bool number = p.type == F32 || p.type == F16 || p.type == BF16 || p.type == F64;
    if (!(first || last) || !number)
        return refuse_ports(model, graph, true, count,
                            number ? "akin expects pictures of three channels, [batch, 3, height, "
                                     "width] or [batch, height, width, 3]"
                                   : "akin expects an input of floating-point numbers");
    int64_t height = p.dims[first ? 2 : 1], width = p.dims[first ? 3 : 2];
    model->input = (akin_openvino_input){.width = width > 0 ? (size_t)width : 0,
                                         .height = height > 0 ? (size_t)height : 0,
                                         .channels_last = last};
done:
    return status;
}

static akin_status read_graph(const akin_openvino *model, ov_model_t **graph) {
    akin_status status = AKIN_OK;
    OV_TRY(AKIN_INPUT, "cannot be read as a model",
           ov->core_read_model(model->core, model->path, NULL, graph));
done:
    return status;
}

static akin_status look_at_runtime(akin_openvino *model) {
    akin_status status = AKIN_OK;
    ov_version_t version = {0};
    char *capabilities = NULL;
    if (ov->get_openvino_version(&version) == OK)
        snprintf(model->version, sizeof model->version, "%s", version.buildNumber);
    ov->version_free(&version);
    OV_TRY(AKIN_FAILED, "OpenVINO does not start", ov->core_create(&model->core));
    OV_TRY(AKIN_FAILED, "OpenVINO has no CPU plugin",
           ov->core_get_property(model->core, DEVICE, "OPTIMIZATION_CAPABILITIES", &capabilities));
    model->bfloat16 = strstr(capabilities, "BF16") != NULL;
done:
    ov->free(capabilities);
    return status;
}

akin_status akin_openvino_read(const char *path, akin_openvino **out) {
    akin_status status = AKIN_OK;
    ov_model_t *graph = NULL;
    *out = NULL;
    if (!ov) status = akin_openvino_load(&ov);
    if (status != AKIN_OK) return status;
    akin_openvino *model = akin_mem_zalloc(1, sizeof *model);
    if (!model) return AKIN_FAILED;
    model->path = akin_mem_text(path);
    if (!model->path) {
        status = AKIN_FAILED;
        goto done;
    }
    AKIN_TRY(look_at_runtime(model));
    AKIN_TRY(read_graph(model, &graph));
    AKIN_TRY(check_input(model, graph));
    *out = model;
    model = NULL;
done:
    ov->model_free(graph);
    akin_openvino_free(model);
    return status;
}

static void forget_compiled(akin_openvino *model) {
    ov->tensor_free(model->in);
    ov->tensor_free(model->out);
    ov->infer_request_free(model->request);
    ov->compiled_model_free(model->compiled);
    model->in = model->out = NULL;
    model->request = NULL;
    model->compiled = NULL;
}

void akin_openvino_free(akin_openvino *model) {
    if (!model) return;
    forget_compiled(model);
    ov->core_free(model->core);
    akin_mem_free(model->path);
    akin_mem_free(model);
}

const akin_openvino_input *akin_openvino_input_of(const akin_openvino *model) {
    return &model->input;
}

const akin_openvino_output *akin_openvino_output_of(const akin_openvino *model) {
    return &model->output;
}

const char *akin_openvino_version(const akin_openvino *model) {
    return model->version;
}

bool akin_openvino_has_bfloat16(const akin_openvino *model) {
    return model->bfloat16;
}

/* --- compiling --- */

static akin_status give_shape(const akin_openvino *model, ov_model_t *graph,
                              const akin_openvino_choice *choice) {
    akin_status status = AKIN_OK;
    ov_partial_shape_t shape = {0};
    int64_t batch = (int64_t)choice->batch, height = (int64_t)choice->height,
            width = (int64_t)choice->width;
    int64_t first[4] = {batch, 3, height, width}, last[4] = {batch, height, width, 3};
    OV_TRY(AKIN_FAILED, "a shape cannot be made",
           ov->partial_shape_create_static(4, model->input.channels_last ? last : first, &shape));
    OV_TRY(AKIN_INPUT, "cannot take a batch of that shape",
           ov->model_reshape_single_input(graph, shape));
done:
    ov->partial_shape_free(&shape);
    return status;
}

/* The requested output, else one with a common name, else the only one. */
static akin_status find_output(const akin_openvino *model, const ov_model_t *graph,
                               const char *asked, size_t *index) {
    static const char *const common[] = {"image_embeds", "pooler_output"};
    akin_status status = AKIN_OK;
    size_t count, wanted = asked ? 1 : sizeof common / sizeof *common;
    OV_TRY(AKIN_INPUT, "its outputs cannot be counted", ov->model_outputs_size(graph, &count));
    for (size_t w = 0; w < wanted; w++)
        for (*index = 0; *index < count; (*index)++) {
            port p;
            AKIN_TRY(look_at_port(model, graph, false, *index, &p));
            if (strcmp(p.name, asked ? asked : common[w]) == 0) return AKIN_OK;
        }
    *index = 0;
    if (count == 1 && !asked) return AKIN_OK;
    status = refuse_ports(
        model, graph, false, count,
        asked ? "--network-output names none of them"
              : "akin expects image_embeds or pooler_output: name one with --network-output");
done:
    return status;
}

/* Input and output are converted to float, whatever they are in the model. */
static akin_status in_float(const akin_openvino *model, ov_model_t **graph, size_t index) {
    akin_status status = AKIN_OK;
    ov_preprocess_prepostprocessor_t *both = NULL;
    ov_preprocess_input_info_t *in = NULL;
    ov_preprocess_input_tensor_info_t *in_tensor = NULL;
    ov_preprocess_output_info_t *out = NULL;
    ov_preprocess_output_tensor_info_t *out_tensor = NULL;
    ov_model_t *built = NULL;
    const char *what = "its numbers cannot be converted";
    OV_TRY(AKIN_INPUT, what, ov->preprocess_prepostprocessor_create(*graph, &both));
    OV_TRY(AKIN_INPUT, what, ov->preprocess_prepostprocessor_get_input_info(both, &in));
    OV_TRY(AKIN_INPUT, what, ov->preprocess_input_info_get_tensor_info(in, &in_tensor));
    OV_TRY(AKIN_INPUT, what, ov->preprocess_input_tensor_info_set_element_type(in_tensor, F32));
    OV_TRY(AKIN_INPUT, what,
           ov->preprocess_prepostprocessor_get_output_info_by_index(both, index, &out));
    OV_TRY(AKIN_INPUT, what, ov->preprocess_output_info_get_tensor_info(out, &out_tensor));
    OV_TRY(AKIN_INPUT, what, ov->preprocess_output_set_element_type(out_tensor, F32));
    OV_TRY(AKIN_INPUT, what, ov->preprocess_prepostprocessor_build(both, &built));
    ov->model_free(*graph);
    *graph = built;
done:
    if (out_tensor) ov->preprocess_output_tensor_info_free(out_tensor);
    if (out) ov->preprocess_output_info_free(out);
    if (in_tensor) ov->preprocess_input_tensor_info_free(in_tensor);
    if (in) ov->preprocess_input_info_free(in);
    if (both) ov->preprocess_prepostprocessor_free(both);
    return status;
}

/* One thread, which the system may place anywhere: otherwise all ranks of a node could be bound to
 * its first core. */
static akin_status compile(akin_openvino *model, const ov_model_t *graph,
                           const akin_openvino_choice *choice) {
    akin_status status = AKIN_OK;
    const ov_property_t properties[] = {
        {"INFERENCE_NUM_THREADS", "1"},
        {"NUM_STREAMS", "1"},
        {"PERFORMANCE_HINT", "LATENCY"},
        {"ENABLE_CPU_PINNING", "NO"},
        {"INFERENCE_PRECISION_HINT", choice->bfloat16 ? "bf16" : "f32"},
        {"LP_TRANSFORMS_MODE", choice->int8 ? "YES" : "NO"},
        {"PERF_COUNT", choice->int8 ? "YES" : "NO"}};
    OV_TRY(AKIN_INPUT, "cannot be compiled",
           ov->core_compile_model_props(model->core, graph, DEVICE,
                                        sizeof properties / sizeof *properties, properties,
                                        &model->compiled));
    OV_TRY(AKIN_FAILED, "cannot be run",
           ov->compiled_model_create_infer_request(model->compiled, &model->request));
done:
    return status;
}

static akin_status get_output(akin_openvino *model, size_t index) {
    akin_status status = AKIN_OK;
    ov_shape_t shape = {0};
    OV_TRY(AKIN_FAILED, "its output cannot be had",
           ov->infer_request_get_output_tensor_by_index(model->request, index, &model->out));
    OV_TRY(AKIN_FAILED, "its output cannot be had", ov->tensor_get_shape(model->out, &shape));
    model->output.rank = (size_t)shape.rank;
    for (int64_t d = 0; d < shape.rank && d < 4; d++) model->output.dims[d] = (size_t)shape.dims[d];
done:
    ov->shape_free(&shape);
    return status;
}

akin_status akin_openvino_compile(akin_openvino *model, const akin_openvino_choice *choice) {
    akin_status status = AKIN_OK;
    ov_model_t *graph = NULL;
    size_t index;
    port p;
    forget_compiled(model);
    AKIN_TRY(read_graph(model, &graph));
    AKIN_TRY(find_output(model, graph, choice->output, &index));
    AKIN_TRY(look_at_port(model, graph, false, index, &p));
    snprintf(model->output.name, sizeof model->output.name, "%s", p.name);
    AKIN_TRY(give_shape(model, graph, choice));
    AKIN_TRY(in_float(model, &graph, index));
    AKIN_TRY(look_at_port(model, graph, false, index, &p));
    bool known = p.rank >= 2;
    for (int64_t d = 0; d < p.rank; d++) known = known && p.dims[d] > 0;
    if (!known || p.dims[0] != (int64_t)choice->batch) {
        char shape[96];
        append_shape(&p, shape, sizeof shape);
        status = akin_error_set(AKIN_INPUT,
                                "%s: the output %s has the shape %s for %zu pictures; akin expects "
                                "a vector, maps or tokens for each picture: [batch, features], "
                                "[batch, features, height, width] or [batch, tokens, features]",
                                model->path, model->output.name, shape, choice->batch);
        goto done;
    }
    AKIN_TRY(compile(model, graph, choice));
    OV_TRY(AKIN_FAILED, "its input cannot be had",
           ov->infer_request_get_input_tensor(model->request, &model->in));
    OV_TRY(AKIN_FAILED, "its input cannot be had",
           ov->tensor_data(model->in, (void **)&model->values));
    AKIN_TRY(get_output(model, index));
done:
    ov->model_free(graph);
    return status;
}

/* --- running --- */

float *akin_openvino_values(akin_openvino *model) {
    return model->values;
}

akin_status akin_openvino_run(akin_openvino *model, const float **output) {
    akin_status status = AKIN_OK;
    void *data = NULL;
    OV_TRY(AKIN_FAILED, "a batch failed", ov->infer_request_infer(model->request));
    OV_TRY(AKIN_FAILED, "a batch failed", ov->tensor_data(model->out, &data));
    *output = data;
done:
    return status;
}

bool akin_openvino_ran_int8(const akin_openvino *model) {
    ov_profiling_info_list_t list = {0};
    bool found = false;
    if (ov->infer_request_get_profiling_info(model->request, &list) != OK) return false;
    for (size_t i = 0; i < list.size; i++) {
        const char *type = list.profiling_infos[i].exec_type;
        size_t length = strlen(type);
        found = found || (length > 3 && strcmp(type + length - 3, "_I8") == 0);
    }
    ov->profiling_info_list_free(&list);
    return found;
}

akin_status akin_openvino_check(const char *path) {
    (void)path;
    return AKIN_OK;
}

#else

struct akin_openvino {
    akin_openvino_input input;
    akin_openvino_output output;
};

akin_status akin_openvino_read(const char *path, akin_openvino **out) {
    *out = NULL;
    return akin_openvino_check(path);
}

akin_status akin_openvino_check(const char *path) {
    return akin_error_option(
        "network",
        "--network %s: this akin was built without OpenVINO; install it with `sh "
        "jobs/packages.sh network` (or name an installed one in OpenVINO_DIR) and "
        "build again",
        path);
}

void akin_openvino_free(akin_openvino *model) {
    akin_mem_free(model);
}

const akin_openvino_input *akin_openvino_input_of(const akin_openvino *model) {
    return &model->input;
}

const akin_openvino_output *akin_openvino_output_of(const akin_openvino *model) {
    return &model->output;
}

const char *akin_openvino_version(const akin_openvino *model) {
    (void)model;
    return "";
}

bool akin_openvino_has_bfloat16(const akin_openvino *model) {
    (void)model;
    return false;
}

bool akin_openvino_ran_int8(const akin_openvino *model) {
    (void)model;
    return false;
}

akin_status akin_openvino_compile(akin_openvino *model, const akin_openvino_choice *choice) {
    (void)model;
    (void)choice;
    return AKIN_USAGE;
}

float *akin_openvino_values(akin_openvino *model) {
    (void)model;
    return NULL;
}

akin_status akin_openvino_run(akin_openvino *model, const float **output) {
    (void)model;
    *output = NULL;
    return AKIN_USAGE;
}
#endif
