/* fitted: all that `train` fits beside the network, and its part of model.nc.
 *
 * Floor 2 (data); looks down to error, mem, fixed, features, projection, patches,
 * ncfile.
 * Not collective where nothing else is said.
 *
 * Of each part of the features (features.h), here called latent:
 *   float latent_mean(latent);                    mean over the training catalogue
 *   float latent_axes(latent, latent_axis);       projection.h; where they are missing only the mean is taken; of a
 * part that is steady (features.h) the eigenvectors are turned back by W double latent_eigenvalue(latent_axis); of the
 * covariance double latent_whiten;                         the power of it that the axes are divided by double
 * latent_scale;                          where there are several parts: its weight of the part patches also (patches.h)
 *   float patch_mean(patch), patch_whitening(patch, patch_white), patch_word(word, patch);
 * and where these are projected once more
 *   float join_mean(joined);  float join_axes(joined, feature);  double join_eigenvalue(feature);
 */
#ifndef AKIN_FITTED_H
#define AKIN_FITTED_H

#include <akin/error.h>
#include <akin/features.h>
#include <akin/ncfile.h>
#include <akin/patches.h>
#include <akin/projection.h>

typedef struct akin_fitted akin_fitted;

AKIN_MUST_CHECK akin_status akin_fitted_create(const akin_features *features, akin_fitted **out); /* all zero */
void akin_fitted_free(akin_fitted *fitted);                                                       /* NULL is fine */

const akin_features *akin_fitted_features(const akin_fitted *fitted);               /* borrowed */
akin_projection *akin_fitted_projection(const akin_fitted *fitted, akin_part part); /* NULL: weight 0 */
akin_patches *akin_fitted_patches(const akin_fitted *fitted);                       /* NULL: weight 0 */
akin_projection *akin_fitted_join(const akin_fitted *fitted);                       /* NULL = none */

/* Into a file that is being written: dimensions that the file has not yet, variables, attribute `features`; then,
 * behind akin_ncfile_begin, what they hold, put by the rank that says `mine`. Collective. */
AKIN_MUST_CHECK akin_status akin_fitted_define(const akin_fitted *fitted, akin_ncfile *file);
AKIN_MUST_CHECK akin_status akin_fitted_put(const akin_fitted *fitted, akin_ncfile *file, bool mine);

/* AKIN_INPUT: features that are not known, or not of this shape, or a value that is not finite. */
AKIN_MUST_CHECK akin_status akin_fitted_read(const akin_ncfile *file, akin_fitted **out);

#endif
