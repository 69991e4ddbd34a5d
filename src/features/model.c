/* model: model.nc. */
#include "feature_params.h"
#include <akin/comm.h>
#include <akin/fixed.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <akin/ncfile.h>
#include <akin/network.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 128
#define MAX_DIMENSIONS 64

struct akin_model {
    float *weights, *adam_mean, *adam_variance; /* [AKIN_NETWORK_WEIGHTS] */
    akin_feature_params *params;
    int64_t step;
    size_t epochs;
    double *curve;    /* [2, epochs]: loss, holdout_loss */
    double *contrast; /* [2, epochs] likewise, or NULL */
    bool head;        /* belongs to the model */
    char digest[33];
    char *network_file, *network_request; /* NULL: none */
};

akin_status akin_model_create(akin_model **out) {
    *out = NULL;
    akin_model *model = akin_mem_zalloc(1, sizeof *model);
    if (!model) return AKIN_FAILED;
    model->weights = akin_mem_zalloc(AKIN_NETWORK_WEIGHTS, sizeof(float));
    model->adam_mean = akin_mem_zalloc(AKIN_NETWORK_WEIGHTS, sizeof(float));
    model->adam_variance = akin_mem_zalloc(AKIN_NETWORK_WEIGHTS, sizeof(float));
    const double none = NAN;
    akin_features features;
    akin_status chosen =
        akin_features_choose(&(akin_features_params){.name = "autoencoder"}, &features);
    AKIN_ASSERT(chosen == AKIN_OK);
    if (!model->weights || !model->adam_mean || !model->adam_variance ||
        akin_model_set_features(model, &features) != AKIN_OK ||
        akin_model_set_curve(model, 1, &none, &none) != AKIN_OK) {
        akin_model_free(model);
        return AKIN_FAILED;
    }
    *out = model;
    return AKIN_OK;
}

void akin_model_free(akin_model *model) {
    if (!model) return;
    akin_mem_free(model->weights);
    akin_mem_free(model->adam_mean);
    akin_mem_free(model->adam_variance);
    akin_mem_free(model->curve);
    akin_feature_params_free(model->params);
    akin_mem_free(model->contrast);
    akin_mem_free(model->network_file);
    akin_mem_free(model->network_request);
    akin_mem_free(model);
}

akin_status akin_model_set_network(akin_model *model, const char *file, const char *request) {
    akin_mem_free(model->network_file);
    akin_mem_free(model->network_request);
    model->network_file = akin_mem_text(file);
    model->network_request = akin_mem_text(request);
    return model->network_file && model->network_request ? AKIN_OK : AKIN_FAILED;
}

const char *akin_model_network_file(const akin_model *model) {
    return model->network_file;
}

const char *akin_model_network_request(const akin_model *model) {
    return model->network_request;
}

akin_status akin_model_check_network(const akin_model *model, const akin_catalog *catalog) {
    char *request = NULL;
    const akin_features *features = akin_feature_params_features(model->params);
    if (!akin_features_sees(features)) return AKIN_OK;
    akin_status status =
        akin_ncfile_get_attribute(akin_catalog_file(catalog), "network_request", &request);
    if (status == AKIN_OK &&
        (!request || !model->network_request || strcmp(request, model->network_request) != 0 ||
         akin_catalog_network_features(catalog) != features->seen))
        status = akin_error_set(
            AKIN_INPUT,
            "%s: the model uses the output of the network %s (%s), and the catalogue has "
            "%s%s; ingest with that network, or train again",
            akin_ncfile_path(akin_catalog_file(catalog)),
            model->network_file ? model->network_file : "of its training",
            model->network_request ? model->network_request : "unknown",
            request ? "that of another: " : "none", request ? request : "");
    akin_mem_free(request);
    return status;
}

float *akin_model_weights(akin_model *model) {
    return model->weights;
}

float *akin_model_adam_mean(akin_model *model) {
    return model->adam_mean;
}

float *akin_model_adam_variance(akin_model *model) {
    return model->adam_variance;
}

