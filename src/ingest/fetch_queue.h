/* fetch_queue: who fetches what, and when. Pure bookkeeping of numbers and times: no transfer, no
 * clock, no messages. Not collective.
 *
 * `connections` and `rate` are bounds for one host over all ranks: they are dealt out, so that no
 * rank has to ask another. A host's jobs go to at most `connections` ranks, each with its part of
 * both. Times are seconds of one clock.
 */
#ifndef AKIN_FETCH_QUEUE_H
#define AKIN_FETCH_QUEUE_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t connections; /* to one host at a time, at least 1 */
    double rate;        /* requests to one host a second; 0 = any */
    size_t retries;     /* of one job, after its first try */
} akin_fetch_bounds;

typedef struct akin_fetch_queue akin_fetch_queue;

/* hosts [count]: a number for the host of each job, the same for the same host; same on all ranks.
 */
AKIN_MUST_CHECK akin_status akin_fetch_queue_create(const uint64_t *hosts, size_t count, int rank,
                                                    int size, const akin_fetch_bounds *bounds,
                                                    akin_fetch_queue **out);
void akin_fetch_queue_free(akin_fetch_queue *queue); /* NULL is fine */

size_t akin_fetch_queue_left(const akin_fetch_queue *queue); /* this rank's, also those under way */
/* Transfers that this rank may have under way at most. */
size_t akin_fetch_queue_places(const akin_fetch_queue *queue);

/* A job to begin now: true. given_up: its host does not answer, so it is to be counted as failed
 * instead, and is done with. */
bool akin_fetch_queue_next(akin_fetch_queue *queue, double now, size_t *job, bool *given_up);

/* A job that was begun has ended for good. answered: its host gave some answer. */
void akin_fetch_queue_done(akin_fetch_queue *queue, size_t job, bool answered);
/* A job that was begun wants another try: true, and it will come again, after what the server asks
 * to wait (seconds; 0: nothing) and ever longer; or false: there were enough, and it has ended. */
bool akin_fetch_queue_again(akin_fetch_queue *queue, size_t job, double now, double wait,
                            bool answered);

#endif
