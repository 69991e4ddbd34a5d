/* retrain: whether tonight's vectors come from the model that is there, or from a new one.
 *
 * never the model of the night before serves, whatever catalogue made it
 * always a new one for a new catalogue
 * weekly a new one when the model's file is older than seven days; training begins from its weights
 * drift the same when the loss of the new items is more than --drift-limit above that of the
 * training's holdout
 */
#ifndef AKIN_RETRAIN_H
#define AKIN_RETRAIN_H

#include "folder.h"
#include "metrics.h"

typedef struct {
    double drift, loss; /* NaN where it was not measured */
    size_t new_items;
} akin_retrain_measure;

/* Before train is judged: its model of the night before comes here if it is to serve; else --init
 * is set where it is to begin from it. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_retrain_prepare(const akin_call *call, const akin_folder *folder,
                                                 akin_metrics *metrics, akin_retrain_measure *out);
/* Behind train: what was measured, into its entry. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_retrain_tell(akin_comm *comm, akin_metrics *metrics,
                                              const akin_retrain_measure *measure);

#endif
