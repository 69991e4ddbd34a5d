/* tune_map: the map of joined parts: what lies apart though it belongs together (tune.h). */
#include "tune_judge.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <akin/projection.h>
#include <math.h>
#include <string.h>

enum { FOLDS = AKIN_JUDGE_FOLDS };
#define MAP_GAIN 0.01    /* of the logarithm, that a map is worth */
#define LEAST_SPARED 0.1 /* that is worth a try of its own */

static void subtract_mean(float *rows, size_t count, size_t dim, float *mean) {
    for (size_t d = 0; d < dim; d++) {
        double sum = 0;
        for (size_t i = 0; i < count; i++) sum += (double)rows[i * dim + d];
        mean[d] = count > 0 ? (float)(sum / (double)count) : 0;
        for (size_t i = 0; i < count; i++) rows[i * dim + d] -= mean[d];
    }
}

/* out [dim, dim] = the products of rows with each other, divided by `weight`. */
static akin_status products_of(const float *rows, size_t count, size_t dim, double weight,
                               double *out) {
    float *products = akin_mem_alloc(dim, dim * sizeof *products);
    if (!products) return AKIN_FAILED;
    akin_linalg_product(true, false, dim, dim, count, rows, rows, false, products);
    for (size_t i = 0; i < dim * dim; i++) out[i] = (double)products[i] / fmax(weight, 1e-300);
    akin_mem_free(products);
    return AKIN_OK;
}

typedef struct {
    float *rows;     /* [count, dim] as the weights have them */
    float *fold;     /* [count, dim]: those of a fold, less their mean */
    float *residual; /* [most, dim]: what lies apart though it belongs together */
    float *unit;     /* [count, columns] */
    float *scores;   /* [queries, count] */
    double *covariance, *nuisance, *vector; /* [dim, dim]; [columns] */
    akin_projection *projection;
    double spared; /* share of the colours' differences that is taken off on a flat ground */
    double held;   /* of the projection */
} mapping;

/* Rows as the weights have them. */
static void weigh_rows(const akin_judge *t, const double *weights, float *rows) {
    const akin_study *s = t->study;
    for (size_t i = 0; i < s->count; i++)
        for (size_t p = 0, at = 0; p < AKIN_PARTS; p++) {
            const akin_features_part *part = &t->features->parts[p];
            double scale = part->weight > 0 ? weights[p] / part->weight : 0;
            for (size_t d = 0; part->weight > 0 && d < part->dim; d++, at++)
                rows[i * s->dim + at] = (float)((double)s->rows[i * s->dim + at] * scale);
        }
}

static bool in_fold(const akin_judge *t, size_t row, size_t fold) {
    return fold == FOLDS || t->fold[row] == fold;
}

/* The differences of pairs that lie in a fold; their number, and their weights together. */
static size_t differ(const akin_judge *t, const float *rows, size_t fold, float *out,
                     double *weight) {
    const akin_study *s = t->study;
    size_t used = 0;
    *weight = 0;
    for (size_t p = 0; p < s->pair_count; p++) {
        const akin_study_pair *pair = &s->pairs[p];
        if (!in_fold(t, pair->first, fold) || !in_fold(t, pair->second, fold)) continue;
        float root = (float)sqrt(pair->weight / 2);
        for (size_t d = 0; d < s->dim; d++)
            out[used * s->dim + d] =
                root * (rows[pair->first * s->dim + d] - rows[pair->second * s->dim + d]);
        *weight += pair->weight;
        used++;
    }
    return used;
}

/* The rows of one label in a fold, less their mean, after `used` others in out. */
static size_t spread(const akin_judge *t, const float *rows, int32_t label, size_t fold,
                     size_t used, float *out) {
    const akin_study *s = t->study;
    size_t dim = s->dim, first = used;
    for (size_t i = 0; i < s->count; i++)
        if (s->label[i] == label && in_fold(t, i, fold))
            memcpy(out + used++ * dim, rows + i * dim, dim * sizeof *out);
    if (used < first + 2) return first;
    for (size_t d = 0; d < dim; d++) {
        double sum = 0;
        for (size_t i = first; i < used; i++) sum += (double)out[i * dim + d];
        for (size_t i = first; i < used; i++)
            out[i * dim + d] -= (float)(sum / (double)(used - first));
    }
    return used;
}

