/* model: model.nc, the weights, the optimiser's state, and what was fitted.
 *
 * Floor 2 (data); looks down to error, mem, comm, ncfile, fixed, network (its table of tensors).
 * Not collective where nothing else is said.
 *
 *   float <tensor>(named dimensions);          one per tensor of akin_network_tensors
 *   float <tensor>_adam_mean(...), <tensor>_adam_variance(...);   Adam's moments, same dimensions
 *   int64 step;                                optimiser steps done
 *   float latent_mean(latent);                 mean latent of the training catalogue (centre.h)
 *   double loss(epoch), holdout_loss(epoch);   the curve: mean squared errors of training and holdout (NaN without one)
 *   attributes features = "autoencoder", objective = "reconstruction" or "denoising", input_catalog_digest,
 *   input_init_digest
 */
#ifndef AKIN_MODEL_H
#define AKIN_MODEL_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_model akin_model;

AKIN_MUST_CHECK akin_status akin_model_create(akin_model **out); /* all zero */
/* AKIN_INPUT: damaged, of another shape, or with a weight that is not finite. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_model_read(akin_comm *comm, const char *path, akin_model **out);
void akin_model_free(akin_model *model);

float *akin_model_weights(akin_model *model);       /* [AKIN_NETWORK_WEIGHTS], borrowed, may be written */
float *akin_model_adam_mean(akin_model *model);     /* [AKIN_NETWORK_WEIGHTS] */
float *akin_model_adam_variance(akin_model *model); /* [AKIN_NETWORK_WEIGHTS] */
float *akin_model_latent_mean(akin_model *model);   /* [AKIN_NETWORK_LATENT] */
int64_t *akin_model_step(akin_model *model);
/* The curve of the run, [epochs] each, copied; before it is set, of one epoch that is NaN. */
AKIN_MUST_CHECK akin_status akin_model_set_curve(akin_model *model, size_t epochs, const double *loss,
                                                 const double *holdout_loss);
size_t akin_model_curve(const akin_model *model, const double **loss, const double **holdout_loss); /* borrowed */
const char *akin_model_digest(const akin_model *model); /* content_digest of the file it was read from; "" if none */

typedef struct {
    const char *options;
    const char *result_options;
    const char *catalog_digest;
    const char *init_digest; /* of --init, NULL = none */
    const char *features, *objective;
} akin_model_origin;

/* Every rank holds the same model; rank 0's is written. Collective. */
AKIN_MUST_CHECK akin_status akin_model_write(akin_comm *comm, const char *path, const akin_model_origin *origin,
                                             akin_model *model);

#endif
