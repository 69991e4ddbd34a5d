/* fetch_queue: who downloads what, and when. Only bookkeeping of numbers and times: no transfer,
 * no clock, no messages. Not collective. `connections` and `rate` are limits per host over all
 * ranks: they are divided up, so that no rank has to ask another. A host's jobs go to at most
 * `connections` ranks, each with its part of both. Times are seconds of one clock. */
#ifndef AKIN_FETCH_QUEUE_H
#define AKIN_FETCH_QUEUE_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t connections; /* concurrent, to one host, at least 1 */
    double rate;        /* requests per second to one host; 0 = unlimited */
    size_t retries;     /* per job, after the first attempt */
} akin_fetch_bounds;

typedef struct akin_fetch_queue akin_fetch_queue;

/* hosts [count]: a number for the host of each job, the same for the same host; the same on all
 * ranks. */
AKIN_MUST_CHECK akin_status akin_fetch_queue_create(const uint64_t *hosts, size_t count, int rank,
                                                    int size, const akin_fetch_bounds *bounds,
                                                    akin_fetch_queue **out);
void akin_fetch_queue_free(akin_fetch_queue *queue); /* NULL is fine */

size_t akin_fetch_queue_left(const akin_fetch_queue *queue); /* this rank's, including those in
                                                              * progress */
/* Maximum number of concurrent transfers of this rank. */
size_t akin_fetch_queue_places(const akin_fetch_queue *queue);

/* True: a job to start now. given_up: its host does not answer, so it counts as failed and is
 * done. */
bool akin_fetch_queue_next(akin_fetch_queue *queue, double now, size_t *job, bool *given_up);

/* A started job has ended for good. answered: its host gave some answer. */
void akin_fetch_queue_done(akin_fetch_queue *queue, size_t job, bool answered);
/* A started job requests a retry. True: it will come again, after the wait that the server
 * requests (seconds; 0: none) and at increasing intervals. False: it had enough attempts and has
 * ended. */
bool akin_fetch_queue_again(akin_fetch_queue *queue, size_t job, double now, double wait,
                            bool answered);

#endif
