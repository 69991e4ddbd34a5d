/* tune: see tune.h. */
#include "tune_judge.h"
#include <akin/mem.h>
#include <math.h>
#include <string.h>

enum { ROUNDS = 4, FOLDS = AKIN_JUDGE_FOLDS };
#define STEP 1.4142135623730951
#define MOST 8.0   /* times a weight as it was, or a part of it */
#define GAIN 0.003 /* of the logarithm, that a step is worth */

/* Of the queries of one fold, or of both (FOLDS). */
static akin_judged measure_weights(const akin_judge *t, const double *weights, size_t fold) {
    akin_judged sum = {0};
    size_t n = t->study->count;
    for (size_t q = 0; q < t->queries; q++) {
        if (fold < FOLDS && t->fold[t->query[q]] != fold) continue;
        memset(t->scores, 0, n * sizeof *t->scores);
        for (size_t p = 0; p < AKIN_PARTS; p++) {
            const float *cosine = t->cosine[p] ? t->cosine[p] + q * n : NULL;
            float square = (float)(weights[p] * weights[p]);
            for (size_t j = 0; cosine && j < n; j++) t->scores[j] += square * cosine[j];
        }
        akin_judge_look(t, q, t->scores, false, &sum);
    }
    return akin_judge_mean(sum);
}

static void climb(const akin_judge *t, size_t fold, double *weights) {
    double best = akin_judge_worth(t, measure_weights(t, weights, fold));
    for (size_t round = 0; round < ROUNDS; round++) {
        bool moved = false;
        for (size_t p = 0; p < AKIN_PARTS; p++) {
            const akin_features_part *part = &t->features->parts[p];
            for (int way = -1; t->cosine[p] && !part->given && way <= 1; way += 2)
                for (;;) {
                    double before = weights[p];
                    weights[p] = way > 0 ? before * STEP : before / STEP;
                    double now = weights[p] <= part->weight * MOST * 1.01 &&
                                         weights[p] * MOST * 1.01 >= part->weight
                                     ? akin_judge_worth(t, measure_weights(t, weights, fold))
                                     : -INFINITY;
                    if (!(now > best + GAIN)) {
                        weights[p] = before;
                        break;
                    }
                    best = now;
                    moved = true;
                }
        }
        if (!moved) break;
    }
}

static double any_colour(const akin_judge *t) {
    double sum = 0;
    size_t n = t->study->count;
    const float *colours = t->cosine[AKIN_PART_FOREGROUND];
    for (size_t q = 0; colours && q < t->queries; q++)
        for (size_t j = 0; j < n; j++) sum += (double)colours[q * n + j];
    return sum / ((double)t->queries * (double)n);
}

/* Weights that both folds chose, in the middle between them; where those of one do not serve the
 * other, as they were. */
static void choose_weights(akin_judge *t, akin_tune_result *out) {
    double chosen[FOLDS][AKIN_PARTS];
    bool serve = true;
    double share = 0;
    t->colour = measure_weights(t, out->weights, FOLDS).colour;
    t->colour_any = any_colour(t);
    for (size_t f = 0; f < FOLDS; f++) {
        memcpy(chosen[f], out->weights, sizeof chosen[f]);
        climb(t, f, chosen[f]);
    }
    for (size_t f = 0; f < FOLDS; f++) {
        akin_judged before = measure_weights(t, out->weights, f),
                    now = measure_weights(t, chosen[1 - f], f);
        serve = serve && akin_judge_worth(t, now) > akin_judge_worth(t, before);
        out->share += before.share / FOLDS;
        share += now.share / FOLDS;
    }
    out->share_weighed = serve ? share : out->share;
    out->weighed = serve;
    for (size_t p = 0; serve && p < AKIN_PARTS; p++)
        out->weights[p] = sqrt(chosen[0][p] * chosen[1][p]);
}

akin_status akin_tune(const akin_study *study, const akin_features *features, bool map,
                      akin_tune_result *result) {
    akin_status status;
    akin_judge t = {.study = study, .features = features};
    AKIN_TRY(akin_judge_begin(&t));
    if (t.queries < AKIN_JUDGE_FEWEST) goto done;
    result->queries = t.queries;
    choose_weights(&t, result);
    if (map) AKIN_TRY(akin_tune_map(&t, result));
done:
    akin_judge_end(&t);
    return status;
}
