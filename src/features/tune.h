/* tune: chooses the weights of the parts of a vector, and a linear map of the joined parts, from
 * what a catalogue says belongs together. Not collective: one rank learns, and the result is
 * broadcast.
 *
 * Few numbers are chosen, and a choice is used only if it also helps for items that it was not made
 * on. Items are split into two folds; items of one group are in the same fold. On each fold the
 * weights climb in steps of a factor of the square root of two, one part at a time. The weights
 * chosen on one fold must help on the other one, or the initial weights remain. Then the joined
 * parts are turned (tune_turn.h). First they are made insensitive to the way in which views of
 * pictures differ from their originals, if more views find their original by that; this needs no
 * labels. Second, what belongs together becomes similar, provided that such a map, fitted on one
 * fold, helps on the other one.
 *
 * The gain is measured as the logarithm of the mean share of related items among the first 10
 * neighbours, with a penalty for losing what no label describes. First, not fewer views of pictures
 * - slightly cropped, under other light or encoded again - may have their original as the nearest
 * neighbour than with the initial weights, and a map must leave half of what insensitivity to views
 * gained. Second, to the degree that pictures have a flat background, where colours are those of the
 * object itself, neighbours must stay similar in the foreground's colours and in texture: no label
 * says that someone who looks at a red shoe wants a red one. Third, where a map makes all but all
 * neighbours related ones, labels have nothing left to teach. There similarity in texture counts as
 * much as in colours, and its weight is raised as far as that is worth what it costs. */
#ifndef AKIN_TUNE_H
#define AKIN_TUNE_H

#include <akin/error.h>
#include <akin/features.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t first, second; /* indices of rows of the study */
    double weight;
} akin_study_pair;

/* The rows that are studied, all of them on the rank that learns. */
typedef struct {
    size_t count, dim;
    float *rows;            /* [count, dim]: the parts, concatenated and weighted */
    int32_t *label;         /* [count]: rows with the same label belong together; -1: no label */
    int32_t *group;         /* [count]: those of the same group are not neighbours; -1: no group */
    akin_study_pair *pairs; /* related pairs, in place of labels; NULL: none */
    size_t pair_count;
    size_t taught_count;   /* 0: the map in use is learned from `rows`; otherwise from these: */
    float *taught;         /* [taught_count, dim], with the same weights */
    int32_t *taught_label; /* [taught_count] */
    double flat;           /* share of pictures on a flat background */
    size_t view_count;     /* 0: views are not checked */
    const float *views; /* [view_count, dim]: view v is of row v * count / view_count; those of even
                         * v are without noise */
} akin_study;

typedef struct {
    double weights[AKIN_PARTS];    /* the chosen weights, or the initial ones */
    bool weighed, mapped;          /* whether new weights, and a map, were found to help */
    double share, share_weighed;   /* of related neighbours: with initial and with new weights */
    double share_plain, share_map; /* likewise, without and with the map */
    double again;                  /* share of views that find their original first: initially */
    double again_plain, again_map; /* in the end, without and with the map */
    size_t queries;                /* rows whose neighbours were checked; 0: too few to decide */
    bool steady;                   /* whether rows are insensitive to views (tune_turn.h) */
    bool press;                    /* of the map (likewise) */
    double ridge, amount, colours; /* likewise; colours 0: not separate */
    double texture;                /* likewise */
    double
        *turn; /* if mapped or steady: turn of the joined parts [dim, dim] (projection.h); owned */
} akin_tune_result;

/* Whether a fold of `count` rows has enough of them to learn about each of `dim` columns. */
bool akin_tune_can_map(size_t count, size_t dim);

/* *result: the caller sets the initial weights and zeroes the rest. map: whether joined parts are
 * projected to features->dim columns, so that a map can be applied. */
AKIN_MUST_CHECK akin_status akin_tune(const akin_study *study, const akin_features *features,
                                      bool map, akin_tune_result *result);

#endif
