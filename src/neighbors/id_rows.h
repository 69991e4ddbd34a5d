/* id_rows: looks up the rows of ids in a file of pairs. */
#ifndef AKIN_ID_ROWS_H
#define AKIN_ID_ROWS_H

#include <akin/comm.h>
#include <akin/vectors.h>

/* names [count]: pairs of an item and its neighbour, one after the other. rows [count]: the row of
 * each, -1 = no such item. If the vectors were opened against others, the neighbour is a target.
 * Collective; agreed; same names. */
AKIN_MUST_CHECK akin_status akin_id_rows_find(akin_comm *comm, const akin_vectors *vectors,
                                              const char *const *names, size_t count,
                                              int64_t *rows);

#endif
