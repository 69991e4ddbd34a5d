/* retrain: whether tonight's vectors come from the existing model or from a new one.
 *
 *   never    the existing model, or that of the night before, is used, whatever catalogue and options
 *            made it; if that is only the default, except where [train] gives an option that it
 *            does not have
 *   always   a new one for a new catalogue
 *   weekly   a new one when the model's file is older than seven days, from its weights
 *   drift    likewise, when the loss on the new items exceeds the holdout loss of the training by
 *            more than --drift-limit */
#ifndef AKIN_RETRAIN_H
#define AKIN_RETRAIN_H

#include "folder.h"
#include "verbs.h"

typedef struct akin_metrics akin_metrics; /* metrics.h */

typedef struct {
    double drift, loss; /* NaN if not measured */
    size_t new_items;
} akin_retrain_measure;

/* Before it is decided whether train has to run: copies the model of the night before here if it
 * is kept; otherwise sets --init if a new one starts from it. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_retrain_prepare(const akin_call *call, const akin_folder *folder,
                                                 akin_metrics *metrics, akin_retrain_measure *out);
/* Whether retrain = never keeps this model. Not collective. */
bool akin_retrain_keeps(const akin_options *train, const char *model);
/* Warns of the options that are ignored if it is kept; also in the report (NULL: none). Not
 * collective; rank 0. */
void akin_retrain_tell_other(const akin_options *train, const char *model, akin_json *report);
/* Says that the next run trains a new model although this one is there, and why; where nothing is known
 * yet that asks for one, nothing. Not collective; rank 0. */
void akin_retrain_tell_new(const akin_options *train, const char *model);
/* After train: adds what was measured to its entry. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_retrain_report(akin_comm *comm, akin_metrics *metrics,
                                                const akin_retrain_measure *measure);

#endif
