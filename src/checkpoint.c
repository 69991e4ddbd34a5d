/* checkpoint: where a training run stands. Floor 2; looks down to error, mem, text, comm, ncfile, network, model. */
#include <akin/checkpoint.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/network.h>
#include <akin/text.h>
#include <string.h>

#define VECTORS 4 /* weights, first moment, second moment, and the best weights where they are kept */

static size_t state_vectors(akin_model *model, const akin_history *history, float *vectors[VECTORS]) {
    vectors[0] = akin_model_weights(model);
    vectors[1] = akin_model_adam_mean(model);
    vectors[2] = akin_model_adam_variance(model);
    vectors[3] = history->best;
    return history->best ? VECTORS : VECTORS - 1;
}

/* --- writing --- */

static akin_status define(akin_ncfile *file, const akin_checkpoint_origin *origin, size_t epochs, size_t vectors) {
    akin_status status;
    AKIN_TRY(akin_ncfile_dimension(file, "vector", vectors));
    AKIN_TRY(akin_ncfile_dimension(file, "weight", AKIN_NETWORK_WEIGHTS));
    AKIN_TRY(akin_ncfile_dimension(file, "epoch", epochs));
    AKIN_TRY(akin_ncfile_variable(file, "state", AKIN_NC_FLOAT, "vector,weight",
                                  "weights, first and second moment of Adam, best weights", "1"));
    AKIN_TRY(akin_ncfile_variable(file, "step", AKIN_NC_INT64, "", "optimiser steps done", "1"));
    AKIN_TRY(akin_ncfile_variable(file, "loss", AKIN_NC_DOUBLE, "epoch", "mean squared error of training", "1"));
    AKIN_TRY(
        akin_ncfile_variable(file, "holdout_loss", AKIN_NC_DOUBLE, "epoch", "mean squared error of the holdout", "1"));
    AKIN_TRY(akin_ncfile_variable(file, "loss_first", AKIN_NC_DOUBLE, "", "mean squared error of the first step", "1"));
    AKIN_TRY(akin_ncfile_variable(file, "squared_error", AKIN_NC_DOUBLE, "", "sum in the epoch under way", "1"));
    AKIN_TRY(akin_ncfile_attribute(file, NULL, "title", "Training run under way"));
    AKIN_TRY(akin_ncfile_attribute(file, NULL, "summary",
                                   "Where a training run of akin stands; the same command goes on from it."));
    AKIN_TRY(akin_ncfile_attribute(file, NULL, "akin_options", origin->options));
    AKIN_TRY(akin_ncfile_attribute(file, NULL, "akin_result_options", origin->result_options));
    AKIN_TRY(akin_ncfile_attribute(file, NULL, "input_catalog_digest", origin->catalog_digest));
    if (origin->init_digest) AKIN_TRY(akin_ncfile_attribute(file, NULL, "input_init_digest", origin->init_digest));
done:
    return status;
}

static akin_status put(akin_ncfile *file, bool mine, akin_model *model, const akin_history *history) {
    akin_status status = AKIN_OK;
    float *vectors[VECTORS];
    size_t count = state_vectors(model, history, vectors);
    for (size_t v = 0; v < count; v++) AKIN_TRY(akin_ncfile_put(file, "state", v, mine ? 1 : 0, vectors[v]));
    AKIN_TRY(akin_ncfile_put(file, "step", 0, mine ? 1 : 0, akin_model_step(model)));
    AKIN_TRY(akin_ncfile_put(file, "loss", 0, mine ? history->epochs : 0, history->loss));
    AKIN_TRY(akin_ncfile_put(file, "holdout_loss", 0, mine ? history->epochs : 0, history->holdout_loss));
    AKIN_TRY(akin_ncfile_put(file, "loss_first", 0, mine ? 1 : 0, &history->loss_first));
    AKIN_TRY(akin_ncfile_put(file, "squared_error", 0, mine ? 1 : 0, &history->squared_error));
done:
    return status;
}

