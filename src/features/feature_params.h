/* feature_params: everything that `train` fits besides the network, and its part of model.nc.
 * Not collective unless stated.
 *
 * For each part of the features (features.h), here called latent:
 *
 *   float  latent_mean(latent)                mean over the training catalogue
 *   float  latent_axes(latent, latent_axis)   projection.h; if missing, only the mean is
 *                                             subtracted; for a steady part (features.h), W
 *                                             times the eigenvectors
 *   double latent_eigenvalue(latent_axis)     of the covariance
 *   double latent_whiten                      the power of it that the axes are divided by
 *   double latent_scale                       if there are several parts: the weight of this one
 *
 * For the part patches also (patches.h):
 *
 *   float  patch_mean(patch), patch_whitening(patch, patch_white), patch_word(word, patch)
 *
 * For the part manifold also (manifold.h):
 *
 *   float  manifold_square_mean(square), manifold_whitening(square, square_white),
 *          manifold_dictionary(atom, square), manifold_share(code),
 *          manifold_code_axes(code, square_axis)
 *
 * And if the parts are projected once more:
 *
 *   float  join_mean(joined), join_axes(joined, feature)
 *   double join_eigenvalue(feature) */
#ifndef AKIN_FEATURE_PARAMS_H
#define AKIN_FEATURE_PARAMS_H

#include "manifold.h"
#include "patches.h"
#include <akin/error.h>
#include <akin/features.h>
#include <akin/ncfile.h>
#include <akin/projection.h>

typedef struct akin_feature_params akin_feature_params;

AKIN_MUST_CHECK akin_status akin_feature_params_create(const akin_features *features,
                                                       akin_feature_params **out); /* all zero */
void akin_feature_params_free(akin_feature_params *params); /* NULL is fine */

const akin_features *akin_feature_params_features(const akin_feature_params *params); /* borrowed */
akin_projection *akin_feature_params_projection(const akin_feature_params *params,
                                                akin_part part);              /* NULL: weight 0 */
akin_patches *akin_feature_params_patches(const akin_feature_params *params); /* NULL: weight 0 */
/* NULL: weight 0, or not made yet: how many words it has is the catalogue's. */
akin_manifold *akin_feature_params_manifold(const akin_feature_params *params);
AKIN_MUST_CHECK akin_status akin_feature_params_make_manifold(akin_feature_params *params,
                                                              size_t atoms); /* all zero */
/* A part weighs `weight` from now on; it has one. */
void akin_feature_params_weigh(akin_feature_params *params, akin_part part, double weight);
/* By what the weights were chosen and what that found, for the file; cut where they are long. */
void akin_feature_params_explain(akin_feature_params *params, const char *by, const char *why);
akin_projection *akin_feature_params_join(const akin_feature_params *params); /* NULL = none */

/* Writes it to a file in progress: dimensions that the file does not have yet, variables, and
 * the attribute `features`; then, after akin_ncfile_begin, the values, put by the rank that has
 * `mine`. Collective. */
void akin_feature_params_define(const akin_feature_params *params, akin_ncfile *file);
void akin_feature_params_put(const akin_feature_params *params, akin_ncfile *file, bool mine);

/* AKIN_INPUT: unknown features, another shape, or a value that is not finite. */
AKIN_MUST_CHECK akin_status akin_feature_params_read(const akin_ncfile *file,
                                                     akin_feature_params **out);

#endif