/* On a flat ground colours may differ within what belongs together, and are to count all the same:
 * what differs in them is taken off what is divided by. */
static void spare_colours(const akin_judge *t, double spared, size_t count, float *residual) {
    const akin_study *s = t->study;
    float kept = (float)(1 - spared * s->flat);
    size_t at = 0;
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        const akin_features_part *part = &t->features->parts[p];
        size_t columns = part->weight > 0 ? part->dim : 0;
        for (size_t i = 0; p == AKIN_PART_FOREGROUND && i < count; i++)
            for (size_t d = 0; d < columns; d++) residual[i * s->dim + at + d] *= kept;
        at += columns;
    }
}

/* [dim, dim] of what lies apart though it belongs together; false where nothing does. */
static akin_status find_nuisance(const akin_judge *t, mapping *m, size_t fold, bool *found) {
    const akin_study *s = t->study;
    size_t used = 0;
    double weight = 0;
    int32_t most = -1;
    for (size_t i = 0; i < s->count; i++) most = s->label[i] > most ? s->label[i] : most;
    if (s->pairs)
        used = differ(t, m->rows, fold, m->residual, &weight);
    else
        for (int32_t label = 0; label <= most; label++)
            used = spread(t, m->rows, label, fold, used, m->residual);
    if (!s->pairs) weight = (double)used;
    *found = used > 0 && weight > 0;
    spare_colours(t, m->spared, used, m->residual);
    return *found ? products_of(m->residual, used, s->dim, weight, m->nuisance) : AKIN_OK;
}

/* The projection of a fold's rows, with the map or without. */
static akin_status fit_fold(const akin_judge *t, mapping *m, size_t fold, bool mapped) {
    akin_status status;
    size_t count = 0, dim = t->study->dim;
    bool found;
    for (size_t i = 0; i < t->study->count; i++)
        if (in_fold(t, i, fold))
            memcpy(m->fold + count++ * dim, m->rows + i * dim, dim * sizeof *m->fold);
    subtract_mean(m->fold, count, dim, akin_projection_mean(m->projection));
    AKIN_TRY(products_of(m->fold, count, dim, (double)count, m->covariance));
    if (!mapped) return akin_projection_fit(m->projection, m->covariance, 0);
    AKIN_TRY(find_nuisance(t, m, fold, &found));
    status = found
                 ? akin_projection_fit_steady(m->projection, m->covariance, m->nuisance, m->held, 0)
                 : akin_projection_fit(m->projection, m->covariance, 0);
done:
    return status;
}

/* The neighbours of a fold's queries in it, by the projection. */
static akin_status measure_map(const akin_judge *t, mapping *m, size_t fold, akin_judged *out) {
    akin_status status;
    const akin_study *s = t->study;
    size_t columns = akin_projection_dim(m->projection);
    akin_judged sum = {0};
    for (size_t i = 0; i < s->count; i++) {
        double square = 0;
        akin_projection_apply(m->projection, m->rows + i * s->dim, m->vector);
        for (size_t d = 0; d < columns; d++) square += m->vector[d] * m->vector[d];
        for (size_t d = 0; d < columns; d++)
            m->unit[i * columns + d] =
                square > 0 ? (float)(m->vector[d] / sqrt(square)) : (d == 0 ? 1.0F : 0.0F);
    }
    AKIN_TRY(akin_judge_multiply(t, m->unit, columns, m->scores));
    for (size_t q = 0; q < t->queries; q++)
        if (t->fold[t->query[q]] == fold)
            akin_judge_look(t, q, m->scores + q * s->count, true, &sum);
    *out = akin_judge_mean(sum);
done:
    return status;
}