akin_status akin_checkpoint_write(akin_comm *comm, const char *path, const akin_checkpoint_origin *origin,
                                  akin_model *model, const akin_history *history) {
    akin_status status;
    akin_ncfile *file = NULL;
    AKIN_TRY(akin_ncfile_create(comm, path, "checkpoint", &file));
    AKIN_TRY(define(file, origin, history->epochs, history->best ? VECTORS : VECTORS - 1));
    AKIN_TRY(akin_ncfile_begin(file));
    AKIN_TRY(put(file, akin_comm_rank(comm) == 0, model, history));
    return akin_ncfile_commit(file, NULL);
done:
    akin_ncfile_discard(file);
    return status;
}

/* --- reading --- */

/* Adds "the catalogue (abc, not def)" to the differences if the attribute is not what it should be. */
static akin_status compare(const akin_ncfile *file, const char *attribute, const char *what, const char *wanted,
                           akin_text *differences) {
    akin_status status;
    char *found = NULL;
    AKIN_TRY(akin_ncfile_get_attribute(file, attribute, &found));
    const char *is = found ? found : "", *should = wanted ? wanted : "";
    if (strcmp(is, should) != 0)
        AKIN_TRY(akin_text_append(differences, "%s%s (it has '%s', this run '%s')",
                                  akin_text_length(differences) ? ", " : "", what, is, should));
done:
    akin_mem_free(found);
    return status;
}

static akin_status check_origin(const akin_ncfile *file, const akin_checkpoint_origin *origin) {
    akin_status status;
    akin_text *differences = NULL;
    AKIN_TRY(akin_text_create(&differences));
    AKIN_TRY(compare(file, "akin_result_options", "the options", origin->result_options, differences));
    AKIN_TRY(compare(file, "input_catalog_digest", "the catalogue", origin->catalog_digest, differences));
    AKIN_TRY(compare(file, "input_init_digest", "the model of --init", origin->init_digest, differences));
    if (akin_text_length(differences) > 0)
        status = akin_error_set(AKIN_INPUT, "%s is the checkpoint of another run; what differs: %s",
                                akin_ncfile_path(file), akin_text_bytes(differences));
done:
    akin_text_free(differences);
    return status;
}

static akin_status get(const akin_ncfile *file, akin_model *model, akin_history *history) {
    akin_status status;
    size_t epochs, weights, found;
    float *vectors[VECTORS];
    size_t count = state_vectors(model, history, vectors);
    AKIN_TRY(akin_ncfile_length(file, "vector", &found));
    AKIN_TRY(akin_ncfile_length(file, "epoch", &epochs));
    AKIN_TRY(akin_ncfile_length(file, "weight", &weights));
    AKIN_TRY(akin_ncfile_expect(file, "state", AKIN_NC_FLOAT, "vector,weight"));
    AKIN_TRY(akin_ncfile_expect(file, "loss", AKIN_NC_DOUBLE, "epoch"));
    AKIN_TRY(akin_ncfile_expect(file, "holdout_loss", AKIN_NC_DOUBLE, "epoch"));
    if (epochs != history->epochs || weights != AKIN_NETWORK_WEIGHTS || found != count)
        return akin_error_set(AKIN_INPUT, "%s: a checkpoint of another shape", akin_ncfile_path(file));
    for (size_t v = 0; v < count; v++) AKIN_TRY(akin_ncfile_get(file, "state", v, 1, vectors[v]));
    AKIN_TRY(akin_ncfile_get(file, "step", 0, 1, akin_model_step(model)));
    AKIN_TRY(akin_ncfile_get(file, "loss", 0, epochs, history->loss));
    AKIN_TRY(akin_ncfile_get(file, "holdout_loss", 0, epochs, history->holdout_loss));
    AKIN_TRY(akin_ncfile_get(file, "loss_first", 0, 1, &history->loss_first));
    AKIN_TRY(akin_ncfile_get(file, "squared_error", 0, 1, &history->squared_error));
done:
    return status;
}

akin_status akin_checkpoint_read(akin_comm *comm, const char *path, const akin_checkpoint_origin *origin,
                                 akin_model *model, akin_history *history) {
    akin_status status;
    akin_ncfile *file = NULL;
    AKIN_TRY(akin_ncfile_open(comm, path, "checkpoint", &file));
    akin_status local = check_origin(file, origin);
    if (local == AKIN_OK) local = get(file, model, history);
    AKIN_TRY(akin_agree(comm, local));
done:
    akin_ncfile_close(file);
    return status;
}
