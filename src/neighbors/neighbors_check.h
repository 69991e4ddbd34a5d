/* neighbors_check: what the options of a table ask of the vectors, and what does not go together. */
#ifndef AKIN_NEIGHBORS_CHECK_H
#define AKIN_NEIGHBORS_CHECK_H

#include <akin/neighbors.h>

/* AKIN_USAGE: it cannot be. Not collective; the same outcome on all ranks. */
AKIN_MUST_CHECK akin_status akin_neighbors_check(const akin_neighbors_params *params,
                                                 const akin_vectors *vectors);

#endif
