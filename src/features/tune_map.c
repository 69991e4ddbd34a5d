/* tune_map: the map of joined parts: what lies apart though it belongs together (tune.h). */
#include "tune_turn.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

enum { FOLDS = AKIN_JUDGE_FOLDS };
#define MAP_GAIN 0.01  /* of the logarithm, that a map is worth */
#define ALIKE 0.015    /* of it, within which two maps serve alike */
#define LEAST_FLAT 0.1 /* share of pictures, from which on colours are tried apart */

static void subtract_mean(float *rows, size_t count, size_t dim, float *mean) {
    for (size_t d = 0; d < dim; d++) {
        double sum = 0;
        for (size_t i = 0; i < count; i++) sum += (double)rows[i * dim + d];
        mean[d] = count > 0 ? (float)(sum / (double)count) : 0;
        for (size_t i = 0; i < count; i++) rows[i * dim + d] -= mean[d];
    }
}

typedef struct {
    bool apart; /* colours are left out (tune_turn.h) */
    double colours, held, power;
    double gain;  /* what it is worth to the fold to which it is worth least */
    double share; /* of neighbours, held out */
} attempt;

typedef struct {
    float *rows;              /* [count, dim] as the weights have them */
    float *fold;              /* [count, dim]: those of a fold, less their mean */
    float *mean;              /* [dim] of these */
    float *unit;              /* [count, dim] */
    float *scores;            /* [queries, count] */
    double *matrix;           /* [dim, dim]: the turn */
    float *map;               /* likewise */
    akin_turn turn[FOLDS];    /* that each fold taught */
    akin_judged plain[FOLDS]; /* without a map */
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

/* The covariance of a fold's rows, out [dim, dim], and their mean. */
static akin_status find_covariance(const akin_judge *t, mapping *m, size_t fold, double *out) {
    size_t count = 0, dim = t->study->dim;
    for (size_t i = 0; i < t->study->count; i++)
        if (akin_judge_in(t, i, fold))
            memcpy(m->fold + count++ * dim, m->rows + i * dim, dim * sizeof *m->fold);
    subtract_mean(m->fold, count, dim, m->mean);
    return akin_turn_products(m->fold, count, dim, (double)count, out);
}

static void to_unit_length(float *rows, size_t count, size_t dim) {
    for (size_t i = 0; i < count; i++) {
        float *row = rows + i * dim;
        double square = 0;
        for (size_t d = 0; d < dim; d++) square += (double)row[d] * (double)row[d];
        for (size_t d = 0; square > 0 && d < dim; d++) row[d] = (float)(row[d] / sqrt(square));
    }
}

/* The neighbours of a fold's queries in it, once rows are less the other fold's mean and, if it
 * taught one, turned. */
static akin_status measure(const akin_judge *t, mapping *m, size_t fold, bool turned,
                           akin_judged *out) {
    akin_status status;
    const akin_study *s = t->study;
    size_t n = s->count, dim = s->dim;
    akin_judged sum = {0};
    AKIN_TRY(find_covariance(t, m, 1 - fold, m->turn[fold].covariance)); /* for the mean */
    for (size_t i = 0; i < n * dim; i++) m->fold[i] = m->rows[i] - m->mean[i % dim];
    for (size_t i = 0; turned && i < dim * dim; i++) m->map[i] = (float)m->matrix[i];
    if (turned)
        akin_linalg_product((akin_linalg_shape){n, dim, dim, AKIN_TURN_NONE}, m->fold, m->map,
                            m->unit);
    else
        memcpy(m->unit, m->fold, n * dim * sizeof *m->unit);
    to_unit_length(m->unit, n, dim);
    AKIN_TRY(akin_judge_multiply(t, m->unit, dim, m->scores));
    for (size_t q = 0; q < t->queries; q++)
        if (t->fold[t->query[q]] == fold) akin_judge_look(t, q, m->scores + q * n, true, &sum);
    *out = akin_judge_mean(sum);
done:
    return status;
}

static akin_status begin_map(const akin_judge *t, mapping *m) {
    size_t n = t->study->count, dim = t->study->dim;
    akin_status status = AKIN_FAILED;
    m->rows = akin_mem_alloc(n, dim * sizeof *m->rows);
    m->fold = akin_mem_alloc(n, dim * sizeof *m->fold);
    m->mean = akin_mem_alloc(dim, sizeof *m->mean);
    m->unit = akin_mem_alloc(n, dim * sizeof *m->unit);
    m->scores = akin_mem_alloc(t->queries, n * sizeof *m->scores);
    m->matrix = akin_mem_alloc(dim, dim * sizeof *m->matrix);
    m->map = akin_mem_alloc(dim, dim * sizeof *m->map);
    if (!m->rows || !m->fold || !m->mean || !m->unit || !m->scores || !m->matrix || !m->map)
        goto done;
    for (size_t f = 0; f < FOLDS; f++) AKIN_TRY(akin_turn_create(t, &m->turn[f]));
    status = AKIN_OK;
done:
    return status;
}

static void end_map(mapping *m) {
    akin_mem_free(m->rows);
    akin_mem_free(m->fold);
    akin_mem_free(m->mean);
    akin_mem_free(m->unit);
    akin_mem_free(m->scores);
    akin_mem_free(m->matrix);
    akin_mem_free(m->map);
    for (size_t f = 0; f < FOLDS; f++) akin_turn_free(&m->turn[f]);
}

/* The directions that each fold teaches, for others of the attempt's kind too. */
static akin_status teach(const akin_judge *t, mapping *m, const attempt *a) {
    akin_status status = AKIN_OK;
    for (size_t f = 0; f < FOLDS; f++) {
        AKIN_TRY(find_covariance(t, m, f, m->turn[f].covariance));
        AKIN_TRY(akin_turn_solve(t, m->rows, f, a->apart, a->held, &m->turn[f]));
    }
done:
    return status;
}

/* What a map that one fold taught is worth to the other. */
static akin_status try_map(const akin_judge *t, mapping *m, attempt *a) {
    akin_status status = AKIN_OK;
    a->gain = INFINITY;
    a->share = 0;
    for (size_t f = 0; f < FOLDS; f++) {
        const akin_turn *turn = &m->turn[1 - f];
        akin_judged mapped;
        if (turn->found) akin_turn_write(turn, a->power, a->colours, m->matrix);
        AKIN_TRY(measure(t, m, f, turn->found, &mapped));
        double worthier = mapped.share > m->plain[f].share
                              ? akin_judge_worth(t, mapped) - akin_judge_worth(t, m->plain[f])
                              : 0;
        a->gain = fmin(a->gain, worthier);
        a->share += mapped.share / FOLDS;
    }
done:
    return status;
}

/* Whether colours are apart, and in what proportion. */
static akin_status choose_colours(const akin_judge *t, mapping *m, attempt *best) {
    static const double proportions[] = {0.7, 1, 1.4};
    akin_status status;
    attempt a = {.held = 2, .power = 0.5};
    AKIN_TRY(teach(t, m, &a));
    AKIN_TRY(try_map(t, m, &a));
    *best = a;
    if (t->study->flat < LEAST_FLAT || !t->cosine[AKIN_PART_FOREGROUND]) goto done;
    a.apart = true;
    AKIN_TRY(teach(t, m, &a));
    for (size_t i = 0; i < sizeof proportions / sizeof *proportions; i++) {
        a.colours = proportions[i];
        AKIN_TRY(try_map(t, m, &a));
        if (a.gain > best->gain) *best = a;
    }
done:
    return status;
}

/* How hard it presses. Of maps that serve what is held out alike, the hardest: of the items whose
 * labels taught it, it brings most together. */
static akin_status choose_pressure(const akin_judge *t, mapping *m, attempt *best) {
    static const double held[] = {2, 0.5, 0.125}, power[] = {0, 0.5, 1};
    enum { HELD = sizeof held / sizeof *held, POWERS = sizeof power / sizeof *power };
    akin_status status = AKIN_OK;
    attempt tries[HELD * POWERS];
    double most = best->gain;
    for (size_t i = 0; i < HELD * POWERS; i++) {
        attempt *a = &tries[i];
        *a = *best;
        a->held = held[i / POWERS];
        a->power = power[i % POWERS];
        if (i % POWERS == 0) AKIN_TRY(teach(t, m, a));
        AKIN_TRY(try_map(t, m, a));
        most = fmax(most, a->gain);
    }
    for (size_t i = 0; i < HELD * POWERS; i++)
        if (tries[i].gain > most - ALIKE) *best = tries[i];
done:
    return status;
}

/* What the logarithm of a share may differ by for no reason: twice its deviation if neighbours were
 * counted at random, of the fold with fewer. */
static double chance(const akin_judged *plain) {
    double fewest = fmax(1, fmin(plain[0].found, plain[1].found));
    return 2 / sqrt(fewest);
}

/* The map where on both folds what the other taught finds more, and loses no colours for it. */
akin_status akin_tune_map(const akin_judge *t, akin_tune_result *out) {
    akin_status status;
    mapping m = {0};
    attempt best;
    AKIN_TRY(begin_map(t, &m));
    weigh_rows(t, out->weights, m.rows);
    for (size_t f = 0; f < FOLDS; f++) {
        AKIN_TRY(measure(t, &m, f, false, &m.plain[f]));
        out->share_plain += m.plain[f].share / FOLDS;
    }
    AKIN_TRY(choose_colours(t, &m, &best));
    AKIN_TRY(choose_pressure(t, &m, &best));
    out->share_map = best.share;
    if (!(best.gain > MAP_GAIN + chance(m.plain))) goto done;
    akin_turn *turn = &m.turn[0];
    AKIN_TRY(find_covariance(t, &m, FOLDS, turn->covariance));
    AKIN_TRY(akin_turn_solve(t, m.rows, FOLDS, best.apart, best.held, turn));
    if (!turn->found) goto done;
    akin_turn_write(turn, best.power, best.colours, m.matrix);
    out->mapped = true;
    out->held = best.held;
    out->power = best.power;
    out->colours = best.apart ? best.colours : 0;
    out->turn = m.matrix;
    m.matrix = NULL;
done:
    end_map(&m);
    return status;
}