float *akin_model_latent_mean(akin_model *model) {
    akin_projection *latent = akin_feature_params_projection(model->params, AKIN_PART_LATENT);
    return latent ? akin_projection_mean(latent) : NULL;
}

akin_feature_params *akin_model_feature_params(akin_model *model) {
    return model->params;
}

const akin_features *akin_model_features(akin_model *model) {
    return akin_feature_params_features(model->params);
}

static void take_params(akin_model *model, akin_feature_params *params) {
    akin_feature_params_free(model->params);
    model->params = params;
}

akin_status akin_model_set_features(akin_model *model, const akin_features *features) {
    akin_feature_params *params;
    akin_status status = akin_feature_params_create(features, &params);
    if (status == AKIN_OK) take_params(model, params);
    return status;
}

bool akin_model_has_network(const akin_model *model) {
    return akin_features_network(akin_feature_params_features(model->params));
}

int64_t *akin_model_step(akin_model *model) {
    return &model->step;
}

/* Both series in a new array; NULL if out of memory. */
static double *both_series(size_t epochs, const double *loss, const double *holdout_loss) {
    double *curve = akin_mem_alloc(epochs, 2 * sizeof *curve);
    if (!curve) return NULL;
    memcpy(curve, loss, epochs * sizeof *curve);
    memcpy(curve + epochs, holdout_loss, epochs * sizeof *curve);
    return curve;
}

akin_status akin_model_set_curve(akin_model *model, size_t epochs, const double *loss,
                                 const double *holdout_loss) {
    double *curve = both_series(epochs, loss, holdout_loss);
    if (!curve) return AKIN_FAILED;
    akin_mem_free(model->curve);
    akin_mem_free(model->contrast);
    model->curve = curve;
    model->contrast = NULL;
    model->epochs = epochs;
    return AKIN_OK;
}

akin_status akin_model_set_contrast_curve(akin_model *model, const double *loss,
                                          const double *holdout_loss) {
    double *curve = both_series(model->epochs, loss, holdout_loss);
    if (!curve) return AKIN_FAILED;
    akin_mem_free(model->contrast);
    model->contrast = curve;
    return AKIN_OK;
}

bool akin_model_contrast_curve(const akin_model *model, const double **loss,
                               const double **holdout_loss) {
    *loss = model->contrast;
    *holdout_loss = model->contrast ? model->contrast + model->epochs : NULL;
    return model->contrast != NULL;
}

bool akin_model_has_head(const akin_model *model) {
    return model->head;
}

size_t akin_model_curve(const akin_model *model, const double **loss, const double **holdout_loss) {
    *loss = model->curve;
    *holdout_loss = model->curve + model->epochs;
    return model->epochs;
}

const char *akin_model_digest(const akin_model *model) {
    return model->digest;
}

/* --- the schema: three variables per tensor, and the scalars and curves --- */

static const struct part {
    const char *suffix, *long_name;
    size_t vector; /* offset of the vector's pointer in akin_model */
} parts[] = {
    {"", "weights of the network", offsetof(akin_model, weights)},
    {"_adam_mean", "first moment of Adam", offsetof(akin_model, adam_mean)},
    {"_adam_variance", "second moment of Adam", offsetof(akin_model, adam_variance)},
};
#define PARTS (sizeof parts / sizeof parts[0])

static const akin_ncfile_field curve_schema[] = {{"loss", AKIN_NC_DOUBLE, "epoch", "1",
                                                  "mean squared error of training"},
                                                 {"holdout_loss", AKIN_NC_DOUBLE, "epoch", "1",
                                                  "mean squared error of the holdout"},
                                                 {0}},
                               contrast_schema[] = {{"contrast_loss", AKIN_NC_DOUBLE, "epoch", "1",
                                                     "contrastive loss of training"},
                                                    {"holdout_contrast_loss", AKIN_NC_DOUBLE,
                                                     "epoch", "1",
                                                     "contrastive loss of the holdout"},
                                                    {0}},
                               step_schema[] = {
                                   {"step", AKIN_NC_INT64, "", "1", "optimiser steps done"}, {0}};

