/* addition: what `akin add` changes in the run of its job: one more source, whose rows replace those of
 * the others; no training, no evaluation and no gallery; and with nights the folder of the last
 * complete one. Nothing for other verbs. Not collective. */
#ifndef AKIN_ADDITION_H
#define AKIN_ADDITION_H

#include "call.h"
#include "job.h"

/* After the job file is read. */
AKIN_MUST_CHECK akin_status akin_addition_settle(const akin_call *call, akin_jobs *jobs);

/* *output (owned) and *keep as the job file says them. AKIN_FAILED: there is no table yet. */
AKIN_MUST_CHECK akin_status akin_addition_place(const akin_call *call, char **output,
                                                long long *keep);

#endif
