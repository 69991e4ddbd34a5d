/* model: model.nc, the weights, the optimiser's state, and the fitted parameters. Not collective
 * unless stated.
 *
 * float  <tensor>(named dimensions)          one per tensor of akin_network_tensors; those of the
 * head
 *                                            only in a model with a contrastive objective
 * float  <tensor>_adam_mean(...), <tensor>_adam_variance(...)
 *                                            Adam's moments, same dimensions
 * int64  step                                optimiser steps done
 * double loss(epoch), holdout_loss(epoch)    the curve: mean squared errors of training and holdout
 *                                            (NaN without one)
 * double contrast_loss(epoch), holdout_contrast_loss(epoch)
 *                                            with a contrastive objective: the mean contrastive
 *                                            loss
 *                                            of a view (network.h), likewise
 * and the fitted parameters, of feature_params.h
 * attributes: features, objective = "reconstruction", "denoising" or "contrastive",
 *             input_catalog_digest, input_init_digest, input_pairs_digest
 *
 * For features that need no network, the file has only the fitted parameters and `step`, which is
 * 0; the weights of such a model are zero. */
#ifndef AKIN_MODEL_H
#define AKIN_MODEL_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/features.h>
#include <akin/ncfile.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_model akin_model;
typedef struct akin_feature_params akin_feature_params; /* feature_params.h */

/* All zero; its features are the latents of the network, centred. */
AKIN_MUST_CHECK akin_status akin_model_create(akin_model **out);
/* AKIN_INPUT: damaged, of another shape, or with a weight that is not finite. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_model_read(akin_comm *comm, const char *path, akin_model **out);
void akin_model_free(akin_model *model);

float *akin_model_weights(akin_model *model); /* [AKIN_NETWORK_WEIGHTS], borrowed, may be written */
float *akin_model_adam_mean(akin_model *model);     /* [AKIN_NETWORK_WEIGHTS] */
float *akin_model_adam_variance(akin_model *model); /* [AKIN_NETWORK_WEIGHTS] */
float *akin_model_latent_mean(
    akin_model *model); /* [AKIN_NETWORK_LATENT]; NULL if the features have no latent */
int64_t *akin_model_step(akin_model *model);
/* The fitted parameters, borrowed; setting other features replaces them by zeros. */
akin_feature_params *akin_model_feature_params(akin_model *model);
const akin_features *akin_model_features(akin_model *model); /* of the same; borrowed */
AKIN_MUST_CHECK akin_status akin_model_set_features(akin_model *model,
                                                    const akin_features *features);
/* The trained network whose output is a part of the features: the path of its file, and what
 * determines its output (pretrained.h); copied. NULL: none. */
AKIN_MUST_CHECK akin_status akin_model_set_network(akin_model *model, const char *file,
                                                   const char *request);
const char *akin_model_network_file(const akin_model *model);    /* borrowed; NULL: none */
const char *akin_model_network_request(const akin_model *model); /* borrowed; NULL: none */
/* AKIN_INPUT: the model uses the output of a trained network, and the catalogue has none, or that of
 * another network. */
AKIN_MUST_CHECK akin_status akin_model_check_network(const akin_model *model,
                                                     const akin_catalog *catalog);
bool akin_model_has_network(const akin_model *model); /* its features need it */
/* The curve of the run, [epochs] each, copied; before it is set, it has one epoch that is NaN. */
AKIN_MUST_CHECK akin_status akin_model_set_curve(akin_model *model, size_t epochs,
                                                 const double *loss, const double *holdout_loss);
size_t akin_model_curve(const akin_model *model, const double **loss,
                        const double **holdout_loss); /* borrowed */
/* Likewise the curve of the contrastive losses; set it after the other one. It and the head are
 * written and read only for a contrastive objective. */
AKIN_MUST_CHECK akin_status akin_model_set_contrast_curve(akin_model *model, const double *loss,
                                                          const double *holdout_loss);
