/* failures: Monte Carlo simulation of nights in which nodes fail. Not collective. Cannot fail. */
#ifndef AKIN_FAILURES_H
#define AKIN_FAILURES_H

#include <akin/plan.h>

/* Mean seconds of a night, and what 95 of 100 nights do not exceed; infinity where a night would
 * hardly end. */
void akin_failures_draw(const akin_plan_job *job, const akin_plan_machine *machine,
                        akin_plan *plan);

#endif
