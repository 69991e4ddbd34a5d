/* preflight: what a run would fail of later and can know now: at the start, of the places that it will write to and the
 * files that it will read; behind ingest, of the labels that the rules go by.
 *
 * Floor 4 (jobs); looks down to stages.h and everything below.
 */
#ifndef AKIN_PREFLIGHT_H
#define AKIN_PREFLIGHT_H

#include "stages.h"
#include <stddef.h>
#include <stdint.h>

/* Of a settled job that writes into `output` (with nights: into a folder below it). AKIN_USAGE, with the place in the
 * job file, where it cannot be written to or published; AKIN_FAILED for a file that is missing. Touches nothing. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_preflight_start(akin_jobfile *job, const char *output);

typedef struct {
    size_t rows; /* of the source */
    size_t refused,
        missing;    /* of these: what the list tells (duplicate ids, wrong words), and files that are not there */
    uint64_t bytes; /* about what the run writes */
} akin_preflight_needs;

/* Lists the sources, which have to be there, and asks whether the disk of the output takes what they will become:
 * AKIN_FAILED. Rows that are bound to be refused are warned of; more than ingest would allow: AKIN_INPUT. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_preflight_space(akin_comm *comm, akin_jobfile *job, const char *output,
                                                 akin_preflight_needs *needs);

/* Whether the catalogue has the labels that the rules of [neighbors] need: AKIN_USAGE, with the place in the job file.
 * Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_labels(akin_jobfile *job, const char *catalog);

#endif
