/* stall: detects that a run makes no progress, and which rank holds it up. It only keeps times and
 * answers; comm carries the messages. Not collective. Shortly before the limit, a waiting rank asks
 * the others how long they have been without progress; ranks that wait or poll answer. So every
 * rank knows when any rank last made progress. Once that is longer ago than the limit, the ranks
 * that did not answer are those waited for, and the lowest waiting rank ends the run. Times are
 * seconds of this rank's clock; only durations are sent between ranks. */
#ifndef AKIN_STALL_H
#define AKIN_STALL_H

#include <akin/error.h>
#include <stddef.h>

typedef struct akin_stall akin_stall;

typedef enum { AKIN_STALL_WAIT, AKIN_STALL_ASK, AKIN_STALL_END } akin_stall_verdict;

AKIN_MUST_CHECK akin_status akin_stall_create(int rank, int size, double limit, double now,
                                              akin_stall **out);
void akin_stall_limit(akin_stall *stall, double limit);
void akin_stall_moved(akin_stall *stall, double now); /* this rank made progress */
double akin_stall_still(const akin_stall *stall,
                        double now); /* seconds since then: the answer to a rank that asks */
/* Rank `from` has answered that it has been without progress for `still` seconds. */
void akin_stall_heard(akin_stall *stall, int from, double still, double now);
/* What a waiting rank must do now: ASK all others (at most once after each progress anywhere), or
 * END the run. */
akin_stall_verdict akin_stall_judge(akin_stall *stall, double now);
/* "no progress for 600 s; waited for rank 2 ...": the message at the END. */
void akin_stall_describe(const akin_stall *stall, double now, char *out, size_t size);
void akin_stall_free(akin_stall *stall);

#endif