bool akin_model_contrast_curve(const akin_model *model, const double **loss,
                               const double **holdout_loss);
bool akin_model_has_head(const akin_model *model); /* read from such a file, or written to one */
const char *akin_model_digest(
    const akin_model *model); /* content_digest of the file it was read from; "" if none */

typedef struct {
    const char *options;
    const char *result_options;
    const char *catalog_digest;
    const char *init_digest;  /* of --init, NULL = none */
    const char *pairs_digest; /* of the file of --pairs, NULL = none */
    const char *objective;    /* NULL = none */
} akin_model_origin;

/* Every rank has the same model; rank 0's is written. Collective. */
AKIN_MUST_CHECK akin_status akin_model_write(akin_comm *comm, const char *path,
                                             const akin_model_origin *origin, akin_model *model);

/* The contribution of each part of a model's features (features.h) to the cosine of two of its
 * vectors. Not collective.
 *
 * Concatenated parts contribute the products of their own columns. If the parts z were projected
 * again, y = A^T (z - m), the share of a part is that of its rows of A: with the shortest x for
 * which A^T x = y, the mean of x1 . (A y2) and x2 . (A y1) over these rows. The shares add up to
 * the cosine. */

typedef struct {
    const char *name; /* of the part, static */
    size_t columns;   /* before the last projection */
    double share;
} akin_part_share;

/* a, b [dim of the model], of unit length; *count parts. */
AKIN_MUST_CHECK akin_status akin_part_shares(akin_model *model, const float *a, const float *b,
                                             akin_part_share out[AKIN_PARTS], size_t *count);

/* The same of many pairs: each row is prepared once. Borrows the model. Not collective. */
typedef struct akin_part_sharer akin_part_sharer;
AKIN_MUST_CHECK akin_status akin_part_sharer_create(akin_model *model, akin_part_sharer **out);
void akin_part_sharer_free(akin_part_sharer *sharer);         /* NULL is fine */
size_t akin_part_sharer_size(const akin_part_sharer *sharer); /* numbers of a prepared row */
void akin_part_sharer_prepare(const akin_part_sharer *sharer, const float *row /* [dim] */,
                              float *out /* [size] */);
/* Of two prepared rows. Returns how many parts there are. */
size_t akin_part_sharer_pair(const akin_part_sharer *sharer, const float *a, const float *b,
                             akin_part_share out[AKIN_PARTS]);

/* Fits all feature parameters on a catalogue: the means, the axes, and the join of the parts. */

/* For a larger catalogue this many items, evenly spaced over its rows, are used: as many as have
 * AKIN_FIT_FEATURES_VALUES raw numbers (128 MiB, over all ranks; for a steady part a view counts
 * too), but at most AKIN_COVARIANCE_ROWS. The mean of 65,536 is within a hundredth of a standard
 * deviation of the mean of all; the smallest number is 10,922, for pixels. */
#define AKIN_FIT_FEATURES_VALUES ((size_t)1 << 25)

/* How weights that were not given were chosen. */
typedef struct {
    const char *by; /* "category", "group", "pairs", "ground"; static; NULL: they were not */
    double flat;    /* share of pictures on a plain background */
    double share; /* share of related items among the first neighbours, held out; 0: not measured */
    char why[1024]; /* a sentence for the user */
} akin_fit_features_choice;

typedef struct {
    size_t items;           /* number used */
    double seconds;         /* seconds spent describing them, on the slowest rank */
    akin_features features; /* with the chosen weights */
    akin_fit_features_choice choice;
} akin_fit_features_result;

/* Sets these features in the model and fits them; its weights, if the features need them, are
 * already trained. The same bits at any number of ranks. AKIN_FAILED: a raw number is not
 * finite. AKIN_INTERRUPTED: received a signal. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_fit_features(akin_comm *comm, const akin_catalog *catalog,
                                              const akin_features *features, akin_model *model,
                                              akin_fit_features_result *result);

#endif
