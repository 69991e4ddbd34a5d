/* checkpoint: the state of a training run. */
#include "checkpoint.h"
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/network.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#define VECTORS 4 /* weights, first moment, second moment, and the best weights if they are kept */

static size_t state_vectors(akin_model *model, const akin_history *history,
                            float *vectors[VECTORS]) {
    vectors[0] = akin_model_weights(model);
    vectors[1] = akin_model_adam_mean(model);
    vectors[2] = akin_model_adam_variance(model);
    vectors[3] = history->best;
    return history->best ? VECTORS : VECTORS - 1;
}

static const struct figure {
    const char *name, *long_name;
    size_t place; /* offset of the pointer in akin_history if the variable has a dimension,
                   * otherwise of the number */
    bool curve;
} figures[] = {
    {"loss", "mean squared error of training", offsetof(akin_history, loss), true},
    {"holdout_loss", "mean squared error of the holdout", offsetof(akin_history, holdout_loss),
     true},
    {"contrast_loss", "contrastive loss of training", offsetof(akin_history, contrast_loss), true},
    {"holdout_contrast_loss", "contrastive loss of the holdout",
     offsetof(akin_history, holdout_contrast_loss), true},
    {"loss_first", "mean squared error of the first step", offsetof(akin_history, loss_first),
     false},
    {"squared_error", "sum over the current epoch", offsetof(akin_history, squared_error), false},
    {"contrast", "sum over the current epoch", offsetof(akin_history, contrast), false},
};
#define FIGURES (sizeof figures / sizeof figures[0])

static double *place_of(const akin_history *history, const struct figure *figure) {
    char *place = (char *)history + figure->place;
    if (!figure->curve) return (double *)(void *)place;
    double *curve;
    memcpy(&curve, place, sizeof curve);
    return curve;
}

akin_status akin_history_allocate(akin_history *history, bool best) {
    for (size_t f = 0; f < FIGURES; f++) {
        if (!figures[f].curve) continue;
        double *curve = akin_mem_alloc(history->epochs, sizeof *curve);
        if (!curve) return AKIN_FAILED;
        memcpy((char *)history + figures[f].place, &curve, sizeof curve);
    }
    if (best) history->best = akin_mem_zalloc(AKIN_NETWORK_WEIGHTS, sizeof(float));
    return best && !history->best ? AKIN_FAILED : AKIN_OK;
}

void akin_history_release(akin_history *history) {
    for (size_t f = 0; f < FIGURES; f++)
        if (figures[f].curve) akin_mem_free(place_of(history, &figures[f]));
    akin_mem_free(history->best);
    *history = (akin_history){0};
}

void akin_history_copy(const akin_history *from, akin_history *to) {
    for (size_t f = 0; f < FIGURES; f++)
        memcpy(place_of(to, &figures[f]), place_of(from, &figures[f]),
               (figures[f].curve ? from->epochs : 1) * sizeof(double));
    if (from->best) memcpy(to->best, from->best, AKIN_NETWORK_WEIGHTS * sizeof(float));
}

/* --- writing --- */

static const akin_ncfile_field schema[] = {
    {"state", AKIN_NC_FLOAT, "vector,weight", "1",
     "weights, first and second moment of Adam, best weights"},
    {"step", AKIN_NC_INT64, "", "1", "optimiser steps done"},
    {0}};

/* The figures, as a schema. */
static const akin_ncfile_field *figure_schema(akin_ncfile_field fields[FIGURES + 1]) {
    for (size_t f = 0; f < FIGURES; f++)
        fields[f] = (akin_ncfile_field){figures[f].name, AKIN_NC_DOUBLE,
                                        figures[f].curve ? "epoch" : "", "1", figures[f].long_name};
    fields[FIGURES] = (akin_ncfile_field){0};
    return fields;
}

