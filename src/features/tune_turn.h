/* tune_turn: learns a turn of the joined parts (projection.h) that makes rows similar that belong
 * together according to a study. Cosines are computed with a matrix G in place of the identity. G
 * is the sum of
 *
 * - the identity; or, if way->steady, (N / m + 4 I)^-1, where N is the covariance of the differences
 *   between views and their rows, and m the mean of N's diagonal, scaled so that rows keep their
 *   variance (compare steady axes, projection.h); or, for pairs, Fisher's discriminant, regularised:
 *   directions in which all rows vary much relative to related ones, scaled by the square root of
 *   that ratio. (For labels it finds less than the regression does, and it loses the twins of
 *   pictures.)
 * - (C + r I)^-1 B (C + r I)^-1, where C is the covariance of the rows plus a share of N, as if views
 *   were learned from, too, B that of the means of what
 *   belongs together, and r a multiple of the mean of C's diagonal: the cosines of the predictions
 *   of a ridge regression on the labels (Hoerl & Kennard, "Ridge regression", 1970), each label
 *   scaled by the square root of its frequency.
 *
 * On a flat background, the foreground's colours are those of the object. Related items may differ
 * in them, but they must still count. They can therefore be left out of the map; they then keep
 * their weight relative to the other parts, or a multiple of it. Texture stays in the map, but its rows
 * and columns of the first part of G can be multiplied. Not collective. */
#ifndef AKIN_TUNE_TURN_H
#define AKIN_TUNE_TURN_H

#include "tune_judge.h"

typedef struct {
    bool steady;    /* insensitive to views, in place of the identity */
    bool press;     /* Fisher's discriminant in place of either */
    double ridge;   /* added to the regression's diagonal, times the mean variance */
    double amount;  /* length of the regression's part relative to the other one; 0: none */
    double colours; /* factor on the weight of colours that are left out */
    double texture; /* factor on the weight that texture has beside the regression */
} akin_turn_way;

typedef struct {
    bool found;               /* whether there is any variation among related rows */
    size_t first, colours;    /* columns that are left out: [first, first + colours) */
    size_t count;             /* number of the other columns */
    size_t texture, textures; /* those of texture among them: [texture, texture + textures) */
    double variance;          /* total variance of the other columns */
    double *values;           /* eigenvalues of their covariance, [count], descending */
    float *axes;              /* [count, count], one row per axis */
    float *pressed;           /* [count, count]: Fisher's part of G, scaled to the same variance */
    float *base;              /* [count, count]: likewise the part insensitive to views */
    float *gram;              /* [count, count] room */
    size_t labels;            /* number of means */
    float *means;             /* [labels, count] in the axes' coordinates; their products are B */
    float *residual, *says;   /* [most, dim] room */
    double *covariance;       /* [dim, dim]: input of akin_turn_solve, overwritten */
    double *moved;            /* [dim, dim]: likewise N; zero without views */
    double *nuisance, *room;  /* [dim, dim] room */
} akin_turn;

AKIN_MUST_CHECK akin_status akin_turn_create(const akin_judge *t, akin_turn *turn);
void akin_turn_free(akin_turn *turn); /* frees the members; all zero is fine */

/* Learns from rows [count, dim] of a fold (AKIN_JUDGE_FOLDS: all), whose mean is mean [dim]. apart:
 * leaves the colours out. */
AKIN_MUST_CHECK akin_status akin_turn_solve(const akin_judge *t, const float *rows,
                                            const float *mean, size_t fold, bool apart,
                                            akin_turn *turn);

/* out [dim, dim]: G, provided that turn->found or way->amount is 0. */
void akin_turn_write(akin_turn *turn, const akin_turn_way *way, float *out);

/* out [dim, dim]: a turn T with T T' = matrix [dim, dim]. */
AKIN_MUST_CHECK akin_status akin_turn_root(const float *matrix, size_t dim, double *out);

/* out [dim, dim] = sum of the outer products of rows [count, dim], divided by `weight`. */
AKIN_MUST_CHECK akin_status akin_turn_products(const float *rows, size_t count, size_t dim,
                                               double weight, double *out);

#endif
