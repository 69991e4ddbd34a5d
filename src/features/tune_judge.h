/* tune_judge: how well neighbours are found among the rows of a study: what tune.h's choices are
 * judged by. Not collective. */
#ifndef AKIN_TUNE_JUDGE_H
#define AKIN_TUNE_JUDGE_H

#include "tune.h"

enum { AKIN_JUDGE_NEAREST = 10, AKIN_JUDGE_FOLDS = 2 };
#define AKIN_JUDGE_FEWEST 60 /* rows to which others belong, below which nothing is told */

/* How well neighbours are found: their share, and how alike they are in colours and texture. */
typedef struct {
    double share, colour, texture;
    double found; /* neighbours that belong to their query, of all queries */
    size_t queries;
    double again;            /* share of views that find their original first */
    size_t views, lost, won; /* of these, those that did before and do not now, and the reverse */
} akin_judged;

typedef struct {
    const akin_study *study;
    const akin_features *features;
    size_t queries, *query;    /* rows */
    size_t *related;           /* [queries]: rows that belong to it, up to AKIN_JUDGE_NEAREST */
    uint8_t *fold;             /* [count] */
    uint8_t *relation;         /* [queries, count]: of query and row */
    float *cosine[AKIN_PARTS]; /* [queries, count], at weight one; NULL: not a part */
    float *again[AKIN_PARTS];  /* [views, count] likewise */
    double any[AKIN_PARTS];    /* the mean of cosine */
    akin_judged start[AKIN_JUDGE_FOLDS]; /* by each fold, at weights as they were */
    uint8_t *before;                     /* [views] (akin_judge_look_again), likewise */
    float *scores;                       /* [count] */
    float *part;                         /* [count, dim of a part] */
} akin_judge;

/* Study and features are set by the caller; the queries, the folds, and unless the queries are
 * fewer than AKIN_JUDGE_FEWEST the cosines are found. akin_judge_end follows in any case. */
AKIN_MUST_CHECK akin_status akin_judge_begin(akin_judge *t);
void akin_judge_end(akin_judge *t);

/* rows [count, dim] of the queries times all others [count, dim], which may be the same: out
 * [queries, count]. */
AKIN_MUST_CHECK akin_status akin_judge_multiply(const akin_judge *t, const float *rows,
                                                const float *others, size_t dim, float *out);

/* The same of the study's views: out [views, count]. */
void akin_judge_multiply_views(const akin_judge *t, const float *views, const float *others,
                               size_t dim, float *out);

/* Adds what query q's nearest say, by scores [count]; rows of another fold than its own are passed
 * over where `apart`. Returns its share of neighbours. Then the mean of such a sum. */
double akin_judge_look(const akin_judge *t, size_t q, const float *scores, bool apart,
                       akin_judged *sum);

/* Adds whether view v finds its original before all other rows. before: whether it did in the first
 * look, which sets it; to begin with AKIN_JUDGE_UNSEEN. */
enum { AKIN_JUDGE_UNSEEN = 2 };
void akin_judge_look_again(const akin_judge *t, size_t v, const float *scores, uint8_t *before,
                           akin_judged *sum);

/* [views] unseen; NULL without memory. Owned by the caller. */
uint8_t *akin_judge_unseen(const akin_judge *t);

/* The row that a view is of. */
static inline size_t akin_judge_original(const akin_judge *t, size_t v) {
    return v * t->study->count / t->study->view_count;
}

akin_judged akin_judge_mean(akin_judged sum);

#define AKIN_JUDGE_GAIN                                                                            \
    0.01 /* of the logarithm, below which nothing is changed for it: what no
                              * label tells may lose */

/* What its logarithm must gain to be more than chance. */
double akin_judge_chance(akin_judged m);

/* By how much `now` is worth more than `was` (tune.h). colours: how many times as alike they may
 * become and still be worth more for it. */
double akin_judge_gain(const akin_judge *t, akin_judged was, akin_judged now, double colours);

/* Whether a row is of this fold; AKIN_JUDGE_FOLDS: of any. */
static inline bool akin_judge_in(const akin_judge *t, size_t row, size_t fold) {
    return fold == AKIN_JUDGE_FOLDS || t->fold[row] == fold;
}

/* Chooses a map (tune.h) for the weights of `out`; views must find as much as at those that were
 * before. */
AKIN_MUST_CHECK akin_status akin_tune_map(const akin_judge *t, const double *start,
                                          akin_tune_result *out);

#endif
