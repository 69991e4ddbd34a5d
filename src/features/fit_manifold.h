/* fit_manifold: a manifold (manifold.h) fitted on a catalogue that many ranks read. */
#ifndef AKIN_FIT_MANIFOLD_H
#define AKIN_FIT_MANIFOLD_H

#include "feature_params.h"
#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>

/* Gives the parameters a manifold and fits it: of at most 4,096 pictures, evenly spread over the
 * rows, the dictionary (four words a picture, at most AKIN_MANIFOLD_ATOMS) and the two covariances,
 * which count whole numbers: the same bits at any number of ranks. Beside them, [words, words], one
 * picture's codes and a block of 512 are held. AKIN_INTERRUPTED: a signal came. Collective; agreed.
 */
AKIN_MUST_CHECK akin_status akin_fit_manifold(akin_comm *comm, const akin_catalog *catalog,
                                              akin_feature_params *fitted);

#endif
