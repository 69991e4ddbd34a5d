/* last_additions: what `akin add` changed in the last tables, which a run whose sources do not have it
 * undoes. Not collective; on rank 0. */
#ifndef AKIN_LAST_ADDITIONS_H
#define AKIN_LAST_ADDITIONS_H

#include "folder.h"
#include <akin/error.h>

typedef struct akin_last_additions akin_last_additions;

/* Looks at the files of the last run here or, if there are none, of the night before; before ingest,
 * which may replace them. *out is NULL if nothing was added, or if they cannot be read. */
AKIN_MUST_CHECK akin_status akin_last_additions_find(const akin_folder *folder,
                                                     akin_last_additions **out);
/* Warns of added items that the new catalogue lacks, and of withdrawn ones that it has; last: NULL is
 * fine. */
AKIN_MUST_CHECK akin_status akin_last_additions_tell(const akin_last_additions *last,
                                                     const akin_folder *folder);
void akin_last_additions_free(akin_last_additions *last); /* NULL is fine */

#endif