static void define(akin_ncfile *file, const akin_checkpoint_origin *origin, size_t epochs,
                   size_t vectors) {
    akin_ncfile_field fields[FIGURES + 1];
    akin_ncfile_dimension(file, "vector", vectors);
    akin_ncfile_dimension(file, "weight", AKIN_NETWORK_WEIGHTS);
    akin_ncfile_dimension(file, "epoch", epochs);
    akin_ncfile_define(file, schema);
    akin_ncfile_define(file, figure_schema(fields));
    akin_ncfile_attribute(file, NULL, "title", "Training run in progress");
    akin_ncfile_attribute(file, NULL, "summary",
                          "State of a training run of akin; the same command resumes it.");
    akin_ncfile_attribute(file, NULL, "akin_options", origin->options);
    akin_ncfile_attribute(file, NULL, "akin_result_options", origin->result_options);
    akin_ncfile_attribute(file, NULL, "input_catalog_digest", origin->catalog_digest);
    if (origin->init_digest)
        akin_ncfile_attribute(file, NULL, "input_init_digest", origin->init_digest);
}

static void put(akin_ncfile *file, bool mine, akin_model *model, const akin_history *history) {
    float *vectors[VECTORS];
    size_t count = state_vectors(model, history, vectors);
    for (size_t v = 0; v < count; v++) akin_ncfile_put(file, "state", v, mine ? 1 : 0, vectors[v]);
    akin_ncfile_put(file, "step", 0, mine ? 1 : 0, akin_model_step(model));
    for (size_t f = 0; f < FIGURES; f++)
        akin_ncfile_put(file, figures[f].name, 0,
                        !mine              ? 0
                        : figures[f].curve ? history->epochs
                                           : 1,
                        place_of(history, &figures[f]));
}

akin_status akin_checkpoint_write(akin_comm *comm, const char *path,
                                  const akin_checkpoint_origin *origin, akin_model *model,
                                  const akin_history *history) {
    akin_status status;
    akin_ncfile *file = NULL;
    AKIN_TRY(akin_ncfile_create(comm, path, "checkpoint", &file));
    define(file, origin, history->epochs, history->best ? VECTORS : VECTORS - 1);
    AKIN_TRY(akin_ncfile_begin(file));
    put(file, akin_comm_rank(comm) == 0, model, history);
    return akin_ncfile_commit(file, NULL);
done:
    akin_ncfile_discard(file);
    return status;
}

/* --- reading --- */

static akin_status check_origin(const akin_ncfile *file, const akin_checkpoint_origin *origin) {
    const akin_ncfile_claim claims[] = {
        {"akin_result_options", "the options", origin->result_options},
        {"input_catalog_digest", "the catalogue", origin->catalog_digest},
        {"input_init_digest", "the model of --init", origin->init_digest}};
    return akin_ncfile_check_claims(file, "checkpoint", claims, sizeof claims / sizeof *claims);
}

/* A number that this run cannot have reached must not be used as a count or an index. */
static akin_status check_numbers(const akin_ncfile *file, akin_model *model, size_t steps) {
    int64_t step = *akin_model_step(model);
    const float *variance = akin_model_adam_variance(model);
    const float *parts[] = {akin_model_weights(model), akin_model_adam_mean(model), variance};
    bool finite = true;
    if (step < 0 || (uint64_t)step > steps)
        return akin_error_set(AKIN_INPUT,
                              "%s: damaged: it says that %lld steps are done, but the run has %zu",
                              akin_ncfile_path(file), (long long)step, steps);
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        for (size_t i = 0; i < AKIN_NETWORK_WEIGHTS; i++) finite = finite && isfinite(parts[p][i]);
    for (size_t i = 0; i < AKIN_NETWORK_WEIGHTS; i++) finite = finite && variance[i] >= 0;
    return finite ? AKIN_OK
                  : akin_error_set(AKIN_INPUT, "%s: damaged: a weight or moment is not a number",
                                   akin_ncfile_path(file));
}

static akin_status get(const akin_ncfile *file, akin_model *model, akin_history *history) {
    akin_status status;
    akin_ncfile_field fields[FIGURES + 1];
    size_t epochs, weights, found;
    float *vectors[VECTORS];
    size_t count = state_vectors(model, history, vectors);
    AKIN_TRY(akin_ncfile_length(file, "vector", &found));
    AKIN_TRY(akin_ncfile_length(file, "epoch", &epochs));
    AKIN_TRY(akin_ncfile_length(file, "weight", &weights));
    AKIN_TRY(akin_ncfile_check_schema(file, schema));
    AKIN_TRY(akin_ncfile_check_schema(file, figure_schema(fields)));
    if (epochs != history->epochs || weights != AKIN_NETWORK_WEIGHTS || found != count)
        return akin_error_set(AKIN_INPUT, "%s: an incompatible checkpoint", akin_ncfile_path(file));
    for (size_t v = 0; v < count; v++) AKIN_TRY(akin_ncfile_get(file, "state", v, 1, vectors[v]));
    AKIN_TRY(akin_ncfile_get(file, "step", 0, 1, akin_model_step(model)));
    for (size_t f = 0; f < FIGURES; f++)
        AKIN_TRY(akin_ncfile_get(file, figures[f].name, 0, figures[f].curve ? epochs : 1,
                                 place_of(history, &figures[f])));
done:
    return status;
}

