/* worker: a thread that does jobs beside the main one, one behind the other. Not collective.
 *
 * What libraries that bear one thread at a time are asked for beside the computation is asked for
 * here; the main thread asks them only while the worker is idle.
 */
#ifndef AKIN_WORKER_H
#define AKIN_WORKER_H

#include <akin/error.h>
#include <stdbool.h>

#define AKIN_WORKER_MESSAGE 4096 /* bytes */

typedef struct akin_worker akin_worker;

/* Owned by who starts it, zeroed at first, and left alone until it is waited for. */
typedef struct akin_worker_job {
    akin_status (*run)(void *context); /* in the worker's thread */
    void *context;
    struct akin_worker_job *next;
    bool under_way;
    akin_status status;
    char message[AKIN_WORKER_MESSAGE];
} akin_worker_job;

AKIN_MUST_CHECK akin_status akin_worker_create(akin_worker **out);
void akin_worker_free(akin_worker *worker); /* when all jobs are done; NULL is fine */

void akin_worker_start(akin_worker *worker, akin_worker_job *job); /* behind those before it */
/* Until the job is done: its status, its message kept for this thread. AKIN_OK for one that was not
 * started; a second time AKIN_OK. */
AKIN_MUST_CHECK akin_status akin_worker_wait(akin_worker *worker, akin_worker_job *job);
void akin_worker_idle(
    akin_worker *worker); /* until no job is left; they are still to be waited for */

#endif
