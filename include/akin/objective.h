/* objective: what training makes small. Not collective. Cannot fail. */
#ifndef AKIN_OBJECTIVE_H
#define AKIN_OBJECTIVE_H

typedef enum {
    AKIN_OBJECTIVE_RECONSTRUCTION, /* redraw the picture: its mean squared error */
    AKIN_OBJECTIVE_DENOISING,      /* the same from a damaged picture (Vincent et al. 2008) */
    AKIN_OBJECTIVE_CONTRASTIVE,    /* redraw, and tell two views of a picture from those of others
                                      (contrast.h) */
    AKIN_OBJECTIVE_COUNT,
} akin_objective_kind;

typedef struct {
    akin_objective_kind kind;
    double augment;     /* strength of the changes to a picture, 1 = as augment.h has them */
    double contrast;    /* weight of the contrastive loss, a mean over the views, beside the mean
                           squared error */
    double temperature; /* of that */
} akin_objective;

const char *akin_objective_name(akin_objective_kind kind);
akin_objective_kind
akin_objective_find(const char *name); /* AKIN_OBJECTIVE_COUNT where there is none */

#endif
