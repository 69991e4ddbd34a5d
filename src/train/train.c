/* train: a complete training run. */
#include "training.h"
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/model.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- the steps --- */

static akin_status save(akin_training *run) {
    run->saved_at = akin_comm_seconds();
    akin_status status = akin_saver_start(run->saver, run->model, &run->history);
    run->saving += akin_comm_seconds() - run->saved_at;
    return status;
}

static akin_status interrupted(akin_training *run) {
    return akin_error_set(
        AKIN_INTERRUPTED,
        "training was interrupted after step %lld of %zu; %s is saved, submit again to continue",
        (long long)*akin_model_step(run->model), run->steps, akin_text_bytes(run->checkpoint_name));
}

/* Images of the first `steps` steps. */
static double images_of(const akin_training *run, size_t steps) {
    size_t in_epoch = akin_sampler_steps(&run->sampler);
    double items = (double)akin_sampler_train_items(&run->sampler),
           rest = (double)(steps % in_epoch);
    return items * (double)(steps / in_epoch) +
           rest * (double)run->params->batch; /* only the last may be short */
}

/* The value that the objective minimises, from the two losses. */
static double objective_of(const akin_training *run, double loss, double contrast) {
    return akin_training_is_contrastive(run) ? loss + run->params->objective.contrast * contrast
                                             : loss;
}

static double holdout_objective(const akin_training *run, size_t epoch) {
    return objective_of(run, run->history.holdout_loss[epoch],
                        run->history.holdout_contrast_loss[epoch]);
}

/* The epoch with the lowest holdout loss among the first `epochs`; the first if there is none. */
static size_t best_epoch(const akin_training *run, size_t epochs) {
    size_t best = 0;
    for (size_t e = 1; e < epochs; e++)
        if (holdout_objective(run, e) < holdout_objective(run, best)) best = e;
    return best;
}

/* A line per epoch; about a hundred for a run with many more, but all that take a minute or
 * longer. */
static void tell_epoch(akin_training *run, size_t epoch) {
    double now = akin_comm_seconds(), rate = run->images / run->seconds;
    double left =
        (images_of(run, run->steps) - images_of(run, (size_t)*akin_model_step(run->model))) / rate;
    size_t stride = (run->history.epochs + 99) / 100;
    bool tells =
        (epoch + 1) % stride == 0 || epoch + 1 == run->history.epochs || now - run->told_at >= 60;
    char holdout[32] = "", contrast[64] = "";
    if (run->sampler.holdout > 0)
        snprintf(holdout, sizeof holdout, " (held out %.5f)", run->history.holdout_loss[epoch]);
    if (akin_training_is_contrastive(run))
        snprintf(contrast, sizeof contrast, ", contrastive loss %.4f",
                 run->history.contrast_loss[epoch]);
    if (akin_training_is_contrastive(run) && run->sampler.holdout > 0)
        snprintf(contrast + strlen(contrast), sizeof contrast - strlen(contrast),
                 " (held out %.4f)", run->history.holdout_contrast_loss[epoch]);
    (tells ? akin_log_info : akin_log_record)(
        "train: epoch %zu of %zu: loss %.5f%s%s, %.0f images/s, %.0f s left", epoch + 1,
        run->history.epochs, run->history.loss[epoch], holdout, contrast, rate, left);
    if (tells) run->told_at = now;
}

static akin_status end_epoch(akin_training *run, size_t epoch) {
    akin_status status = AKIN_OK;
    akin_history *history = &run->history;
    size_t first = epoch * akin_sampler_steps(&run->sampler),
           step = (size_t)*akin_model_step(run->model);
    double images = images_of(run, step) - images_of(run, first);
    history->loss[epoch] = history->squared_error / images / AKIN_IMAGE_BYTES;
    if (akin_training_is_contrastive(run))
        history->contrast_loss[epoch] = history->contrast / (2 * images);
    history->squared_error = history->contrast = 0;
    if (run->sampler.holdout > 0) {
        double squared_error;
        AKIN_TRY(akin_step_holdout(run->step, &squared_error));
        history->holdout_loss[epoch] =
            squared_error / (double)run->sampler.holdout / AKIN_IMAGE_BYTES;
    }
    if (run->sampler.holdout > 0 && akin_training_is_contrastive(run))
        AKIN_TRY(akin_step_holdout_contrast(run->step, &history->holdout_contrast_loss[epoch]));
    if (history->best && best_epoch(run, epoch + 1) == epoch)
        memcpy(history->best, akin_model_weights(run->model), AKIN_NETWORK_WEIGHTS * sizeof(float));
    tell_epoch(run, epoch);
done:
    return status;
}

/* Epochs that are done, a partial one at the end of the run counting as one. */
static size_t epochs_done(const akin_training *run) {
    size_t step = (size_t)*akin_model_step(run->model),
           in_epoch = akin_sampler_steps(&run->sampler);
    return step == run->steps ? run->history.epochs : step / in_epoch;
}

