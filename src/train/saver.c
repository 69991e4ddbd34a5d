/* saver: checkpoints beside the computation. */
#include "saver.h"
#include <akin/mem.h>
#include <akin/network.h>
#include <string.h>

struct akin_saver {
    akin_comm *comm;
    akin_worker *worker;
    const char *path;
    const akin_checkpoint_origin *origin;
    akin_worker_job job;
    akin_model *model; /* the copy that is written; rank 0 alone has one, and the history */
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