akin_status akin_checkpoint_read(akin_comm *comm, const char *path,
                                 const akin_checkpoint_origin *origin, akin_model *model,
                                 size_t steps, akin_history *history) {
    akin_status status;
    akin_ncfile *file = NULL;
    AKIN_TRY(akin_ncfile_open(comm, path, "checkpoint", &file));
    akin_status local = check_origin(file, origin);
    if (local == AKIN_OK) local = get(file, model, history);
    if (local == AKIN_OK) local = check_numbers(file, model, steps);
    if (local == AKIN_OK) local = akin_ncfile_tell_cpu(file, "the checkpoint");
    AKIN_TRY(akin_agree(comm, local));
done:
    akin_ncfile_close(file);
    return status;
}

/* --- writing in the background --- */

struct akin_saver {
    akin_comm *comm;
    akin_worker *worker;
    const char *path;
    const akin_checkpoint_origin *origin;
    akin_worker_job job;
    akin_model *model; /* the copy that is written; only rank 0 has one, and the history */
    akin_history history;
};

static akin_status write_copy(void *context) {
    akin_saver *saver = context;
    return akin_checkpoint_write(akin_comm_alone(saver->comm), saver->path, saver->origin,
                                 saver->model, &saver->history);
}

static akin_status create_copy(akin_saver *saver, const akin_history *history) {
    akin_status status;
    AKIN_TRY(akin_model_create(&saver->model));
    saver->history.epochs = history->epochs;
    AKIN_TRY(akin_history_allocate(&saver->history, history->best != NULL));
done:
    return status;
}

akin_status akin_saver_create(akin_comm *comm, akin_worker *worker, const char *path,
                              const akin_checkpoint_origin *origin, const akin_history *history,
                              akin_saver **out) {
    akin_status status = AKIN_OK;
    *out = NULL;
    akin_saver *saver = akin_mem_zalloc(1, sizeof *saver);
    if (!saver) return AKIN_FAILED;
    saver->comm = comm;
    saver->worker = worker;
    saver->path = path;
    saver->origin = origin;
    saver->job = (akin_worker_job){.run = write_copy, .context = saver};
    if (akin_comm_rank(comm) == 0) AKIN_TRY(create_copy(saver, history));
    *out = saver;
    return AKIN_OK;
done:
    akin_saver_free(saver);
    return status;
}

void akin_saver_free(akin_saver *saver) {
    if (!saver) return;
    akin_worker_idle(saver->worker);
    akin_model_free(saver->model);
    akin_history_release(&saver->history);
    akin_mem_free(saver);
}

static void copy(akin_saver *saver, akin_model *model, const akin_history *history) {
    const size_t bytes = AKIN_NETWORK_WEIGHTS * sizeof(float);
    memcpy(akin_model_weights(saver->model), akin_model_weights(model), bytes);
    memcpy(akin_model_adam_mean(saver->model), akin_model_adam_mean(model), bytes);
    memcpy(akin_model_adam_variance(saver->model), akin_model_adam_variance(model), bytes);
    *akin_model_step(saver->model) = *akin_model_step(model);
    akin_history_copy(history, &saver->history);
}

akin_status akin_saver_start(akin_saver *saver, akin_model *model, const akin_history *history) {
    akin_status status = akin_saver_wait(saver);
    if (status != AKIN_OK || akin_comm_rank(saver->comm) != 0) return status;
    copy(saver, model, history);
    akin_worker_start(saver->worker, &saver->job);
    return AKIN_OK;
}

akin_status akin_saver_wait(akin_saver *saver) {
    return akin_agree(saver->comm, akin_worker_wait(saver->worker, &saver->job));
}
