/* folder: where a run writes. Only one run at a time may use it; with nights, each has its own
 * folder below it.
 *
 *   <output>/.lock         held while a run is active; the kernel releases it however the run ends
 *   <output>/.night        with nights: the incomplete one
 *   <output>/2026-03-01/   a night, named by the date of its first submission
 *   <output>/latest        link to the last complete night */
#ifndef AKIN_FOLDER_H
#define AKIN_FOLDER_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>

typedef struct akin_folder akin_folder;

/* keep = 0: no nights. `night`: the name of one that starts, NULL: today. AKIN_FAILED if another
 * run holds it. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_folder_open(akin_comm *comm, const char *output, long long keep,
                                             const char *night, akin_folder **out);
void akin_folder_close(akin_folder *folder); /* Not collective; NULL is fine */

bool akin_folder_is_night(const char *name); /* such as 2026-03-01. Not collective */
/* Whether a night of that name (NULL: today) may start below `output`: AKIN_USAGE if a later one
 * exists, whose lists it would replace. An incomplete night is continued whatever the name, with a warning.
 * Changes nothing. Not collective. */
AKIN_MUST_CHECK akin_status akin_folder_check_night(const char *output, const char *night);

/* Not collective; borrowed. */
const char *akin_folder_path(const akin_folder *folder); /* where this run writes */
const char *akin_folder_previous(
    const akin_folder *folder); /* the last complete night, NULL if none or this one */

/* The run is complete: `latest` points here, and nights older than the newest `keep` are
 * removed. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_folder_complete(akin_comm *comm, akin_folder *folder);

#endif
