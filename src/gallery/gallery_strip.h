/* gallery_strip: what the model of a run has learned: its training curve, and some pictures with
 * their reconstructions. strip.jpg shows the pictures as the network gets them, 32x32, above their
 * reconstructions. */
#ifndef AKIN_GALLERY_STRIP_H
#define AKIN_GALLERY_STRIP_H

#include "gallery_folder.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <stddef.h>

typedef struct {
    size_t shown;                        /* pictures; 0 = there is no strip.jpg */
    size_t epochs;                       /* number of epochs; 0 = no curve */
    double *loss, *holdout_loss;         /* [epochs], owned */
    double *contrast, *holdout_contrast; /* [epochs], owned; NULL if the objective has none */
} akin_gallery_learnt;

/* Made from catalog.nc and model.nc in a run's output folder (NULL = none), for items evenly spaced
 * over the catalogue. A missing or unusable file is not an error. Rank 0 only; not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_strip(akin_comm *comm, akin_gallery_folder *folder,
                                               const char *results, akin_gallery_learnt *out);
void akin_gallery_learnt_free(akin_gallery_learnt *learnt); /* Not collective; all zero is fine */

#endif