static float *part_of(akin_model *model, size_t part, const akin_network_tensor *tensor) {
    float *vector;
    memcpy(&vector, (const char *)model + parts[part].vector, sizeof vector);
    return vector + tensor->offset;
}

static void variable_name(const akin_network_tensor *tensor, size_t part, char name[NAME_SIZE]) {
    snprintf(name, NAME_SIZE, "%s%s", tensor->name, parts[part].suffix);
}

/* The tensors in a file: all of them, or those before the head. */
static const akin_network_tensor *tensors_of(bool head, size_t *count) {
    const akin_network_tensor *tensors = akin_network_tensors(count);
    if (!head) *count -= AKIN_NETWORK_HEAD_TENSORS;
    return tensors;
}

/* One "name=length" of a tensor's dims. *text advances to the next one, NULL at the end. */
static size_t next_dimension(const char **text, char name[NAME_SIZE]) {
    const char *equals = strchr(*text, '='), *comma = strchr(*text, ',');
    AKIN_ASSERT(equals && (size_t)(equals - *text) < NAME_SIZE);
    memcpy(name, *text, (size_t)(equals - *text));
    name[equals - *text] = '\0';
    *text = comma ? comma + 1 : NULL;
    return strtoul(equals + 1, NULL, 10);
}

/* "kernel_row=3,conv1_out=32" -> "kernel_row,conv1_out", and the length of the first. */
static size_t dimension_names(const akin_network_tensor *tensor, char names[NAME_SIZE]) {
    size_t rows = 0, used = 0;
    for (const char *text = tensor->dims; text;) {
        char name[NAME_SIZE];
        size_t length = next_dimension(&text, name);
        if (used == 0) rows = length;
        used += (size_t)snprintf(names + used, NAME_SIZE - used, "%s%s", used ? "," : "", name);
        AKIN_ASSERT(used < NAME_SIZE);
    }
    return rows;
}

/* Defines each dimension of the tensors once, even if several tensors share it. Collective. */
static void define_dimensions(akin_ncfile *file, bool head) {
    char defined[MAX_DIMENSIONS][NAME_SIZE];
    size_t count = 0, tensor_count;
    const akin_network_tensor *tensors = tensors_of(head, &tensor_count);
    for (size_t t = 0; t < tensor_count; t++)
        for (const char *text = tensors[t].dims; text;) {
            AKIN_ASSERT(count < MAX_DIMENSIONS);
            size_t known = 0, length = next_dimension(&text, defined[count]);
            while (strcmp(defined[known], defined[count]) != 0) known++;
            if (known < count) continue;
            akin_ncfile_dimension(file, defined[count], length);
            count++;
        }
    bool latent = false; /* a dimension of the fitted parameters */
    for (size_t known = 0; known < count; known++)
        latent = latent || strcmp(defined[known], "latent") == 0;
    AKIN_ASSERT(latent);
}

static void define_network(akin_ncfile *file, bool head, size_t epochs) {
    size_t tensor_count;
    const akin_network_tensor *tensors = tensors_of(head, &tensor_count);
    char name[NAME_SIZE], dims[NAME_SIZE];
    define_dimensions(file, head);
    for (size_t p = 0; p < PARTS; p++)
        for (size_t t = 0; t < tensor_count; t++) {
            variable_name(&tensors[t], p, name);
            dimension_names(&tensors[t], dims);
            akin_ncfile_variable(file, name, AKIN_NC_FLOAT, dims, parts[p].long_name, "1");
        }
    akin_ncfile_dimension(file, "epoch", epochs);
    akin_ncfile_define(file, curve_schema);
    if (head) akin_ncfile_define(file, contrast_schema);
}

