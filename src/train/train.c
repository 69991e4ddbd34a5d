/* train: a complete training run. */
#include "checkpoint.h"
#include "step.h"
#include <akin/catalog.h>
#include <akin/file.h>
#include <akin/fit_features.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/network.h>
#include <akin/sampler.h>
#include <akin/schedule.h>
#include <akin/text.h>
#include <akin/train.h>
#include <akin/worker.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    akin_comm *comm;
    const akin_train_params *params;
    akin_catalog *catalog;
    akin_sampler sampler;
    akin_network *network;
    akin_model *model, *init; /* init: NULL without --init */
    akin_worker *worker;
    akin_step *step;
    akin_saver *saver;
    akin_checkpoint_origin origin;
    akin_text *checkpoint_name;
    akin_history history;
    size_t steps; /* of the run, unless its patience ends it */
    akin_schedule schedule;
    double saved_at; /* clock of the last checkpoint */
    double told_at;  /* clock of the last line about an epoch */
    double seconds;  /* in steps */
    double images;   /* in these seconds */
    double waiting;  /* seconds of them in which this rank waited for others */
    double reading;  /* and for pictures */
    double saving;   /* seconds in which the steps waited for checkpoints */
} run;

/* --- starting --- */

#define EPOCHS 20.0
#define IMAGES 400000.0 /* of them all; what two cores see in about five minutes */

/* Of a large catalogue fewer: its maps need no more pictures than another's. The latent alone is
 * trained as long whatever the size. */
static double epochs_by_size(const run *run) {
    const akin_features *features = run->params->features;
    double items = (double)akin_sampler_train_items(&run->sampler);
    return !features || akin_features_is_latent(features) ? EPOCHS : fmin(EPOCHS, IMAGES / items);
}

