/* preflight: finds out early what would make a run fail later. At the start: the places that it
 * will write to, the files that it will read, and the labels of the source that the rules need;
 * after ingest, the same labels in the catalogue. */
#ifndef AKIN_PREFLIGHT_H
#define AKIN_PREFLIGHT_H

#include "stages.h"
#include "upcoming.h"
#include <akin/source.h>
#include <stddef.h>
#include <stdint.h>

/* Checks a job, settled for each table, that writes into `output` (with nights: into a folder below it).
 * AKIN_USAGE, with the line in the job file, if that cannot be written to or published; for the
 * files that it names as akin_preflight_files. Changes nothing. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_start(const akin_jobs *jobs, const char *output);

/* Whether the files that the job file names are there, and hold what their stages read: AKIN_FAILED
 * for a missing one, AKIN_INPUT for one of another kind or with a row that cannot be read; all of
 * them are reported, with their lines in the job file. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_files(akin_jobfile *job);

/* AKIN_FAILED: a source of [ingest] is not there. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_sources_there(akin_jobfile *job);

/* Warns where pairs of ids or categories (golden, pins, blocks, categories, pairs) name what the
 * items lack, and where approved lists have nothing that min-golden could judge; of files that akin_preflight_files accepts. ids: of the items. Memory: names of categories and products. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_names(akin_jobfile *job, const akin_upcoming *items,
                                                 const akin_ids *ids);

/* Warns about tables that no address of [publish] covers. Not collective. */
void akin_preflight_tell_unpublished(const akin_jobs *jobs);

/* Says which keys of [neighbors] a section [table NAME] leaves out, since they do not hold there. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_preflight_tell_left_out(const akin_jobfile *job);

/* AKIN_FAILED, with the line of `output`, if its disk has no room for so many bytes; a folder that cannot be
 * written to is left to akin_preflight_start. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_room(akin_jobfile *job, const char *output,
                                                uint64_t bytes);

typedef struct {
    size_t rows;             /* of the source */
    size_t refused, missing; /* of these: rows that the list alone rejects (duplicate ids, bad
                              * values), and missing files */
    size_t items;            /* of the table that the run makes, at most */
    size_t rejected_before;  /* rows that the last run rejected because of their picture */
    uint64_t bytes;          /* an estimate of what the run writes */
    akin_ids *ids;           /* of the items, as far as the list shows; owned, NULL: not known */
} akin_preflight_needs;

/* Lists the sources, which must exist, and checks that the disk has room for the output:
 * AKIN_FAILED. What is added (akin_stages_added) is judged with the last items in `output`. Warns about rows that will be rejected; AKIN_INPUT if there are more than ingest
 * allows; labels as in akin_preflight_rules. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_preflight_space(akin_comm *comm, akin_jobfile *job,
                                                 const char *output, akin_preflight_needs *needs);

/* AKIN_FAILED if any place that it publishes to (caches too) does not answer; warns where someone is
 * publishing, where a disk has no room for a file that it will publish, and where so many of the published items are missing from the next table that max-shrink
 * would refuse it; needs NULL: it is not known. Changes nothing. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_places(const akin_jobs *jobs,
                                                  const akin_preflight_needs *needs);

/* AKIN_USAGE: words of rules that are not of their form, whatever the items have. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_words(akin_jobfile *job);

/* Lists the sources of [ingest]. AKIN_USAGE if one of them lacks the column of an attribute; the
 * message also lists all else that the tables need and lack. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_preflight_list(akin_comm *comm, akin_jobfile *job,
                                                akin_source **source);

/* Whether the items will have what the tables need: a row of the sources the labels, [ingest] the
 * attributes that rules and boosts name, [train] the parts of --aspect. AKIN_USAGE, with all lines of
 * the job file that are wrong, if not. *listed, owned, also on failure: the sources, if they
 * had to be listed for this; NULL if no rule needs it, or if they cannot be listed, which ingest
 * will report. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_preflight_rules(akin_comm *comm, akin_jobfile *job,
                                                 akin_source **listed);

/* The same for sources that are listed; a source without any usable row is left to ingest. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_preflight_source_labels(akin_jobfile *job,
                                                         const akin_source *source);
/* The same for the rows of a source and the items of `last`, embeddings.nc, which they are added to. AKIN_INPUT:
 * it is damaged. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_added_labels(akin_jobfile *job,
                                                        const akin_source *source,
                                                        const char *last);
/* Warns where `tune` of [train] and `label` of [evaluate] name labels that no item has. Not
 * collective. */
void akin_preflight_tell_labels(akin_jobfile *job, const akin_source *source);
/* Warns where --only and --not name a label that no item has, as `neighbors` will.
 * AKIN_FAILED: no memory. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_tell_values(akin_jobfile *job,
                                                       const akin_upcoming *items);
/* What [ingest] names; the strings are borrowed from the job. Not collective. */
akin_source_params akin_preflight_sources(akin_jobfile *job);

/* The same for the catalogue, which lacks what could not be decoded. Not collective. */
AKIN_MUST_CHECK akin_status akin_preflight_labels(akin_jobfile *job, const char *catalog);

#endif
