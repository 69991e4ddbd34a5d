/* worker: a thread that executes jobs one after another beside the main thread. Not collective.
 * Calls to libraries that support only one thread at a time go through it; the main thread calls
 * them only while the worker is idle. */
#ifndef AKIN_WORKER_H
#define AKIN_WORKER_H

#include <akin/error.h>
#include <stdbool.h>

#define AKIN_WORKER_MESSAGE 4096 /* bytes */

typedef struct akin_worker akin_worker;

/* Owned by the caller that starts it, zeroed first, and not touched until it is waited for. */
typedef struct akin_worker_job {
    akin_status (*run)(void *context); /* in the worker's thread */
    void *context;
    struct akin_worker_job *next;
    bool under_way;
    akin_status status;
    char message[AKIN_WORKER_MESSAGE];
} akin_worker_job;

AKIN_MUST_CHECK akin_status akin_worker_create(akin_worker **out);
void akin_worker_free(akin_worker *worker); /* after all jobs are done; NULL is fine */

void akin_worker_start(akin_worker *worker, akin_worker_job *job); /* after those started earlier */
/* Waits until the job is done and returns its status, with its message set in this thread.
 * AKIN_OK for a job that was not started; a second call returns AKIN_OK. */
AKIN_MUST_CHECK akin_status akin_worker_wait(akin_worker *worker, akin_worker_job *job);
void akin_worker_idle(
    akin_worker *worker); /* until the queue is empty; the jobs still have to be waited for */

#endif
