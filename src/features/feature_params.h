/* feature_params: all parameters that `train` fits except those of the network, and their variables
 * in model.nc. Not collective unless stated.
 *
 * For each part of the features (features.h), called latent below:
 *
 * float  latent_mean(latent)              mean over the training catalogue
 * float  latent_axes(latent, latent_axis) projection.h; if missing, only the mean is subtracted;
 *                                         for a steady part (features.h), W times the eigenvectors
 * double latent_eigenvalue(latent_axis)   of the covariance
 * double latent_whiten                    the axes are divided by the eigenvalues to this power
 * double latent_scale                     the weight of this part, if there are several
 *
 * For the part patches (patches.h) also:
 *
 * float  patch_mean(patch), patch_whitening(patch, patch_white), patch_word(word, patch)
 *
 * For the part manifold (manifold.h) also:
 *
 * float  manifold_square_mean(square), manifold_whitening(square, square_white),
 *        manifold_dictionary(atom, square), manifold_share(code),
 *        manifold_code_axes(code, square_axis)
 *
 * If the joined parts are projected again:
 *
 * float  join_mean(joined), join_axes(joined, feature)
 * double join_eigenvalue(feature) */
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
/* NULL: weight 0, or not created yet: the number of words depends on the catalogue. */
akin_manifold *akin_feature_params_manifold(const akin_feature_params *params);
AKIN_MUST_CHECK akin_status akin_feature_params_make_manifold(akin_feature_params *params,
                                                              size_t atoms); /* all zero */
/* Sets the weight of a part that already has one. */
void akin_feature_params_weigh(akin_feature_params *params, akin_part part, double weight);
/* Records how the weights were chosen and the result, for the file; long texts are truncated. */
void akin_feature_params_explain(akin_feature_params *params, const char *by, const char *why);
akin_projection *akin_feature_params_join(const akin_feature_params *params); /* NULL = none */

/* Writes to a file in progress. First defines missing dimensions, the variables and the attribute
 * `features`; after akin_ncfile_begin, the rank with `mine` writes the values. Collective. */
void akin_feature_params_define(const akin_feature_params *params, akin_ncfile *file);
void akin_feature_params_put(const akin_feature_params *params, akin_ncfile *file, bool mine);

/* AKIN_INPUT: unknown features, another shape, or a value that is not finite. */
AKIN_MUST_CHECK akin_status akin_feature_params_read(const akin_ncfile *file,
                                                     akin_feature_params **out);

#endif
