/* preflight: what a run would fail of later and can know now: at the start, of the places that it
 * will write to and the files that it will read, of the labels that the rules go by in the source,
 * and behind ingest in the catalogue.
 */
#ifndef AKIN_PREFLIGHT_H
#define AKIN_PREFLIGHT_H

#include "stages.h"
#include <akin/source.h>
#include <stddef.h>
#include <stdint.h>

/* Of a settled job that writes into `output` (with nights: into a folder below it). AKIN_USAGE,
 * with the place in the job file, where it cannot be written to or published; AKIN_FAILED for a
 * file that is missing. Touches nothing. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_start(akin_jobfile *job, const char *output);

typedef struct {
    size_t rows;             /* of the source */
    size_t refused, missing; /* of these: what the list tells (duplicate ids, wrong words), and
                                files that are not there */
    uint64_t bytes;          /* about what the run writes */
} akin_preflight_needs;

/* Lists the sources, which have to be there, and asks whether the disk of the output takes what
 * they will become: AKIN_FAILED. Rows that are bound to be refused are warned of; more than ingest
 * would allow: AKIN_INPUT; labels as akin_preflight_rules. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_preflight_space(akin_comm *comm, akin_jobfile *job,
                                                 const char *output, akin_preflight_needs *needs);

/* Whether any row of the sources has the labels that the rules of [neighbors] need: AKIN_USAGE,
 * with the place in the job file. *listed, owned, also on failure: the sources, where they had to
 * be listed for that; NULL where no rule needs it, or they cannot be listed, which is for ingest to
 * say. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_preflight_rules(akin_comm *comm, akin_jobfile *job,
                                                 akin_source **listed);

/* The same of the catalogue, which lacks what could not be decoded. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_labels(akin_jobfile *job, const char *catalog);

#endif
