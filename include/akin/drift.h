/* drift: how much worse a model does on tonight's new items than on those that it was measured on
 * when it was trained. */
#ifndef AKIN_DRIFT_H
#define AKIN_DRIFT_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    bool has_network; /* without one nothing can be measured */
    size_t new_items; /* whose picture the catalogue before has not */
    double loss; /* mean squared error of their reconstructions, as train counts it; NaN without new
                    items, or a network */
} akin_drift_result;

/* The same figures at any number of ranks. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_drift(akin_comm *comm, const char *catalog, const char *previous,
                                       const char *model, akin_drift_result *result);

#endif
