/* folder: where a run writes. One run at a time holds it; with nights, each has a folder of its own
 * below it.
 *
 * <output>/.lock held while a run is under way; the kernel lets go of it however the run ends
 * <output>/.night with nights: the one that is not complete yet
 * <output>/2026-03-01/ a night, by the date of its first submission
 * <output>/latest link to the last complete night
 */
#ifndef AKIN_FOLDER_H
#define AKIN_FOLDER_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>

typedef struct akin_folder akin_folder;

/* keep = 0: no nights. `night`: what one that begins is called, NULL: today. AKIN_FAILED where
 * another run holds it. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_folder_open(akin_comm *comm, const char *output, long long keep,
                                             const char *night, akin_folder **out);
void akin_folder_close(akin_folder *folder); /* Not collective; NULL is fine */

bool akin_folder_is_night(const char *name); /* as 2026-03-01. Not collective */
/* Whether a night of that name may begin below `output`: AKIN_USAGE where a later one is there,
 * whose lists it would replace. Where one is going on, that one goes on, whatever the name, which a
 * warning tells. Touches nothing. Not collective. */
AKIN_MUST_CHECK akin_status akin_folder_check_night(const char *output, const char *night);

/* Not collective; borrowed. */
const char *akin_folder_path(const akin_folder *folder); /* where this run writes */
const char *akin_folder_previous(
    const akin_folder *folder); /* the last complete night, NULL if none or this one */

/* The run is done: `latest` points here, and older nights than `keep` are removed. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_folder_complete(akin_comm *comm, akin_folder *folder);

#endif
