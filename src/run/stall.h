/* stall: whether a run still moves, and which rank holds it up. Pure bookkeeping of times and
 * answers; comm carries the messages. Not collective.
 *
 * A rank that waits asks the others, shortly before the limit, for how long nothing has moved
 * there; one that waits or polls answers. So everybody knows when something last moved anywhere.
 * When that is longer ago than the limit, those who did not answer are the ones waited for, and the
 * lowest of those who wait ends the run. Times are seconds of one clock of this rank; only spans
 * travel between ranks.
 */
#ifndef AKIN_STALL_H
#define AKIN_STALL_H

#include <akin/error.h>
#include <stddef.h>

typedef struct akin_stall akin_stall;

typedef enum { AKIN_STALL_WAIT, AKIN_STALL_ASK, AKIN_STALL_END } akin_stall_verdict;

AKIN_MUST_CHECK akin_status akin_stall_create(int rank, int size, double limit, double now,
                                              akin_stall **out);
void akin_stall_limit(akin_stall *stall, double limit);
void akin_stall_moved(akin_stall *stall, double now); /* something moved on this rank */
double akin_stall_still(const akin_stall *stall,
                        double now); /* seconds since then: what to answer to one who asks */
/* Rank `from` has answered that nothing has moved there for `still` seconds. */
void akin_stall_heard(akin_stall *stall, int from, double still, double now);
/* What a waiting rank is to do now: ASK (at most once for each movement anywhere) all others, or
 * END the run. */
akin_stall_verdict akin_stall_judge(akin_stall *stall, double now);
/* "nothing moved for 600 s; waited for rank 2 ...": what to say at the END. */
void akin_stall_describe(const akin_stall *stall, double now, char *out, size_t size);
void akin_stall_free(akin_stall *stall);

#endif