static akin_status begin_map(const akin_judge *t, mapping *m) {
    const akin_study *s = t->study;
    size_t columns = t->features->dim, n = s->count, dim = s->dim;
    size_t most = s->pair_count > n ? s->pair_count : n;
    akin_status status = akin_projection_create(dim, columns, true, &m->projection);
    if (status != AKIN_OK) return status;
    m->rows = akin_mem_alloc(n, dim * sizeof *m->rows);
    m->fold = akin_mem_alloc(n, dim * sizeof *m->fold);
    m->residual = akin_mem_alloc(most, dim * sizeof *m->residual);
    m->unit = akin_mem_alloc(n, columns * sizeof *m->unit);
    m->scores = akin_mem_alloc(t->queries, n * sizeof *m->scores);
    m->covariance = akin_mem_alloc(dim, dim * sizeof *m->covariance);
    m->nuisance = akin_mem_alloc(dim, dim * sizeof *m->nuisance);
    m->vector = akin_mem_alloc(columns, sizeof *m->vector);
    return m->rows && m->fold && m->residual && m->unit && m->scores && m->covariance &&
                   m->nuisance && m->vector
               ? AKIN_OK
               : AKIN_FAILED;
}

static void end_map(mapping *m) {
    akin_mem_free(m->rows);
    akin_mem_free(m->fold);
    akin_mem_free(m->residual);
    akin_mem_free(m->unit);
    akin_mem_free(m->scores);
    akin_mem_free(m->covariance);
    akin_mem_free(m->nuisance);
    akin_mem_free(m->vector);
    akin_projection_free(m->projection);
}

/* How much a map with m->spared that one fold taught is worth to the other, at the fold where that
 * is least; the shares, without it and with it. */
static akin_status try_map(const akin_judge *t, mapping *m, const akin_judged *plain, double *gain,
                           double *share) {
    akin_status status = AKIN_OK;
    *gain = INFINITY;
    *share = 0;
    for (size_t f = 0; f < FOLDS; f++) {
        akin_judged mapped;
        AKIN_TRY(fit_fold(t, m, 1 - f, true));
        AKIN_TRY(measure_map(t, m, f, &mapped));
        double worthier = mapped.share > plain[f].share
                              ? akin_judge_worth(t, mapped) - akin_judge_worth(t, plain[f])
                              : 0;
        *gain = fmin(*gain, worthier);
        *share += mapped.share / FOLDS;
    }
done:
    return status;
}

/* Tries a map with m->spared and m->held: kept in *out where on both folds what the other taught
 * finds more than the best so far, and loses no colours for it. */
static akin_status consider(const akin_judge *t, mapping *m, const akin_judged *plain, double *best,
                            double *spared, akin_tune_result *out) {
    akin_status status;
    double gain, share;
    AKIN_TRY(try_map(t, m, plain, &gain, &share));
    if (!out->mapped && share > out->share_map) out->share_map = share; /* told where none serves */
    if (!(gain > *best)) goto done;
    out->share_map = share;
    *best = gain;
    *spared = m->spared;
    out->held = m->held;
    out->mapped = true;
done:
    return status;
}

akin_status akin_tune_map(const akin_judge *t, akin_tune_result *out) {
    static const double spares[] = {0, 0.5, 0.75, 1}, helds[] = {AKIN_PROJECTION_HELD, 0.5, 0.125};
    enum { SPARES = sizeof spares / sizeof *spares, HELDS = sizeof helds / sizeof *helds };
    akin_status status;
    mapping m = {0};
    akin_judged plain[FOLDS];
    double best = MAP_GAIN, spared = 0;
    bool found = false;
    AKIN_TRY(begin_map(t, &m));
    weigh_rows(t, out->weights, m.rows);
    for (size_t f = 0; f < FOLDS; f++) {
        AKIN_TRY(fit_fold(t, &m, 1 - f, false));
        AKIN_TRY(measure_map(t, &m, f, &plain[f]));
        out->share_plain += plain[f].share / FOLDS;
    }
    for (size_t i = 0; i < SPARES * HELDS; i++) {
        size_t s = i / HELDS;
        if (s > 0 && t->study->flat * (spares[s] - spares[s - 1]) < LEAST_SPARED) continue;
        m.spared = spares[s];
        m.held = helds[i % HELDS];
        AKIN_TRY(consider(t, &m, plain, &best, &spared, out));
    }
    m.spared = spared;
    if (out->mapped) AKIN_TRY(find_nuisance(t, &m, FOLDS, &found));
    out->mapped = found;
    if (found) {
        out->nuisance = m.nuisance;
        m.nuisance = NULL;
    }
done:
    end_map(&m);
    return status;
}
