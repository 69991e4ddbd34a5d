/* fit_manifold: fits a manifold (manifold.h) on a catalogue that is distributed over ranks. */
#ifndef AKIN_FIT_MANIFOLD_H
#define AKIN_FIT_MANIFOLD_H

#include "feature_params.h"
#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>

/* Adds a manifold to the parameters and fits it on at most 4,096 pictures, evenly spread over the
 * rows: the dictionary (four words per picture, at most AKIN_MANIFOLD_ATOMS) and the two
 * covariances. The covariances are sums of integers, so the bits are the same at any number of
 * ranks. Memory: the covariances [words, words], the codes of one picture and a block of 512 rows.
 * AKIN_INTERRUPTED: a signal was received. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_fit_manifold(akin_comm *comm, const akin_catalog *catalog,
                                              akin_feature_params *fitted);

#endif
