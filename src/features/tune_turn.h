/* tune_turn: what joined parts are turned by (projection.h) so that what belongs together, by what a
 * study says, lies less apart: directions in which rows vary much as a multiple of how much what
 * belongs together does (Fisher's discriminant, regularised), each times a power of that multiple.
 * On a flat ground the foreground's colours are a thing's own, and may differ within what belongs
 * together, yet are to count all the same: they can be left out of it, and then keep their
 * proportion to the others, or a multiple of it. Not collective. */
#ifndef AKIN_TUNE_TURN_H
#define AKIN_TUNE_TURN_H

#include "tune_judge.h"

typedef struct {
    bool found;               /* whether anything that belongs together lies apart */
    size_t first, colours;    /* columns that are left out: [first, first + colours) */
    size_t count;             /* of the others */
    double variance;          /* of the others together */
    double *values, *vectors; /* [count] descending; [count, count], of the others */
    float *residual;          /* [most, dim] room: what lies apart though it belongs together */
    double *covariance; /* [dim, dim]: of the fold's rows, set before akin_turn_solve, used up */
    double *nuisance;   /* [dim, dim] room */
} akin_turn;

AKIN_MUST_CHECK akin_status akin_turn_create(const akin_judge *t, akin_turn *turn);
void akin_turn_free(akin_turn *turn); /* what it holds; all zero is fine */

/* The directions that rows [count, dim] of a fold (AKIN_JUDGE_FOLDS: all) teach. apart: without the
 * colours. held: how much of its mean what lies apart is held back by; with less, what lies apart is
 * pressed more. */
AKIN_MUST_CHECK akin_status akin_turn_solve(const akin_judge *t, const float *rows, size_t fold,
                                            bool apart, double held, akin_turn *turn);

/* out [dim, dim]: the turn, where something was found. colours: how many times their proportion
 * those have that were left out. */
void akin_turn_write(const akin_turn *turn, double power, double colours, double *out);

/* out [dim, dim] = the products of rows [count, dim] with each other, divided by `weight`. */
AKIN_MUST_CHECK akin_status akin_turn_products(const float *rows, size_t count, size_t dim,
                                               double weight, double *out);

#endif
