/* failures: Monte Carlo simulation of nights in which nodes fail. Not collective. Cannot fail. */
#ifndef AKIN_FAILURES_H
#define AKIN_FAILURES_H

#include <akin/plan.h>

/* Seconds of a night: the mean, and the 95th percentile; infinity if nights would hardly ever end.
 */
void akin_failures_draw(const akin_plan_job *job, const akin_plan_machine *machine,
                        akin_plan *plan);

#endif