static void define(akin_ncfile *file, const akin_model_origin *origin, const akin_model *model) {
    bool network = akin_model_has_network(model);
    if (network) define_network(file, model->head, model->epochs);
    akin_ncfile_define(file, step_schema);
    akin_feature_params_define(model->params, file);
    akin_ncfile_attribute(file, NULL, "title",
                          network ? "Autoencoder of product pictures"
                                  : "Features of product pictures");
    akin_ncfile_attribute(
        file, NULL, "summary",
        network ? "Weights of a convolutional autoencoder of 32x32 pictures, the state of its "
                  "optimiser, and what was fitted on its training catalogue."
                : "What was fitted on a catalogue of 32x32 pictures to describe them by features "
                  "without a network.");
    akin_ncfile_attribute(file, NULL, "akin_options", origin->options);
    akin_ncfile_attribute(file, NULL, "akin_result_options", origin->result_options);
    akin_ncfile_attribute(file, NULL, "input_catalog_digest", origin->catalog_digest);
    if (origin->init_digest)
        akin_ncfile_attribute(file, NULL, "input_init_digest", origin->init_digest);
    akin_ncfile_attribute(file, NULL, "input_pairs_digest", origin->pairs_digest);
    akin_ncfile_attribute(file, NULL, "objective", origin->objective);
    akin_ncfile_attribute(file, NULL, "network_file", model->network_file);
    akin_ncfile_attribute(file, NULL, "network_request", model->network_request);
}

static void put_network(akin_ncfile *file, bool mine, akin_model *model) {
    size_t tensor_count;
    const akin_network_tensor *tensors = tensors_of(model->head, &tensor_count);
    char name[NAME_SIZE], dims[NAME_SIZE];
    for (size_t p = 0; p < PARTS; p++)
        for (size_t t = 0; t < tensor_count; t++) {
            variable_name(&tensors[t], p, name);
            size_t rows = dimension_names(&tensors[t], dims);
            akin_ncfile_put(file, name, 0, mine ? rows : 0, part_of(model, p, &tensors[t]));
        }
    akin_ncfile_put(file, "loss", 0, mine ? model->epochs : 0, model->curve);
    akin_ncfile_put(file, "holdout_loss", 0, mine ? model->epochs : 0,
                    model->curve + model->epochs);
    if (model->head) {
        akin_ncfile_put(file, "contrast_loss", 0, mine ? model->epochs : 0, model->contrast);
        akin_ncfile_put(file, "holdout_contrast_loss", 0, mine ? model->epochs : 0,
                        model->contrast + model->epochs);
    }
}

static void put(akin_ncfile *file, bool mine, akin_model *model) {
    if (akin_model_has_network(model)) put_network(file, mine, model);
    akin_ncfile_put(file, "step", 0, mine ? 1 : 0, &model->step);
    akin_feature_params_put(model->params, file, mine);
}

static bool needs_head(const char *objective) {
    return objective && strcmp(objective, "contrastive") == 0;
}

akin_status akin_model_write(akin_comm *comm, const char *path, const akin_model_origin *origin,
                             akin_model *model) {
    akin_status status;
    akin_ncfile *file = NULL;
    AKIN_TRY(akin_ncfile_create(comm, path, "model", &file));
    model->head = akin_model_has_network(model) && needs_head(origin->objective);
    AKIN_ASSERT(!model->head || model->contrast);
    define(file, origin, model);
    AKIN_TRY(akin_ncfile_begin(file));
    put(file, akin_comm_rank(comm) == 0, model);
    status = akin_ncfile_commit(file, model->digest);
    return status;
done:
    akin_ncfile_discard(file);
    return status;
}

/* --- reading --- */

static akin_status check_finite(const akin_ncfile *file, const char *name, const float *values,
                                size_t count) {
    if (isfinite(akin_fixed_peak(values, count))) return AKIN_OK;
    return akin_error_set(AKIN_INPUT,
                          "%s: %s contains a value that is not finite; train the model again",
                          akin_ncfile_path(file), name);
}

