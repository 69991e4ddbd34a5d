/* training_begin: how long a run is, what it needs, and where it starts: from the seed, from another
 * model, or from a checkpoint. */
#include "training.h"
#include <akin/file.h>
#include <akin/log.h>
#include <math.h>
#include <string.h>

#define EPOCHS 20.0
#define IMAGES 400000.0 /* in all; what two cores process in about five minutes */

/* Of a large catalogue fewer: its maps need no more pictures than another's. The latent alone is
 * trained as long whatever the size. */
static double epochs_by_size(const akin_training *run) {
    const akin_features *features = run->params->features;
    double items = (double)akin_sampler_train_items(&run->sampler);
    return !features || akin_features_is_latent(features) ? EPOCHS : fmin(EPOCHS, IMAGES / items);
}

/* Length of the run: whole steps, and at least one. */
static void plan(akin_training *run) {
    const akin_train_params *params = run->params;
    run->sampler = akin_sampler_make(params->seed, akin_catalog_items(run->catalog),
                                     params->holdout, params->batch);
    size_t in_epoch = akin_sampler_steps(&run->sampler);
    double epochs = params->epochs > 0 ? params->epochs : epochs_by_size(run);
    double steps = ceil(epochs * (double)in_epoch - 1e-6);
    if (params->steps > 0 && (double)params->steps < steps) steps = (double)params->steps;
    run->steps = steps > 1 ? (size_t)steps : 1;
    run->history.epochs = (run->steps + in_epoch - 1) / in_epoch;
    run->schedule = akin_schedule_make(params->learning_rate, run->steps, params->warmup,
                                       params->batch, !params->constant_rate);
}

/* What a run without a network also needs. */
akin_status akin_training_allocate(akin_training *run) {
    akin_status status;
    AKIN_TRY(akin_text_create(&run->checkpoint_name));
    AKIN_TRY(
        akin_text_append(run->checkpoint_name, "%s%s",
                         run->params->checkpoint ? run->params->checkpoint : run->params->output,
                         run->params->checkpoint ? "" : ".checkpoint"));
    AKIN_TRY(akin_model_create(&run->model));
    if (akin_comm_rank(run->comm) == 0) AKIN_TRY(akin_file_check_output(run->params->output));
done:
    return status;
}

/* Everything that can fail on a single rank. */
static akin_status allocate(akin_training *run) {
    akin_status status;
    AKIN_TRY(akin_history_allocate(&run->history, run->params->patience > 0));
    AKIN_TRY(akin_training_allocate(run));
    AKIN_TRY(akin_network_create(&run->network));
    AKIN_TRY(akin_worker_create(&run->worker));
    if (akin_comm_rank(run->comm) == 0)
        AKIN_TRY(akin_file_check_output(akin_text_bytes(run->checkpoint_name)));
done:
    return status;
}

bool akin_training_is_contrastive(const akin_training *run) {
    return run->params->objective.kind == AKIN_OBJECTIVE_CONTRASTIVE;
}

static void forget_history(akin_training *run) {
    akin_history *history = &run->history;
    for (size_t e = 0; e < history->epochs; e++)
        history->loss[e] = history->holdout_loss[e] = history->contrast_loss[e] =
            history->holdout_contrast_loss[e] = NAN;
    history->loss_first = NAN;
    history->squared_error = history->contrast = 0;
}

/* The initial model: the weights of --init, or drawn from the seed; with a head if the objective
 * needs one. */
static void start(akin_training *run) {
    const akin_train_params *params = run->params;
    float *weights = akin_model_weights(run->model);
    akin_network_initialise(params->seed, weights);
    if (akin_training_is_contrastive(run)) akin_network_initialise_head(params->seed, weights);
    if (run->init) {
        bool both = akin_training_is_contrastive(run) && akin_model_has_head(run->init);
        size_t count = both ? AKIN_NETWORK_WEIGHTS : AKIN_NETWORK_HEAD;
        memcpy(weights, akin_model_weights(run->init), count * sizeof *weights);
    }
    forget_history(run);
}

/* Loads the saved state, if there is one that matches. A default checkpoint that does not match
 * is reported and replaced later; one given by name is refused. Collective; agreed. */
static akin_status resume(akin_training *run) {
    akin_status status;
    akin_model *saved = NULL;
    const char *name = akin_text_bytes(run->checkpoint_name);
    int64_t found = akin_comm_rank(run->comm) == 0 && akin_file_exists(name);
    akin_comm_max_i64(run->comm, &found, 1);
    if (!found) return AKIN_OK;
    AKIN_TRY(akin_agree(run->comm, akin_model_create(&saved)));
    status = akin_checkpoint_read(run->comm, name, &run->origin, saved, run->steps, &run->history);
    if (status == AKIN_OK) {
        akin_model_free(run->model);
        run->model = saved;
        akin_log_info("train: resuming from %s at step %lld", name,
                      (long long)*akin_model_step(saved));
        return AKIN_OK;
    }
    if (run->params->checkpoint) {
        status = akin_error_context(status, "--checkpoint: ");
        goto done;
    }
    akin_log_warning("train: starting over, because of %s", akin_error_message());
    forget_history(run);
    status = AKIN_OK;
done:
    akin_model_free(saved);
    return status;
}

/* Objects that work on the model in its initial or resumed state. */
static akin_status create_parts(akin_training *run) {
    akin_status status;
    const akin_step_parts parts = {.comm = run->comm,
                                   .worker = run->worker,
                                   .catalog = run->catalog,
                                   .sampler = &run->sampler,
                                   .objective = run->params->objective,
                                   .network = run->network,
                                   .model = run->model,
                                   .steps = run->steps};
    AKIN_TRY(akin_saver_create(run->comm, run->worker, akin_text_bytes(run->checkpoint_name),
                               &run->origin, &run->history, &run->saver));
    AKIN_TRY(akin_step_create(&parts, &run->step));
done:
    return status;
}

akin_status akin_training_begin(akin_training *run) {
    akin_status status;
    const akin_train_params *params = run->params;
    AKIN_TRY(akin_catalog_open(run->comm, params->catalog, &run->catalog));
    plan(run);
    AKIN_TRY(akin_agree(run->comm, allocate(run)));
    if (params->init) AKIN_TRY(akin_model_read(run->comm, params->init, &run->init));
    if (run->init && !akin_model_has_network(run->init))
        AKIN_TRY(akin_error_set(
            AKIN_INPUT,
            "--init %s: its features have no network, so there are no weights to start from",
            params->init));
    run->origin =
        (akin_checkpoint_origin){.options = params->options,
                                 .result_options = params->result_options,
                                 .catalog_digest = akin_catalog_digest(run->catalog),
                                 .init_digest = run->init ? akin_model_digest(run->init) : NULL};
    start(run);
    AKIN_TRY(resume(run));
    AKIN_TRY(akin_agree(run->comm, create_parts(run)));
    run->saved_at = akin_comm_seconds();
done:
    return status;
}
