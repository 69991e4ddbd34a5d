/* drift: how much a model's loss on the current new items exceeds that on the holdout of its
 * training. */
#ifndef AKIN_DRIFT_H
#define AKIN_DRIFT_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    bool has_network; /* without a network nothing can be measured */
    size_t new_items; /* items with a picture that the previous catalogue does not have */
    double loss;      /* mean squared error of their reconstructions, as in train; NaN without new
                  * items, or a network */
} akin_drift_result;

/* The same result at any number of ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_drift(akin_comm *comm, const char *catalog, const char *previous,
                                       const char *model, akin_drift_result *result);

#endif
