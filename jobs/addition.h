/* addition: what `akin add` changes in the run of its job. Its table is the only source. The
 * stages that process only these items have their own files (stages.h: paths_added), and embed adds
 * their vectors to the existing ones, so none of the catalogue's pictures is read. There is no
 * training, no evaluation and no gallery; with nights, the folder is that of the last complete one.
 * catalog.nc remains that of the night; embeddings.nc records that it was made from more, so the
 * next run makes it again. Does nothing for other verbs. Not collective. */
#ifndef AKIN_ADDITION_H
#define AKIN_ADDITION_H

#include "call.h"
#include "job.h"

/* After the job file is read. */
AKIN_MUST_CHECK akin_status akin_addition_settle(const akin_call *call, akin_jobs *jobs);

/* *output (owned) and *keep as the job file says them. AKIN_FAILED: there is no table yet. */
AKIN_MUST_CHECK akin_status akin_addition_place(const akin_call *call, char **output,
                                                long long *keep);

/* AKIN_FAILED if the last table in `output` was rolled back where it was published. Rank 0. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_addition_check_places(const akin_jobs *jobs, const char *output);

#endif
