/* rejects: which rows of a source were rejected, and why. */
#ifndef AKIN_REJECTS_H
#define AKIN_REJECTS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/source.h>
#include <stddef.h>

typedef struct akin_rejects akin_rejects; /* this rank's until gathered */

/* Not collective. */
AKIN_MUST_CHECK akin_status akin_rejects_create(akin_rejects **out);
AKIN_MUST_CHECK akin_status akin_rejects_add(akin_rejects *rejects, size_t row,
                                             const char *reason); /* Not collective */

/* Collects all ranks' rows and those with a reason in the source on rank 0, in source order;
 * *count on all ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_rejects_gather(akin_rejects *rejects, akin_comm *comm,
                                                const akin_source *source, size_t *count);

/* Writes the CSV id,path,reason atomically; bytes that are not UTF-8 are shown as \xNN. By rank
 * 0, after gather. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_rejects_write(const akin_rejects *rejects, akin_comm *comm,
                                               const akin_source *source, const char *path);
/* Logs the first few, and how to get all. Not collective; on rank 0, after gather. */
void akin_rejects_show(const akin_rejects *rejects, const akin_source *source);
void akin_rejects_free(akin_rejects *rejects); /* Not collective; NULL is fine */

#endif
