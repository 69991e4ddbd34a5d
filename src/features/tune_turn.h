/* tune_turn: what joined parts are turned by (projection.h) so that what belongs together, by what a
 * study says, is alike in them. Cosines are taken by a matrix G in place of the identity, the sum of
 *
 * - the identity; or, of pairs, Fisher's discriminant, regularised: directions in which rows vary
 *   much as a multiple of how much what belongs together does, by the root of that multiple. (Of
 *   labels it finds less than the regression, and twins of a picture are lost by it.)
 * - (C + r I)^-1 B (C + r I)^-1, with C the covariance of the rows, B that of the means of what
 *   belongs together, and r a multiple of the mean of C's diagonal: cosines of what ridge
 *   regression says of the labels (Hoerl & Kennard, "Ridge regression", 1970), each label scaled by
 *   the root of its frequency.
 *
 * On a flat ground the foreground's colours are a thing's own, and may differ within what belongs
 * together, yet are to count all the same: they can be left out of it, and then keep their
 * proportion to the others, or a multiple of it. Not collective. */
#ifndef AKIN_TUNE_TURN_H
#define AKIN_TUNE_TURN_H

#include "tune_judge.h"

typedef struct {
    bool press;     /* Fisher's discriminant; else as rows are */
    double ridge;   /* of the regression: what is added, as a multiple of the mean variance */
    double amount;  /* how many times the others' length its says have; 0: none */
    double colours; /* how many times their proportion those have that are left out */
} akin_turn_way;

typedef struct {
    bool found;             /* whether anything that belongs together lies apart */
    size_t first, colours;  /* columns that are left out: [first, first + colours) */
    size_t count;           /* of the others */
    double variance;        /* of the others together */
    double *values;         /* of their covariance, [count], descending */
    float *axes;            /* [count, count], a row each */
    float *pressed;         /* [count, count]: Fisher's part of G, of the same variance */
    float *gram;            /* [count, count] room */
    size_t labels;          /* how many means */
    float *means;           /* [labels, count] along the axes; products with each other are B */
    float *residual, *says; /* [most, dim] room */
    double *covariance; /* [dim, dim]: of the fold's rows, set before akin_turn_solve, used up */
    double *nuisance, *room; /* [dim, dim] room */
} akin_turn;

AKIN_MUST_CHECK akin_status akin_turn_create(const akin_judge *t, akin_turn *turn);
void akin_turn_free(akin_turn *turn); /* what it holds; all zero is fine */

/* What rows [count, dim] of a fold (AKIN_JUDGE_FOLDS: all), whose mean [dim] is, teach. apart:
 * without the colours. */
AKIN_MUST_CHECK akin_status akin_turn_solve(const akin_judge *t, const float *rows,
                                            const float *mean, size_t fold, bool apart,
                                            akin_turn *turn);

/* out [dim, dim]: G, where something was found. */
void akin_turn_write(akin_turn *turn, const akin_turn_way *way, float *out);

/* out [dim, dim]: a turn T with T T' = matrix [dim, dim]. */
AKIN_MUST_CHECK akin_status akin_turn_root(const float *matrix, size_t dim, double *out);

/* out [dim, dim] = the products of rows [count, dim] with each other, divided by `weight`. */
AKIN_MUST_CHECK akin_status akin_turn_products(const float *rows, size_t count, size_t dim,
                                               double weight, double *out);

#endif
