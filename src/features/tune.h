/* tune: what weighs how much among the parts of a vector, and which directions hardly count,
 * learned from what a catalogue says belongs together. Not collective: one rank learns, the others
 * are told.
 *
 * Few numbers are chosen, and each only where it holds for items that it was not chosen on. Items
 * lie in two folds, those of a group in the same. On each fold the weights climb in steps of a
 * root of two, one part after the other; those that one fold chose must serve the other, else the
 * weights stay as they were. Then the joined parts are turned
 * so that what belongs together is alike in them (tune_turn.h) where such a map, fitted on one
 * fold, serves the other.
 *
 * What serves is the logarithm of the mean share of the first 10 neighbours that belong to an
 * item, as long as what no label tells is kept: pictures that were cropped a little, lit otherwise
 * or coded anew go on finding their original first, each compared with itself at the weights to
 * begin with; and, as far as pictures lie on a flat ground, where
 * these are the thing's own, neighbours stay alike in the foreground's colours and in texture: no
 * label says that a buyer of a red shoe wants a red one.
 */
#ifndef AKIN_TUNE_H
#define AKIN_TUNE_H

#include <akin/error.h>
#include <akin/features.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t first, second; /* rows of the study */
    double weight;
} akin_study_pair;

/* Rows that are looked at. All on the rank that learns. */
typedef struct {
    size_t count, dim;
    float *rows;            /* [count, dim]: the parts, concatenated, as the features weigh them */
    int32_t *label;         /* [count]: rows of the same belong together; -1: with none */
    int32_t *group;         /* [count]: those of the same are not counted as neighbours; -1: none */
    akin_study_pair *pairs; /* what belongs together, in place of labels; NULL: none */
    size_t pair_count;
    double flat;        /* share of pictures on a flat ground */
    size_t view_count;  /* 0: whether originals are found is not looked at */
    const float *views; /* [view_count, dim]: likewise of changed pictures; view v is of row
                             * v * count / view_count */
} akin_study;

typedef struct {
    double weights[AKIN_PARTS];    /* as they were where nothing better was found */
    bool weighed, mapped;          /* whether weights, or the map, were found to serve */
    double share, share_weighed;   /* of the neighbours, held out: before, and with new weights */
    double share_plain, share_map; /* likewise without and with the map */
    double again;                  /* share of views that find their original first: before */
    double again_plain, again_map; /* with new weights, without and with the map */
    size_t queries;                /* rows whose neighbours were looked at; 0: too few to say */
    bool press;                    /* of the map (tune_turn.h) */
    double ridge, amount, colours; /* likewise; colours 0: not apart */
    double *turn; /* where mapped: what the joined parts at these weights are turned
                                      by [dim, dim] (projection.h); owned */
} akin_tune_result;

/* *result begins zeroed but for the weights to begin with. map: whether joined parts are projected to features->dim columns, so that a map may be found. */
AKIN_MUST_CHECK akin_status akin_tune(const akin_study *study, const akin_features *features,
                                      bool map, akin_tune_result *result);

#endif