static bool out_of_patience(const akin_training *run) {
    size_t done = epochs_done(run);
    if (!run->history.best || run->sampler.holdout == 0 || done == 0) return false;
    return done - 1 - best_epoch(run, done) >= run->params->patience;
}

static void show_progress(const akin_training *run) {
    akin_log_progress("train", "images", images_of(run, (size_t)*akin_model_step(run->model)),
                      images_of(run, run->steps));
}

/* One step with everything around it. */
static akin_status advance(akin_training *run, size_t step) {
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

static akin_status take_steps(akin_training *run) {
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

static double loss_allowed(const akin_training *run) {
    double first = run->history.loss_first;
    bool tells = run->params->batch >= FIRST_BATCH_TELLS &&
                 akin_sampler_batch_items(&run->sampler, 0) >= FIRST_BATCH_TELLS;
    return tells ? WORSE * first : fmax(LOSS_OF_GREY, first);
}

/* The same on every rank. A loss that is not a number has ended the run earlier. */
static akin_status check_converged(const akin_training *run) {
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

static akin_status choose(akin_training *run) {
    akin_status status;
    akin_history *history = &run->history;
    size_t done = epochs_done(run);
    if (history->best && run->sampler.holdout > 0) {
        size_t best = best_epoch(run, done);
        memcpy(akin_model_weights(run->model), history->best, AKIN_NETWORK_WEIGHTS * sizeof(float));
        akin_log_info("train: %s; the weights of epoch %zu are kept, held-out loss %.5f",
                      done < history->epochs ? "ended early" : "done", best + 1,
                      history->holdout_loss[best]);
    } else {
        AKIN_TRY(check_converged(run)); /* the same on every rank */
    }
    status = akin_model_set_curve(run->model, done, history->loss, history->holdout_loss);
    if (status == AKIN_OK && akin_training_is_contrastive(run))
        status = akin_model_set_contrast_curve(run->model, history->contrast_loss,
                                               history->holdout_contrast_loss);
    status = akin_agree(run->comm, status);
done:
    return status;
}

/* --- finishing --- */

static akin_status finish(akin_training *run) {
    akin_status status;
    const akin_train_params *params = run->params;
    akin_model_origin origin = {.options = params->options,
                                .result_options = params->result_options,
                                .catalog_digest = run->origin.catalog_digest,
                                .init_digest = run->origin.init_digest,
                                .pairs_digest = params->pairs_digest,
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

static void report(akin_training *run, akin_train_result *result) {
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
    char holdout[64] = "", contrast[64] = "";
    if (run->sampler.holdout > 0)
        snprintf(holdout, sizeof holdout, ", held-out loss %.5f", result->holdout_loss);
    if (akin_training_is_contrastive(run))
        snprintf(contrast, sizeof contrast, ", contrastive loss %.4f", result->contrast_last);
    akin_log_summary("train: %g epoch%s, %zu step%s, loss %.5f from %.5f%s%s", result->epochs,
                     AKIN_PLURAL(result->epochs), step, AKIN_PLURAL(step), result->loss_last,
                     result->loss_first, holdout, contrast);
}

static void end(akin_training *run) {
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

static const akin_features *features(const akin_training *run) {
    return run->params->features ? run->params->features : akin_model_features(run->model);
}

/* --- features that need no network --- */

static akin_status begin_fit(akin_training *run) {
    akin_status status;
    AKIN_TRY(akin_catalog_open(run->comm, run->params->catalog, &run->catalog));
    if (run->params->init) AKIN_TRY(akin_model_read(run->comm, run->params->init, &run->init));
    AKIN_TRY(akin_agree(run->comm, akin_training_allocate(run)));
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
    akin_training run = {.comm = comm, .params = params};
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
    akin_log_summary("train: %s fitted on %zu of %zu item%s", params->features->name, fitted.items,
                     result->items, AKIN_PLURAL(result->items));
done:
    end(&run);
    return status;
}

/* --- features with one --- */

/* Why the two contrastive losses of an epoch differ, where the holdout is smaller than a group. */
static void tell_contrast(const akin_training *run) {
    size_t batch = akin_sampler_batch_items(&run->sampler, 0), held = run->sampler.holdout,
           group = batch < AKIN_CONTRAST_GROUP ? batch : AKIN_CONTRAST_GROUP;
    if (!akin_training_is_contrastive(run) || held == 0 || held >= group) return;
    akin_log_info("train: the contrastive loss of held-out pictures is lower in any case: a view "
                  "has to be found among those of %zu pictures, in training of up to %zu",
                  held, group);
}

static akin_status train_network(akin_comm *comm, const akin_train_params *params,
                                 akin_train_result *result) {
    akin_status status;
    akin_fit_features_result fitted;
    akin_training run = {.comm = comm, .params = params};
    AKIN_TRY(akin_training_begin(&run));
    tell_contrast(&run);
    AKIN_TRY(take_steps(&run));
    AKIN_TRY(choose(&run));
    akin_log_info("train: the network is trained; fitting the parts of vectors and their weights");
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
