/* tune: see tune.h. */
#include "tune_judge.h"
#include <akin/log.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 4, FOLDS = AKIN_JUDGE_FOLDS };
#define STEP 1.4142135623730951
#define MOST 16.0  /* largest factor on a weight */
#define GAIN 0.003 /* least gain of a step, in the logarithm */

/* scores [n]: the cosines of row i with these weights. */
static void add_parts(float *const *cosines, const double *weights, size_t i, size_t n,
                      float *scores) {
    memset(scores, 0, n * sizeof *scores);
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        const float *cosine = cosines[p] ? cosines[p] + i * n : NULL;
        float square = (float)(weights[p] * weights[p]);
        for (size_t j = 0; cosine && j < n; j++) scores[j] += square * cosine[j];
    }
}

/* Measures over the queries and views of one fold. */
static akin_judged measure_weights(const akin_judge *t, const double *weights, size_t fold) {
    akin_judged sum = {0};
    size_t n = t->study->count;
    akin_judge_tell(t);
    for (size_t q = 0; q < t->queries; q++) {
        if (!akin_judge_in(t, t->query[q], fold)) continue;
        add_parts(t->cosine, weights, q, n, t->scores);
        akin_judge_look(t, q, t->scores, false, &sum);
    }
    for (size_t v = 0; v < t->study->view_count; v++) {
        if (!akin_judge_in(t, akin_judge_original(t, v), fold)) continue;
        add_parts(t->again, weights, v, n, t->scores);
        akin_judge_look_again(t, v, t->scores, &sum);
    }
    return akin_judge_mean(sum);
}

/* The gain of these weights over the initial ones. */
static double gain_of(const akin_judge *t, const double *weights, size_t fold) {
    return akin_judge_gain(t, t->start[fold], measure_weights(t, weights, fold), 1);
}

/* Increases and decreases the weight of one part for as long as that helps; returns whether any
 * step did. */
static bool step(const akin_judge *t, size_t fold, size_t p, double *weights, double *best) {
    double given = t->features->parts[p].weight;
    bool moved = false;
    for (int way = -1; way <= 1; way += 2)
        for (;;) {
            double before = weights[p];
            weights[p] = way > 0 ? before * STEP : before / STEP;
            double now = weights[p] <= given * MOST * 1.01 && weights[p] * MOST * 1.01 >= given
                             ? gain_of(t, weights, fold)
                             : -INFINITY;
            if (!(now > *best + GAIN)) {
                weights[p] = before;
                break;
            }
            *best = now;
            moved = true;
        }
    return moved;
}

static bool is_free(const akin_judge *t, size_t p) {
    return t->cosine[p] && !t->features->parts[p].given;
}

/* Climbs from these weights on; returns their gain in the end. */
static double climb(const akin_judge *t, size_t fold, double *weights) {
    double best = gain_of(t, weights, fold);
    bool moved = true;
    for (size_t round = 0; moved && round < ROUNDS; round++) {
        moved = false;
        for (size_t p = 0; p < AKIN_PARTS; p++)
            if (is_free(t, p)) moved = step(t, fold, p, weights, &best) || moved;
    }
    return best;
}

/* out: the weights of all parts but one are divided by `less`, except those that the user gave. */
static void favour(const akin_judge *t, size_t one, double less, double *out) {
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        out[p] = t->features->parts[p].weight;
        if (p != one && is_free(t, p)) out[p] /= less;
    }
}

/* The part that has the highest gain when it dominates the others. */
static size_t best_part(const akin_judge *t, size_t fold) {
    size_t found = AKIN_PARTS;
    double best = -INFINITY, weights[AKIN_PARTS];
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        if (!is_free(t, p)) continue;
        favour(t, p, MOST, weights);
        double now = gain_of(t, weights, fold);
        if (!(now > best)) continue;
        best = now;
        found = p;
    }
    return found;
}

/* The best weights found on a fold, starting from the initial ones, from the best part almost
 * alone, and from halfway between. */
static void choose_on(const akin_judge *t, size_t fold, double *weights) {
    double best = climb(t, fold, weights), other[AKIN_PARTS];
    size_t part = best_part(t, fold);
    for (double less = MOST; part < AKIN_PARTS && less > 1;
         less = sqrt(less) > 2 ? sqrt(less) : 1) {
        favour(t, part, less, other);
        double now = climb(t, fold, other);
        if (!(now > best)) continue;
        best = now;
        memcpy(weights, other, sizeof other);
    }
}

/* Whether the weights chosen on each fold also help on the other one. Sets the shares with the
 * initial and with the chosen weights. */
static bool serve_each_other(const akin_judge *t, double chosen[][AKIN_PARTS],
                             akin_tune_result *out) {
    bool serve = true;
    double share = 0;
    for (size_t f = 0; f < FOLDS; f++) {
        akin_judged now = measure_weights(t, chosen[1 - f], f);
        serve = serve && akin_judge_gain(t, t->start[f], now, 1) > AKIN_JUDGE_GAIN;
        out->share += t->start[f].share / FOLDS;
        share += now.share / FOLDS;
    }
    out->share_weighed = serve ? share : out->share;
    return serve;
}

/* If the weights chosen on each fold also help on the other one, takes the geometric mean of both
 * choices, or one of them if its gain on the other fold exceeds the lower gain of the mean. */
static void choose_weights(akin_judge *t, akin_tune_result *out) {
    double tries[FOLDS + 1][AKIN_PARTS], best = 0;
    for (size_t f = 0; f < FOLDS; f++) t->start[f] = measure_weights(t, out->weights, f);
    for (size_t f = 0; f < FOLDS; f++) {
        memcpy(tries[f], out->weights, sizeof tries[f]);
        choose_on(t, f, tries[f]);
    }
    if (!serve_each_other(t, tries, out)) return;
    for (size_t p = 0; p < AKIN_PARTS; p++) tries[FOLDS][p] = sqrt(tries[0][p] * tries[1][p]);
    for (size_t i = 0; i <= FOLDS; i++) {
        double held = INFINITY;
        for (size_t f = 0; f < FOLDS; f++)
            if (f != i) held = fmin(held, gain_of(t, tries[i], f));
        if (!(held > best)) continue;
        best = held;
        out->weighed = true;
        memcpy(out->weights, tries[i], sizeof tries[i]);
    }
}

/* A fold with fewer rows than columns has no information on most directions. */
bool akin_tune_can_map(size_t count, size_t dim) {
    return count >= FOLDS * dim;
}

akin_status akin_tune(const akin_study *study, const akin_features *features, bool map,
                      akin_tune_result *result) {
    akin_status status;
    double start[AKIN_PARTS];
    size_t tried = 0;
    akin_judge t = {.study = study, .features = features, .tried = &tried};
    AKIN_TRY(akin_judge_begin(&t));
    result->queries = t.queries;
    memcpy(start, result->weights, sizeof start);
    if (t.queries > 0) choose_weights(&t, result);
    if (map && akin_tune_can_map(study->count, study->dim))
        AKIN_TRY(akin_tune_map(&t, start, result));
done:
    akin_log_progress_end();
    akin_judge_end(&t);
    return status;
}