/* Length of the run: whole steps, and at least one. */
static void plan(run *run) {
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

/* What a run without a network needs too. */
static akin_status allocate_fit(run *run) {
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
static akin_status allocate(run *run) {
    akin_status status;
    AKIN_TRY(akin_history_allocate(&run->history, run->params->patience > 0));
    AKIN_TRY(allocate_fit(run));
    AKIN_TRY(akin_network_create(&run->network));
    AKIN_TRY(akin_worker_create(&run->worker));
    if (akin_comm_rank(run->comm) == 0)
        AKIN_TRY(akin_file_check_output(akin_text_bytes(run->checkpoint_name)));
done:
    return status;
}

static bool is_contrastive(const run *run) {
    return run->params->objective.kind == AKIN_OBJECTIVE_CONTRASTIVE;
}

static void forget_history(run *run) {
    akin_history *history = &run->history;
    for (size_t e = 0; e < history->epochs; e++)
        history->loss[e] = history->holdout_loss[e] = history->contrast_loss[e] =
            history->holdout_contrast_loss[e] = NAN;
    history->loss_first = NAN;
    history->squared_error = history->contrast = 0;
}

/* The initial model: the weights of --init, or drawn from the seed; with a head if the objective
 * needs one. */
static void start(run *run) {
    const akin_train_params *params = run->params;
    float *weights = akin_model_weights(run->model);
    akin_network_initialise(params->seed, weights);
    if (is_contrastive(run)) akin_network_initialise_head(params->seed, weights);
    if (run->init) {
        bool both = is_contrastive(run) && akin_model_has_head(run->init);
        size_t count = both ? AKIN_NETWORK_WEIGHTS : AKIN_NETWORK_HEAD;
        memcpy(weights, akin_model_weights(run->init), count * sizeof *weights);
    }
    forget_history(run);
}

/* Loads the saved state, if there is one that matches. A default checkpoint that does not match
 * is reported and replaced later; one given by name is refused. Collective; agreed. */
static akin_status resume(run *run) {
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
static akin_status create_parts(run *run) {
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

static akin_status begin(run *run) {
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

/* --- the steps --- */

static akin_status save(run *run) {
    run->saved_at = akin_comm_seconds();
    akin_status status = akin_saver_start(run->saver, run->model, &run->history);
    run->saving += akin_comm_seconds() - run->saved_at;
    return status;
}

static akin_status interrupted(run *run) {
    return akin_error_set(
        AKIN_INTERRUPTED,
        "training was interrupted after step %lld of %zu; %s is saved, submit again to continue",
        (long long)*akin_model_step(run->model), run->steps, akin_text_bytes(run->checkpoint_name));
}

/* Images of the first `steps` steps. */
static double images_of(const run *run, size_t steps) {
    size_t in_epoch = akin_sampler_steps(&run->sampler);
    double items = (double)akin_sampler_train_items(&run->sampler),
           rest = (double)(steps % in_epoch);
    return items * (double)(steps / in_epoch) +
           rest * (double)run->params->batch; /* only the last may be short */
}

/* The value that the objective minimises, from the two losses. */
static double objective_of(const run *run, double loss, double contrast) {
    return is_contrastive(run) ? loss + run->params->objective.contrast * contrast : loss;
}

static double holdout_objective(const run *run, size_t epoch) {
    return objective_of(run, run->history.holdout_loss[epoch],
                        run->history.holdout_contrast_loss[epoch]);
}

/* The epoch with the lowest holdout loss among the first `epochs`; the first if there is none. */
static size_t best_epoch(const run *run, size_t epochs) {
    size_t best = 0;
    for (size_t e = 1; e < epochs; e++)
        if (holdout_objective(run, e) < holdout_objective(run, best)) best = e;
    return best;
}

/* A line per epoch; about a hundred for a run with many more, but all that take a minute or
 * longer. */
static void tell_epoch(run *run, size_t epoch) {
    double now = akin_comm_seconds(), rate = run->images / run->seconds;
    double left =
        (images_of(run, run->steps) - images_of(run, (size_t)*akin_model_step(run->model))) / rate;
    size_t stride = (run->history.epochs + 99) / 100;
    bool tells =
        (epoch + 1) % stride == 0 || epoch + 1 == run->history.epochs || now - run->told_at >= 60;
    char holdout[32] = "", contrast[64] = "";
    if (run->sampler.holdout > 0)
        snprintf(holdout, sizeof holdout, ", holdout %.5f", run->history.holdout_loss[epoch]);
    if (is_contrastive(run))
        snprintf(contrast, sizeof contrast, ", contrast %.4f", run->history.contrast_loss[epoch]);
    if (is_contrastive(run) && run->sampler.holdout > 0)
        snprintf(contrast + strlen(contrast), sizeof contrast - strlen(contrast), ", holdout %.4f",
                 run->history.holdout_contrast_loss[epoch]);
    (tells ? akin_log_info : akin_log_record)(
        "train: epoch %zu of %zu: loss %.5f%s%s, %.0f images/s, %.0f s left", epoch + 1,
        run->history.epochs, run->history.loss[epoch], holdout, contrast, rate, left);
    if (tells) run->told_at = now;
}

static akin_status end_epoch(run *run, size_t epoch) {
    akin_status status = AKIN_OK;
    akin_history *history = &run->history;
    size_t first = epoch * akin_sampler_steps(&run->sampler),
           step = (size_t)*akin_model_step(run->model);
    double images = images_of(run, step) - images_of(run, first);
    history->loss[epoch] = history->squared_error / images / AKIN_IMAGE_BYTES;
    if (is_contrastive(run)) history->contrast_loss[epoch] = history->contrast / (2 * images);
    history->squared_error = history->contrast = 0;
    if (run->sampler.holdout > 0) {
        double squared_error;
        AKIN_TRY(akin_step_holdout(run->step, &squared_error));
        history->holdout_loss[epoch] =
            squared_error / (double)run->sampler.holdout / AKIN_IMAGE_BYTES;
    }
    if (run->sampler.holdout > 0 && is_contrastive(run))
        AKIN_TRY(akin_step_holdout_contrast(run->step, &history->holdout_contrast_loss[epoch]));
    if (history->best && best_epoch(run, epoch + 1) == epoch)
        memcpy(history->best, akin_model_weights(run->model), AKIN_NETWORK_WEIGHTS * sizeof(float));
    tell_epoch(run, epoch);
done:
    return status;
}

/* Epochs that are done, a partial one at the end of the run counting as one. */
static size_t epochs_done(const run *run) {
    size_t step = (size_t)*akin_model_step(run->model),
           in_epoch = akin_sampler_steps(&run->sampler);
    return step == run->steps ? run->history.epochs : step / in_epoch;
}

static bool out_of_patience(const run *run) {
    size_t done = epochs_done(run);
    if (!run->history.best || run->sampler.holdout == 0 || done == 0) return false;
    return done - 1 - best_epoch(run, done) >= run->params->patience;
}

static void show_progress(const run *run) {
    akin_log_progress("train", "images", images_of(run, (size_t)*akin_model_step(run->model)),
                      images_of(run, run->steps));
}

/* One step with everything around it. */
static akin_status advance(run *run, size_t step) {
    akin_status status;
    akin_step_outcome outcome;
    double start = akin_comm_seconds();
    size_t in_epoch = akin_sampler_steps(&run->sampler);
    bool due =
        akin_comm_rank(run->comm) == 0 && start - run->saved_at >= run->params->checkpoint_every;
    AKIN_TRY(akin_step_take(run->step, akin_schedule_rate(&run->schedule, step), due, &outcome));
    run->seconds += akin_comm_seconds() - start;
    run->images += (double)outcome.images;
    run->waiting += outcome.waiting;
    run->reading += outcome.reading;
    run->history.squared_error += outcome.squared_error;
    run->history.contrast += outcome.contrast;
    if (step == 0)
        run->history.loss_first = outcome.squared_error / (double)outcome.images / AKIN_IMAGE_BYTES;
    bool epoch_ends = (step + 1) % in_epoch == 0 || step + 1 == run->steps;
    if (epoch_ends) AKIN_TRY(end_epoch(run, step / in_epoch));
    if (epoch_ends || outcome.wish || outcome.signalled) AKIN_TRY(save(run));
    if (outcome.signalled) {
        AKIN_TRY(akin_saver_wait(run->saver));
        AKIN_TRY(interrupted(run));
    }
done:
    return status;
}

static akin_status take_steps(run *run) {
    akin_status status = AKIN_OK;
    show_progress(run);
    for (size_t step = (size_t)*akin_model_step(run->model);
         step < run->steps && !out_of_patience(run); step++) {
        AKIN_TRY(advance(run, step));
        show_progress(run);
    }
    AKIN_TRY(akin_saver_wait(run->saver));
    akin_worker_idle(run->worker); /* from here on NetCDF belongs to this thread */
done:
    akin_log_progress_end();
    return status;
}

/* --- which model is kept --- */

/* The limit for the loss of the last epoch: a grey picture is never further than this from any
 * other; and if the first batch was large enough to be representative, a run that ends this far
 * above it has made the model worse. */
#define LOSS_OF_GREY 0.25
#define FIRST_BATCH_TELLS 32
#define WORSE 1.5

static double loss_allowed(const run *run) {
    double first = run->history.loss_first;
    bool tells = run->params->batch >= FIRST_BATCH_TELLS &&
                 akin_sampler_batch_items(&run->sampler, 0) >= FIRST_BATCH_TELLS;
    return tells ? WORSE * first : fmax(LOSS_OF_GREY, first);
}

/* The same on every rank. A loss that is not a number has ended the run earlier. */
static akin_status check_converged(const run *run) {
    size_t done = epochs_done(run);
    const akin_history *history = &run->history;
    double lowest = INFINITY, last = 0;
    for (size_t e = 0; e < done; e++) {
        last = objective_of(run, history->loss[e], history->contrast_loss[e]);
        lowest = fmin(lowest, last);
    }
    if (last <= 2 * lowest && history->loss[done - 1] <= loss_allowed(run)) return AKIN_OK;
    return akin_error_set(
        AKIN_FAILED,
        "training diverged: the loss of the last epoch is %.5f, of the best %.5f, at first %.5f; "
        "no model is saved; try a smaller --learning-rate than %g, or --patience",
        last, lowest, run->history.loss_first, run->params->learning_rate);
}

static akin_status choose(run *run) {
    akin_status status;
    akin_history *history = &run->history;
    size_t done = epochs_done(run);
    if (history->best && run->sampler.holdout > 0) {
        size_t best = best_epoch(run, done);
        memcpy(akin_model_weights(run->model), history->best, AKIN_NETWORK_WEIGHTS * sizeof(float));
        akin_log_info("train: %s; the weights of epoch %zu are kept, holdout %.5f",
                      done < history->epochs ? "ended early" : "done", best + 1,
                      history->holdout_loss[best]);
    } else {
        AKIN_TRY(check_converged(run)); /* the same on every rank */
    }
    status = akin_model_set_curve(run->model, done, history->loss, history->holdout_loss);
    if (status == AKIN_OK && is_contrastive(run))
        status = akin_model_set_contrast_curve(run->model, history->contrast_loss,
                                               history->holdout_contrast_loss);
    status = akin_agree(run->comm, status);
done:
    return status;
}

/* --- finishing --- */

static akin_status finish(run *run) {
    akin_status status;
    const akin_train_params *params = run->params;
    akin_model_origin origin = {.options = params->options,
                                .result_options = params->result_options,
                                .catalog_digest = run->origin.catalog_digest,
                                .init_digest = run->origin.init_digest,
                                .objective = akin_model_has_network(run->model)
                                                 ? akin_objective_name(params->objective.kind)
                                                 : NULL};
    AKIN_TRY(akin_model_write(run->comm, params->output, &origin, run->model));
    /* The model is written, so the checkpoint is no longer needed. */
    if (akin_comm_rank(run->comm) == 0 && run->step)
        akin_file_remove(akin_text_bytes(run->checkpoint_name));
done:
    return status;
}

static void report(run *run, akin_train_result *result) {
    akin_history *history = &run->history;
    size_t done = epochs_done(run), step = (size_t)*akin_model_step(run->model);
    double waits[3] = {run->waiting, run->reading, run->saving};
    akin_comm_max_f64(run->comm, waits, 3);
    size_t kept = history->best ? best_epoch(run, done) : done - 1;
    *result =
        (akin_train_result){.items = akin_catalog_items(run->catalog),
                            .epochs = (double)step / (double)akin_sampler_steps(&run->sampler),
                            .steps = (int64_t)step,
                            .loss_first = history->loss_first,
                            .loss_last = history->loss[done - 1],
                            .holdout_loss = history->holdout_loss[kept],
                            .contrast_last = history->contrast_loss[done - 1],
                            .holdout_contrast = history->holdout_contrast_loss[kept],
                            .images_per_second = run->images > 0 ? run->images / run->seconds : NAN,
                            .seconds_waiting = waits[0],
                            .seconds_reading = waits[1],
                            .seconds_saving = waits[2],
                            .points = done,
                            .loss_curve = history->loss,
                            .holdout_curve = history->holdout_loss,
                            .contrast_curve = history->contrast_loss,
                            .holdout_contrast_curve = history->holdout_contrast_loss};
    history->loss = history->holdout_loss = history->contrast_loss =
        history->holdout_contrast_loss = NULL;
    akin_log_info("train: %g epoch%s, %zu step%s, loss %.5f from %.5f", result->epochs,
                  AKIN_PLURAL(result->epochs), step, AKIN_PLURAL(step), result->loss_last,
                  result->loss_first);
    if (run->sampler.holdout > 0) akin_log_info("train: holdout loss %.5f", result->holdout_loss);
    if (is_contrastive(run)) akin_log_info("train: contrastive loss %.4f", result->contrast_last);
}

static void end(run *run) {
    akin_history_release(&run->history);
    akin_step_free(run->step);
    akin_saver_free(run->saver);
    akin_worker_free(run->worker);
    akin_network_free(run->network);
    akin_model_free(run->model);
    akin_model_free(run->init);
    akin_text_free(run->checkpoint_name);
    akin_catalog_close(run->catalog);
}

static const akin_features *features(const run *run) {
    return run->params->features ? run->params->features : akin_model_features(run->model);
}

/* --- features that need no network --- */

static akin_status begin_fit(run *run) {
    akin_status status;
    AKIN_TRY(akin_catalog_open(run->comm, run->params->catalog, &run->catalog));
    if (run->params->init) AKIN_TRY(akin_model_read(run->comm, run->params->init, &run->init));
    AKIN_TRY(akin_agree(run->comm, allocate_fit(run)));
    run->origin =
        (akin_checkpoint_origin){.catalog_digest = akin_catalog_digest(run->catalog),
                                 .init_digest = run->init ? akin_model_digest(run->init) : NULL};
done:
    return status;
}

static akin_status fit_only(akin_comm *comm, const akin_train_params *params,
                            akin_train_result *result) {
    akin_status status;
    akin_fit_features_result fitted;
    run run = {.comm = comm, .params = params};
    AKIN_TRY(begin_fit(&run));
    AKIN_TRY(akin_fit_features(comm, run.catalog, params->features, run.model, &fitted));
    AKIN_TRY(finish(&run));
    *result = (akin_train_result){.items = akin_catalog_items(run.catalog),
                                  .loss_first = NAN,
                                  .loss_last = NAN,
                                  .holdout_loss = NAN,
                                  .contrast_last = NAN,
                                  .holdout_contrast = NAN,
                                  .images_per_second = (double)fitted.items / fitted.seconds,
                                  .fitted = fitted};
    akin_log_info("train: %s fitted on %zu of %zu item%s", params->features->name, fitted.items,
                  result->items, AKIN_PLURAL(result->items));
done:
    end(&run);
    return status;
}

/* --- features with one --- */

static akin_status train_network(akin_comm *comm, const akin_train_params *params,
                                 akin_train_result *result) {
    akin_status status;
    akin_fit_features_result fitted;
    run run = {.comm = comm, .params = params};
    AKIN_TRY(begin(&run));
    AKIN_TRY(take_steps(&run));
    AKIN_TRY(choose(&run));
    AKIN_TRY(akin_fit_features(comm, run.catalog, features(&run), run.model, &fitted));
    AKIN_TRY(finish(&run));
    report(&run, result);
    result->fitted = fitted;
done:
    end(&run);
    return status;
}

akin_status akin_train(akin_comm *comm, const akin_train_params *params,
                       akin_train_result *result) {
    bool network = !params->features || akin_features_network(params->features);
    *result = (akin_train_result){0};
    return network ? train_network(comm, params, result) : fit_only(comm, params, result);
}

void akin_train_result_free(akin_train_result *result) {
    akin_mem_free(result->loss_curve);
    akin_mem_free(result->holdout_curve);
    akin_mem_free(result->contrast_curve);
    akin_mem_free(result->holdout_contrast_curve);
    *result = (akin_train_result){0};
}
