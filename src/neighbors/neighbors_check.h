/* neighbors_check: checks the options of a table against the vectors and against each other. */
#ifndef AKIN_NEIGHBORS_CHECK_H
#define AKIN_NEIGHBORS_CHECK_H

#include <akin/neighbors.h>

/* AKIN_USAGE: the table cannot be made. Not collective; the same result on all ranks. */
AKIN_MUST_CHECK akin_status akin_neighbors_check(const akin_neighbors_params *params,
                                                 const akin_vectors *vectors);

#endif
