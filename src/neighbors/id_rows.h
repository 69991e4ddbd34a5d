/* id_rows: the rows of ids that a file names. */
#ifndef AKIN_ID_ROWS_H
#define AKIN_ID_ROWS_H

#include <akin/comm.h>
#include <akin/vectors.h>

/* names [count]: pairs of an item and its neighbour, one behind the other. rows [count]: the row of each,
 * -1 = there is no such item; of vectors against others the neighbour's is one of these. Collective; agreed; same names. */
AKIN_MUST_CHECK akin_status akin_id_rows_find(akin_comm *comm, const akin_vectors *vectors,
                                              const char *const *names, size_t count,
                                              int64_t *rows);

#endif
