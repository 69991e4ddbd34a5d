/* run: the run of a job file, which the verbs run and add share. */
#ifndef AKIN_JOBS_RUN_H
#define AKIN_JOBS_RUN_H

#include "call.h"

extern const akin_option akin_run_options[];               /* add has no --night, the first */
akin_status akin_run_check(akin_options *options);         /* Not collective */
AKIN_MUST_CHECK akin_status akin_run_job(akin_call *call); /* Collective; agreed */

#endif
