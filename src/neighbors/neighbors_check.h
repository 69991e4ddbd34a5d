/* neighbors_check: checks the options of a table against the vectors and against each other. */
#ifndef AKIN_NEIGHBORS_CHECK_H
#define AKIN_NEIGHBORS_CHECK_H

#include <akin/neighbors.h>

/* AKIN_USAGE: the table cannot be made. Not collective; the same result on all ranks. */
AKIN_MUST_CHECK akin_status akin_neighbors_check(const akin_neighbors_params *params,
                                                 const akin_vectors *vectors);

/* Points out a k that no list can reach. Not collective. */
void akin_neighbors_tell_short(const akin_neighbors_params *params,
                               const akin_neighbors_figures *figures);

/* Warns of rows that are zero or not finite, with the first of them. Collective; agreed; same
 * params. */
AKIN_MUST_CHECK akin_status akin_neighbors_tell_unusable(akin_comm *comm,
                                                         const akin_neighbors_params *params,
                                                         const akin_vectors *vectors);

#endif