static akin_status get_tensor(const akin_ncfile *file, size_t part,
                              const akin_network_tensor *tensor, akin_model *model) {
    akin_status status;
    char name[NAME_SIZE], dims[NAME_SIZE];
    variable_name(tensor, part, name);
    size_t rows = dimension_names(tensor, dims);
    for (const char *text = tensor->dims; text;) {
        char dimension[NAME_SIZE];
        size_t length, wanted = next_dimension(&text, dimension);
        AKIN_TRY(akin_ncfile_length(file, dimension, &length));
        if (length != wanted)
            return akin_error_set(AKIN_INPUT, "%s: an incompatible model: %s is %zu, not %zu",
                                  akin_ncfile_path(file), dimension, length, wanted);
    }
    AKIN_TRY(akin_ncfile_expect(file, name, AKIN_NC_FLOAT, dims));
    AKIN_TRY(akin_ncfile_get(file, name, 0, rows, part_of(model, part, tensor)));
    AKIN_TRY(check_finite(file, name, part_of(model, part, tensor), tensor->count));
done:
    return status;
}

/* The two variables of the schema, [2, epochs], owned by the caller. */
static akin_status get_series(const akin_ncfile *file, const akin_ncfile_field *schema,
                              size_t *epochs, double **both) {
    akin_status status;
    *both = NULL;
    AKIN_TRY(akin_ncfile_length(file, "epoch", epochs));
    AKIN_TRY(akin_ncfile_check_schema(file, schema));
    *both = akin_mem_alloc(*epochs, 2 * sizeof **both);
    if (!*both) return AKIN_FAILED;
    AKIN_TRY(akin_ncfile_get(file, schema[0].name, 0, *epochs, *both));
    AKIN_TRY(akin_ncfile_get(file, schema[1].name, 0, *epochs, *both + *epochs));
    return AKIN_OK;
done:
    akin_mem_free(*both);
    *both = NULL;
    return status;
}

static akin_status get_curve(const akin_ncfile *file, akin_model *model) {
    akin_status status;
    size_t epochs;
    double *both = NULL;
    AKIN_TRY(get_series(file, curve_schema, &epochs, &both));
    AKIN_TRY(akin_model_set_curve(model, epochs, both, both + epochs));
    if (!model->head) goto done;
    akin_mem_free(both);
    AKIN_TRY(get_series(file, contrast_schema, &epochs, &both));
    AKIN_TRY(akin_model_set_contrast_curve(model, both, both + epochs));
done:
    akin_mem_free(both);
    return status;
}

static akin_status get_network(const akin_ncfile *file, akin_model *model) {
    akin_status status = AKIN_OK;
    char *objective = NULL;
    size_t tensor_count;
    AKIN_TRY(akin_ncfile_get_attribute(file, "objective", &objective));
    model->head = needs_head(objective);
    const akin_network_tensor *tensors = tensors_of(model->head, &tensor_count);
    for (size_t p = 0; p < PARTS; p++)
        for (size_t t = 0; t < tensor_count; t++) AKIN_TRY(get_tensor(file, p, &tensors[t], model));
    AKIN_TRY(get_curve(file, model));
done:
    akin_mem_free(objective);
    return status;
}

static akin_status get(const akin_ncfile *file, akin_model *model) {
    akin_status status;
    akin_feature_params *params = NULL;
    AKIN_TRY(akin_feature_params_read(file, &params));
    take_params(model, params);
    if (akin_model_has_network(model)) AKIN_TRY(get_network(file, model));
    AKIN_TRY(akin_ncfile_get_attribute(file, "network_file", &model->network_file));
    AKIN_TRY(akin_ncfile_get_attribute(file, "network_request", &model->network_request));
    AKIN_TRY(akin_ncfile_check_schema(file, step_schema));
    AKIN_TRY(akin_ncfile_get(file, "step", 0, 1, &model->step));
    snprintf(model->digest, sizeof model->digest, "%s", akin_ncfile_digest(file));
done:
    return status;
}

akin_status akin_model_read(akin_comm *comm, const char *path, akin_model **out) {
    akin_status status;
    akin_ncfile *file = NULL;
    akin_model *model = NULL;
    *out = NULL;
    AKIN_TRY(akin_ncfile_open(comm, path, "model", &file));
    akin_status local = akin_model_create(&model);
    if (local == AKIN_OK) local = get(file, model);
    AKIN_TRY(akin_agree(comm, local));
    *out = model;
    model = NULL;
done:
    akin_model_free(model);
    akin_ncfile_close(file);
    return status;
}
