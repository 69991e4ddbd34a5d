/* addition: what `akin add` changes in the run of its job. Its table is the one source; the stages that
 * see these items alone have files of their own (stages.h: paths_added), and embed puts their vectors
 * into those that are there, so nothing of the catalogue's pictures is read. There is no training, no
 * evaluation and no gallery; and with nights the folder is that of the last complete one. catalog.nc
 * stays that of the night: embeddings.nc then says that it was made from more than that, so the
 * next run makes it again. Nothing for other verbs. Not collective. */
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
