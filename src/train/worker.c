/* worker: see worker.h. */
#include "worker.h"
#include <akin/mem.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>

struct akin_worker {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    akin_worker_job *first; /* the current job, followed by the queued ones */
    bool end;
};

static void do_first(akin_worker *worker) {
    akin_worker_job *job = worker->first;
    pthread_mutex_unlock(&worker->mutex);
    akin_error_clear();
    job->status = job->run(job->context);
    snprintf(job->message, sizeof job->message, "%s", akin_error_message());
    pthread_mutex_lock(&worker->mutex);
    worker->first = job->next;
    job->under_way = false;
    pthread_cond_broadcast(&worker->changed);
}

static void *work(void *context) {
    akin_worker *worker = context;
    pthread_mutex_lock(&worker->mutex);
    for (;;) {
        if (worker->first)
            do_first(worker);
        else if (worker->end)
            break;
        else
            pthread_cond_wait(&worker->changed, &worker->mutex);
    }
    pthread_mutex_unlock(&worker->mutex);
    return NULL;
}

akin_status akin_worker_create(akin_worker **out) {
    sigset_t all, before;
    *out = NULL;
    akin_worker *worker = akin_mem_zalloc(1, sizeof *worker);
    if (!worker) return AKIN_FAILED;
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_cond_init(&worker->changed, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    int code = pthread_create(&worker->thread, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code) {
        akin_mem_free(worker);
        return akin_error_set(AKIN_FAILED, "cannot start a thread: too little memory, or too many "
                                           "threads; run fewer ranks per node");
    }
    *out = worker;
    return AKIN_OK;
}

void akin_worker_free(akin_worker *worker) {
    if (!worker) return;
    pthread_mutex_lock(&worker->mutex);
    worker->end = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
    pthread_join(worker->thread, NULL);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->mutex);
    akin_mem_free(worker);
}

void akin_worker_start(akin_worker *worker, akin_worker_job *job) {
    pthread_mutex_lock(&worker->mutex);
    AKIN_ASSERT(!job->under_way);
    job->under_way = true;
    job->next = NULL;
    akin_worker_job **last = &worker->first;
    while (*last) last = &(*last)->next;
    *last = job;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->mutex);
}

akin_status akin_worker_wait(akin_worker *worker, akin_worker_job *job) {
    pthread_mutex_lock(&worker->mutex);
    while (job->under_way) pthread_cond_wait(&worker->changed, &worker->mutex);
    pthread_mutex_unlock(&worker->mutex);
    akin_status status = job->status;
    job->status = AKIN_OK;
    return status == AKIN_OK ? status : akin_error_set(status, "%s", job->message);
}

void akin_worker_idle(akin_worker *worker) {
    pthread_mutex_lock(&worker->mutex);
    while (worker->first) pthread_cond_wait(&worker->changed, &worker->mutex);
    pthread_mutex_unlock(&worker->mutex);
}
