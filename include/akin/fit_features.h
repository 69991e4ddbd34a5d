/* fit_features: fits on a catalogue everything that the features need: the means, the axes, and
 * the join of the parts. */
#ifndef AKIN_FIT_FEATURES_H
#define AKIN_FIT_FEATURES_H

#include <akin/catalog.h>
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/features.h>
#include <akin/model.h>

/* For a larger catalogue this many items, evenly spaced over its rows, are used: as many as have
 * AKIN_FIT_FEATURES_VALUES raw numbers (128 MiB, over all ranks; for a steady part a view counts
 * too), but at most AKIN_COVARIANCE_ROWS. The mean of 65,536 is within a hundredth of a standard
 * deviation of the mean of all; the smallest number is 10,922, for pixels. */
#define AKIN_FIT_FEATURES_VALUES ((size_t)1 << 25)

/* How the weights were chosen that were not given. */
typedef struct {
    const char *by; /* "category", "group", "pairs", "ground"; static; NULL: they were not */
    double flat;    /* share of pictures on a flat ground */
    double share;   /* of the first neighbours that belong together, held out; 0: not measured */
    char why[512];  /* a sentence for people */
} akin_fit_features_choice;

typedef struct {
    size_t items;           /* number used */
    double seconds;         /* spent on describing them, on the slowest rank */
    akin_features features; /* with the weights that were chosen */
    akin_fit_features_choice choice;
} akin_fit_features_result;

/* Sets these features in the model and fits them; its weights, if the features need them, are
 * already trained. The same bits at any number of ranks. AKIN_FAILED: a raw number is not
 * finite. AKIN_INTERRUPTED: received a signal. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_fit_features(akin_comm *comm, const akin_catalog *catalog,
                                              const akin_features *features, akin_model *model,
                                              akin_fit_features_result *result);

#endif
