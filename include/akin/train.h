/* train: trains the autoencoder, data-parallel, and fits the features, into model.nc. For
 * features that need no network only the fitting is done, quickly and without a checkpoint. The
 * result is a function of catalogue, options and --init's weights: the same bits at any number
 * of ranks, and after any interruption and resume. */
#ifndef AKIN_TRAIN_H
#define AKIN_TRAIN_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/features.h>
#include <akin/model.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What training makes small. */
typedef enum {
    AKIN_OBJECTIVE_RECONSTRUCTION, /* redraw the picture: its mean squared error */
    AKIN_OBJECTIVE_DENOISING,      /* the same from a damaged picture (Vincent et al. 2008) */
    AKIN_OBJECTIVE_CONTRASTIVE,    /* redraw, and tell two views of a picture from those of others
                                      (network.h) */
    AKIN_OBJECTIVE_COUNT,
} akin_objective_kind;

typedef struct {
    akin_objective_kind kind;
    double augment;     /* strength of the changes to a picture, 1 = as augment.h has them */
    double contrast;    /* weight of the contrastive loss, a mean over the views, beside the mean
                           squared error */
    double temperature; /* of that */
} akin_objective;

/* Not collective. Cannot fail. */
const char *akin_objective_name(akin_objective_kind kind);
akin_objective_kind
akin_objective_find(const char *name); /* AKIN_OBJECTIVE_COUNT if there is none */

typedef struct {
    const char *catalog, *output;
    const char
        *init; /* model.nc whose weights to start from, ignoring its optimiser state; NULL = none */
    const char *checkpoint;  /* NULL = default, <output>.checkpoint: one that does not match is
                              * replaced, not refused */
    double checkpoint_every; /* seconds; 0 = after every step */
    double epochs;   /* a part of one ends in the middle of it; 0 = by the catalogue's size */
    size_t steps;    /* at most; 0 = as many as the epochs have */
    size_t batch;    /* images per step, over all ranks */
    size_t warmup;   /* warm-up steps, see schedule.h */
    size_t patience; /* stop after this many epochs without a lower holdout loss, with the best
                      * weights; 0 = never */
    double learning_rate;
    bool constant_rate; /* it does not decay to zero */
    double holdout;     /* fraction of the items that is never trained on */
    uint64_t seed;
    akin_objective objective;
    const akin_features *features; /* NULL = the latents, centred */
    const char *pairs_digest;      /* of the features' file of pairs; recorded; NULL = none */
    const char *options, *result_options;
} akin_train_params;

typedef struct {
    size_t items;
    double epochs; /* done */
    int64_t steps;
    double loss_first;   /* of the first step, before any update; all losses: mean squared errors */
    double loss_last;    /* mean over the steps of the last epoch */
    double holdout_loss; /* of the model that is kept; NaN without a holdout */
    double contrast_last, holdout_contrast; /* likewise the mean contrastive loss of a view; NaN
                                             * for other objectives */
    double images_per_second; /* over the steps of this run; NaN if all were done before */
    double seconds_waiting;   /* for the other ranks' share of the sums, on the rank that waited
                          * longest */
    double seconds_reading;   /* for pictures, likewise */
    double seconds_saving;    /* in which the steps waited for checkpoints, likewise */
    akin_fit_features_result fitted;    /* the parts and their weights */
    size_t points;                      /* of the curves: the epochs, including an incomplete one */
    double *loss_curve, *holdout_curve; /* [points], owned */
    double *contrast_curve, *holdout_contrast_curve; /* likewise; NaN for other objectives */
} akin_train_result;

/* AKIN_INTERRUPTED: received a signal, a checkpoint is saved. AKIN_FAILED, with no model
 * written: the run diverged. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_train(akin_comm *comm, const akin_train_params *params,
                                       akin_train_result *result);
void akin_train_result_free(akin_train_result *result);

#endif
