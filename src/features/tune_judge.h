/* tune_judge: measures how well the neighbours of a study's rows fit; tune.h chooses by this
 * measure. Not collective. */
#ifndef AKIN_TUNE_JUDGE_H
#define AKIN_TUNE_JUDGE_H

#include "tune.h"

enum { AKIN_JUDGE_NEAREST = 10, AKIN_JUDGE_FOLDS = 2 };
#define AKIN_JUDGE_FEWEST 60 /* fewest queries from which anything can be learned */

/* Quality of neighbours: the share of related ones, and their similarity in colour and texture. */
typedef struct {
    double share, colour, texture;
    double found; /* number of related neighbours, over all queries */
    size_t queries;
    size_t views;
    double again; /* share of views that find their original first */
    double keep;  /* the least share that others, compared with this one, must have */
} akin_judged;

typedef struct {
    const akin_study *study;
    const akin_features *features;
    size_t queries, *query;    /* indices of rows */
    size_t *related;           /* [queries]: number of related rows, up to AKIN_JUDGE_NEAREST */
    uint8_t *fold;             /* [count] */
    uint8_t *relation;         /* [queries, count]: relation of query and row */
    float *cosine[AKIN_PARTS]; /* [queries, count], at weight one; NULL: part not used */
    float *again[AKIN_PARTS];  /* [views, count], likewise */
    double any[AKIN_PARTS];    /* mean of cosine over all pairs */
    akin_judged start[AKIN_JUDGE_FOLDS]; /* on each fold, with the initial weights */
    float *scores;                       /* [count] */
    float *part;                         /* [count, dim of a part] */
    size_t *tried;                       /* choices measured so far; NULL: not counted */
} akin_judge;

/* Counts a choice that is measured, and shows progress. */
void akin_judge_tell(const akin_judge *t);

/* The caller sets study and features. Chooses the folds and queries and computes the cosines; if
 * there are fewer than AKIN_JUDGE_FEWEST queries, none are used. Must be followed by akin_judge_end,
 * also after a failure. */
AKIN_MUST_CHECK akin_status akin_judge_begin(akin_judge *t);
void akin_judge_end(akin_judge *t);

/* The queries' rows of rows [count, dim] times all rows of others [count, dim], which may be the
 * same: out [queries, count]. */
AKIN_MUST_CHECK akin_status akin_judge_multiply(const akin_judge *t, const float *rows,
                                                const float *others, size_t dim, float *out);

/* The same for the study's views: out [views, count]. */
void akin_judge_multiply_views(const akin_judge *t, const float *views, const float *others,
                               size_t dim, float *out);

/* Adds the quality of the nearest rows of query q, by scores [count], to a sum. apart: ignores rows
 * of the other fold. Returns the query's share of related neighbours. akin_judge_mean then turns
 * the sum into means. */
double akin_judge_look(const akin_judge *t, size_t q, const float *scores, bool apart,
                       akin_judged *sum);

/* Adds to the sum whether view v finds its original before all other rows. */
void akin_judge_look_again(const akin_judge *t, size_t v, const float *scores, akin_judged *sum);

/* The row of which this is a view. */
static inline size_t akin_judge_original(const akin_judge *t, size_t v) {
    return v * t->study->count / t->study->view_count;
}

akin_judged akin_judge_mean(akin_judged sum);

#define AKIN_JUDGE_GAIN 0.01 /* least gain in the logarithm */

/* Least gain in the logarithm that is unlikely to be chance. */
double akin_judge_chance(akin_judged m);

/* The gain of `now` over `was` (tune.h). colours: a higher similarity in colours counts up to this
 * factor. */
double akin_judge_gain(const akin_judge *t, akin_judged was, akin_judged now, double colours);

/* The gain in texture alone. */
double akin_judge_texture_gain(const akin_judge *t, akin_judged was, akin_judged now);

/* Whether a row is in this fold; AKIN_JUDGE_FOLDS: in any. */
static inline bool akin_judge_in(const akin_judge *t, size_t row, size_t fold) {
    return fold == AKIN_JUDGE_FOLDS || t->fold[row] == fold;
}

/* Chooses a map (tune.h) for the weights of `out`. Views must find their originals as well as with
 * the weights `start`. */
AKIN_MUST_CHECK akin_status akin_tune_map(const akin_judge *t, const double *start,
                                          akin_tune_result *out);

#endif
