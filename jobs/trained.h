/* trained: whether the model that is there is what `train` would make of its catalogue, or keep. Not
 * collective. */
#ifndef AKIN_TRAINED_H
#define AKIN_TRAINED_H

#include "verbs.h"

/* Columns of what a network gave; 0 where the catalogue has none. Quick: its header alone. */
AKIN_MUST_CHECK akin_status akin_trained_look_at_catalog(const char *path, size_t *seen);

/* As up_to_date of a verb. Warns where retrain = never keeps a model that these options would not make. */
bool akin_trained_up_to_date(akin_call *call);

#endif
