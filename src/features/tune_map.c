/* tune_map: the map of joined parts (tune.h): chooses the kind of map (tune_turn.h) by its gain on
 * held-out items. */
#include "tune_turn.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

enum { FOLDS = AKIN_JUDGE_FOLDS };
#define MAP_GAIN 0.01 /* least gain of a map, in the logarithm */
#define SURE 2.0      /* standard deviations by which the shares must increase */
#define ALIKE 0.015   /* difference in gain within which two maps count as equal */
/* Length of the regression's part relative to the other one. With more, the twin of a picture is
 * lost among items of its kind; larger amounts are tried only where views can detect that. */
static const double amounts[] = {0.35, 0.5, 0.7, 1, 1.4};
enum { AMOUNTS = sizeof amounts / sizeof *amounts, BLIND = 3 /* amounts tried without views */ };
#define LEAST_FLAT 0.1   /* share of pictures from which separate colours are tried */
#define MOST_COLOUR 1.25 /* a higher similarity in colours counts up to this factor */

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
    akin_turn_way way;
    double gain;         /* the lower gain of the two folds */
    bool told;           /* nothing is left to gain in the share of related neighbours */
    double texture;      /* likewise the gain in texture */
    double share;        /* share of related neighbours, held out */
    double again;        /* share of views that find their original first, held out */
    double more, square; /* sums of the increase of each query's share, and of its square */
} attempt;

typedef struct {
    float *rows;                   /* [count, dim] with the chosen weights */
    float *fold;                   /* [count, dim]: rows of a fold, minus their mean */
    float *mean;                   /* [dim] of these rows */
    float *turned;                 /* [count, dim] */
    float *views, *moved;          /* [views, dim] with the chosen weights; minus a fold's mean */
    float *scores;                 /* [queries, count] */
    float *again;                  /* [views, count] */
    float *gram;                   /* [dim, dim]: the matrix that defines cosines (tune_turn.h) */
    akin_turn turn[FOLDS];         /* what was learned from each fold */
    akin_judged plain[FOLDS];      /* quality without a map */
    akin_judged now[FOLDS];        /* quality of the last attempt */
    double *shares, *plain_shares; /* [queries]: related ones, of the last attempt, without map */
} mapping;

/* Applies the weights to rows [count, dim] of the study, or to its views. */
static void weigh_rows(const akin_judge *t, const double *weights, const float *given, size_t count,
                       float *rows) {
    const akin_study *s = t->study;
    for (size_t i = 0; i < count; i++)
        for (size_t p = 0, at = 0; p < AKIN_PARTS; p++) {
            const akin_features_part *part = &t->features->parts[p];
            double scale = part->weight > 0 ? weights[p] / part->weight : 0;
            for (size_t d = 0; part->weight > 0 && d < part->dim; d++, at++)
                rows[i * s->dim + at] = (float)((double)given[i * s->dim + at] * scale);
        }
}

/* Copies a fold's rows minus their mean; returns how many. */
static size_t copy_fold(const akin_judge *t, mapping *m, size_t fold) {
    size_t count = 0, dim = t->study->dim;
    for (size_t i = 0; i < t->study->count; i++)
        if (akin_judge_in(t, i, fold))
            memcpy(m->fold + count++ * dim, m->rows + i * dim, dim * sizeof *m->fold);
    subtract_mean(m->fold, count, dim, m->mean);
    return count;
}

/* The product of a row and its turned copy is a squared length; scales both so that it is one. */
static void to_unit_length(float *rows, float *turned, size_t count, size_t dim) {
    for (size_t i = 0; i < count; i++) {
        float *row = rows + i * dim, *other = turned + i * dim;
        double square = 0;
        for (size_t d = 0; d < dim; d++) square += (double)row[d] * (double)other[d];
        for (size_t d = 0; square > 0 && d < dim; d++) {
            row[d] = (float)(row[d] / sqrt(square));
            other[d] = (float)(other[d] / sqrt(square));
        }
    }
}

/* Adds whether views find their originals among all turned rows, including those that the map was
 * learned from, minus the same mean: there the map moves rows most. */
static void look_again(const akin_judge *t, mapping *m, akin_judged *sum) {
    size_t n = t->study->count, dim = t->study->dim, views = t->study->view_count;
    for (size_t i = 0; i < views * dim; i++) m->moved[i] = m->views[i] - m->mean[i % dim];
    akin_judge_multiply_views(t, m->moved, m->turned, dim, m->again);
    for (size_t v = 0; v < views; v++) akin_judge_look_again(t, v, m->again + v * n, sum);
}

/* Quality of a fold's queries among its own rows, after subtracting the other fold's mean and, if
 * turned, with the matrix learned there. */
static akin_status measure(const akin_judge *t, mapping *m, size_t fold, bool turned,
                           akin_judged *out) {
    akin_status status;
    const akin_study *s = t->study;
    size_t n = s->count, dim = s->dim;
    akin_judged sum = {0};
    copy_fold(t, m, 1 - fold); /* for its mean */
    for (size_t i = 0; i < n * dim; i++) m->fold[i] = m->rows[i] - m->mean[i % dim];
    if (turned)
        akin_linalg_product((akin_linalg_shape){n, dim, dim, AKIN_TURN_NONE}, m->fold, m->gram,
                            m->turned);
    else
        memcpy(m->turned, m->fold, n * dim * sizeof *m->turned);
    to_unit_length(m->fold, m->turned, n, dim);
    AKIN_TRY(akin_judge_multiply(t, m->fold, m->turned, dim, m->scores));
    for (size_t q = 0; q < t->queries; q++)
        if (t->fold[t->query[q]] == fold)
            m->shares[q] = akin_judge_look(t, q, m->scores + q * n, true, &sum);
    look_again(t, m, &sum);
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
    m->turned = akin_mem_alloc(n, dim * sizeof *m->turned);
    m->views = akin_mem_alloc(t->study->view_count, dim * sizeof *m->views);
    m->moved = akin_mem_alloc(t->study->view_count, dim * sizeof *m->moved);
    m->again = akin_mem_alloc(t->study->view_count, n * sizeof *m->again);
    m->scores = akin_mem_alloc(t->queries, n * sizeof *m->scores);
    m->gram = akin_mem_alloc(dim, dim * sizeof *m->gram);
    m->shares = akin_mem_alloc(t->queries, sizeof *m->shares);
    m->plain_shares = akin_mem_alloc(t->queries, sizeof *m->plain_shares);
    if (!m->rows || !m->fold || !m->mean || !m->turned || !m->scores || !m->gram || !m->views ||
        !m->moved || !m->again || !m->shares || !m->plain_shares)
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
    akin_mem_free(m->turned);
    akin_mem_free(m->views);
    akin_mem_free(m->moved);
    akin_mem_free(m->again);
    akin_mem_free(m->scores);
    akin_mem_free(m->gram);
    akin_mem_free(m->shares);
    akin_mem_free(m->plain_shares);
    for (size_t f = 0; f < FOLDS; f++) akin_turn_free(&m->turn[f]);
}

/* How a fold's views without noise differ from their rows: moved [dim, dim]; without views zero. */
static akin_status find_moved(const akin_judge *t, mapping *m, size_t fold, double *moved) {
    size_t count = 0, dim = t->study->dim;
    for (size_t v = 0; v < t->study->view_count; v += 2) {
        size_t own = akin_judge_original(t, v);
        if (!akin_judge_in(t, own, fold)) continue;
        for (size_t d = 0; d < dim; d++)
            m->moved[count * dim + d] = m->views[v * dim + d] - m->rows[own * dim + d];
        count++;
    }
    return akin_turn_products(m->moved, count, dim, (double)count, moved);
}

/* Learns from the rows of a fold. */
static akin_status teach_fold(const akin_judge *t, mapping *m, size_t fold, bool apart,
                              akin_turn *turn) {
    akin_status status;
    size_t count = copy_fold(t, m, fold), dim = t->study->dim;
    AKIN_TRY(akin_turn_products(m->fold, count, dim, (double)count, turn->covariance));
    AKIN_TRY(find_moved(t, m, fold, turn->moved));
    AKIN_TRY(akin_turn_solve(t, m->rows, m->mean, fold, apart, turn));
done:
    return status;
}

static akin_status teach(const akin_judge *t, mapping *m, bool apart) {
    akin_status status = AKIN_OK;
    for (size_t f = 0; f < FOLDS; f++) AKIN_TRY(teach_fold(t, m, f, apart, &m->turn[f]));
done:
    return status;
}

static void compare_shares(const akin_judge *t, const mapping *m, attempt *a) {
    a->more = a->square = 0;
    for (size_t q = 0; q < t->queries; q++) {
        double more = m->shares[q] - m->plain_shares[q];
        a->more += more;
        a->square += more * more;
    }
}

/* The least gain that is not due to chance. */
static double chance(const akin_judge *t, const mapping *m) {
    return t->queries == 0 ? 0
                           : fmax(akin_judge_chance(m->plain[0]), akin_judge_chance(m->plain[1]));
}

/* Measures the gain on each fold of the map learned on the other one. */
static akin_status try_map(const akin_judge *t, mapping *m, attempt *a) {
    akin_status status = AKIN_OK;
    akin_judge_tell(t);
    a->gain = a->texture = INFINITY;
    a->share = a->again = 0;
    for (size_t f = 0; f < FOLDS; f++) {
        akin_turn *turn = &m->turn[1 - f];
        akin_judged *now = &m->now[f];
        akin_turn_write(turn, &a->way, m->gram);
        AKIN_TRY(measure(t, m, f, true, now));
        double gain = akin_judge_gain(t, m->plain[f], *now, MOST_COLOUR);
        if (!(now->share > m->plain[f].share)) gain = fmin(gain, 0);
        a->gain = fmin(a->gain, gain);
        a->texture = fmin(a->texture, akin_judge_texture_gain(t, m->plain[f], *now));
        a->share += now->share / FOLDS;
        a->again += now->again / FOLDS;
    }
    a->told = -log(a->share) < ALIKE && a->gain > chance(t, m);
    compare_shares(t, m, a);
done:
    return status;
}

/* Where the label is told, what no label describes decides, texture included. */
static double worth(const attempt *a) {
    return a->told ? a->gain + a->texture : a->gain;
}

static bool beats(const attempt *a, const attempt *b) {
    return a->told != b->told ? a->told : worth(a) > worth(b);
}

enum { FACTORS = 3 };

/* Tries factors [FACTORS] as a field of akin_turn_way, from the attempt `a` on; the previous choice
 * remains if none is better. */
static akin_status try_factors(const akin_judge *t, mapping *m, attempt a, size_t field,
                               const double *factors, attempt *best) {
    akin_status status = AKIN_OK;
    for (size_t i = 0; i < FACTORS; i++) {
        *(double *)(void *)((char *)&a.way + field) = factors[i];
        AKIN_TRY(try_map(t, m, &a));
        if (beats(&a, best)) *best = a;
    }
done:
    return status;
}

/* Chooses the weight of colours that are left out of the map. */
static akin_status choose_colours(const akin_judge *t, mapping *m, attempt *best) {
    static const double proportions[FACTORS] = {1, 1.2, 1.35};
    attempt a = *best;
    a.apart = true;
    return try_factors(t, m, a, offsetof(akin_turn_way, colours), proportions, best);
}

/* Chooses how strongly the map follows the labels. Of the ways with about the same gain on held-out
 * items, takes the longest one, since it helps most for the items whose labels it was learned
 * from. */
static akin_status choose_way(const akin_judge *t, mapping *m, attempt *best) {
    static const double ridges[] = {1, 0.3, 0.1};
    enum { RIDGES = sizeof ridges / sizeof *ridges, MOST = 2 * AMOUNTS * RIDGES };
    akin_status status = AKIN_OK;
    attempt tries[MOST], most = *best;
    size_t steps = t->study->view_count > 0 ? AMOUNTS : BLIND;
    size_t ways = steps * RIDGES * (t->study->pairs ? 2 : 1);
    for (size_t i = 0; i < ways; i++) {
        attempt *a = &tries[i];
        *a = *best;
        a->way.amount = amounts[i / RIDGES % steps];
        a->way.ridge = ridges[i % RIDGES];
        a->way.press = i >= steps * RIDGES;
        AKIN_TRY(try_map(t, m, a));
        if (beats(a, &most)) most = *a;
    }
    for (size_t i = 0; i < ways; i++)
        if (tries[i].told == most.told && worth(&tries[i]) > worth(&most) - ALIKE) *best = tries[i];
done:
    return status;
}

/* Where the label is told, raises the weight of texture as far as that is worth what it costs. */
static akin_status choose_texture(const akin_judge *t, mapping *m, attempt *best) {
    static const double factors[FACTORS] = {1.15, 1.3, 1.45};
    akin_status status;
    AKIN_TRY(teach(t, m, best->apart));
    status = try_factors(t, m, *best, offsetof(akin_turn_way, texture), factors, best);
done:
    return status;
}

/* Tries the colours left out, from the way `separate` on. Both ways are chosen as a whole: which of
 * them is better with a weak map says little about a strong one. */
static akin_status choose_apart(const akin_judge *t, mapping *m, attempt separate, attempt *best) {
    akin_status status;
    separate.gain = -INFINITY;
    separate.told = false;
    AKIN_TRY(teach(t, m, true));
    AKIN_TRY(choose_colours(t, m, &separate));
    AKIN_TRY(choose_way(t, m, &separate));
    AKIN_TRY(choose_colours(t, m, &separate));
    if (beats(&separate, best)) *best = separate;
done:
    return status;
}

/* The best way; on a flat background colours are included or separate. */
static akin_status choose_map(const akin_judge *t, mapping *m, attempt *best) {
    akin_status status;
    bool flat = t->study->flat >= LEAST_FLAT;
    best->way.ridge = 0.3;
    best->way.amount = amounts[0];
    const attempt separate = *best;
    AKIN_TRY(try_map(t, m, best));
    AKIN_TRY(choose_way(t, m, best));
    if (flat && t->cosine[AKIN_PART_FOREGROUND]) AKIN_TRY(choose_apart(t, m, separate, best));
    if (flat && best->told) AKIN_TRY(choose_texture(t, m, best));
done:
    return status;
}

/* Measures rows and views with these weights, without a map. start: these are the weights with which
 * later ones are compared in how many views find their original. */
static akin_status begin_at(const akin_judge *t, mapping *m, const double *weights, bool start) {
    akin_status status = AKIN_OK;
    weigh_rows(t, weights, t->study->rows, t->study->count, m->rows);
    weigh_rows(t, weights, t->study->views, t->study->view_count, m->views);
    for (size_t f = 0; f < FOLDS; f++) {
        double keep = m->plain[f].keep;
        AKIN_TRY(measure(t, m, f, false, &m->plain[f]));
        if (!start) m->plain[f].keep = keep;
    }
    memcpy(m->plain_shares, m->shares, t->queries * sizeof *m->shares);
done:
    return status;
}

/* Makes rows insensitive to the changes that views show, if enough more views find their original by
 * that and the loss in related neighbours may be due to chance. A map must leave half of the gain, since
 * these changes are the ones that it was learned from. A map is also charged for half of the texture that
 * insensitivity lost, and may use up what it won in colour, which is compared with rows as they were. */
static akin_status choose_base(const akin_judge *t, mapping *m, attempt *base) {
    akin_status status;
    *base = (attempt){.way.texture = 1};
    AKIN_TRY(teach(t, m, false));
    if (t->study->view_count == 0) goto done;
    base->way.steady = true;
    AKIN_TRY(try_map(t, m, base));
    double share = (m->plain[0].share + m->plain[1].share) / FOLDS;
    double again = (m->plain[0].again + m->plain[1].again) / FOLDS;
    base->way.steady =
        base->again > again * exp(AKIN_JUDGE_GAIN) && !(base->share < share * exp(-chance(t, m)));
    if (!base->way.steady) goto done;
    for (size_t f = 0; f < FOLDS; f++) {
        m->now[f].keep = fmax(m->plain[f].keep, (m->plain[f].keep + m->now[f].again) / 2);
        m->now[f].colour = m->plain[f].colour;
        m->now[f].texture = (m->plain[f].texture + m->now[f].texture) / 2;
        m->plain[f] = m->now[f];
    }
    memcpy(m->plain_shares, m->shares, t->queries * sizeof *m->shares);
done:
    return status;
}

/* The study of the rows that teach the map in use. */
static akin_study teachers_of(const akin_study *study) {
    akin_study all = *study;
    if (study->taught_count == 0) return all;
    all.count = study->taught_count;
    all.rows = study->taught;
    all.label = study->taught_label;
    return all;
}

/* Learns from all rows that teach, with these weights, and from the views of those studied. */
static akin_status teach_all(const akin_judge *t, mapping *m, const double *weights, bool apart,
                             akin_turn *turn) {
    akin_status status = AKIN_FAILED;
    const akin_study all = teachers_of(t->study);
    const akin_judge wide = {.study = &all, .features = t->features};
    mapping w = {.rows = akin_mem_alloc(all.count, all.dim * sizeof *w.rows),
                 .fold = akin_mem_alloc(all.count, all.dim * sizeof *w.fold),
                 .mean = akin_mem_alloc(all.dim, sizeof *w.mean)};
    if (!w.rows || !w.fold || !w.mean) goto done;
    AKIN_TRY(akin_turn_create(&wide, turn));
    AKIN_TRY(find_moved(t, m, FOLDS, turn->moved));
    weigh_rows(&wide, weights, all.rows, all.count, w.rows);
    size_t count = copy_fold(&wide, &w, FOLDS);
    AKIN_TRY(akin_turn_products(w.fold, count, all.dim, (double)count, turn->covariance));
    AKIN_TRY(akin_turn_solve(&wide, w.rows, w.mean, FOLDS, apart, turn));
done:
    end_map(&w);
    return status;
}

static akin_status write_turn(const akin_judge *t, mapping *m, const attempt *a,
                              akin_tune_result *out) {
    akin_status status;
    akin_turn turn = {0};
    size_t dim = t->study->dim;
    AKIN_TRY(teach_all(t, m, out->weights, a->apart, &turn));
    if (a->way.amount > 0 && !turn.found) goto done;
    akin_turn_write(&turn, &a->way, m->gram);
    out->turn = akin_mem_alloc(dim, dim * sizeof *out->turn);
    if (!out->turn) status = AKIN_FAILED;
    if (!out->turn) goto done;
    AKIN_TRY(akin_turn_root(m->gram, dim, out->turn));
    out->mapped = a->way.amount > 0;
    out->steady = a->way.steady;
    out->press = a->way.press;
    out->ridge = a->way.ridge;
    out->amount = a->way.amount;
    out->colours = a->apart ? a->way.colours : 0;
    out->texture = a->way.texture;
done:
    akin_turn_free(&turn);
    return status;
}

/* Uses a map only if the map learned on each fold has a sufficient gain on the other one. */
akin_status akin_tune_map(const akin_judge *t, const double *start, akin_tune_result *out) {
    akin_status status = AKIN_OK;
    mapping m = {0};
    attempt base, best;
    if (t->queries == 0 && t->study->view_count == 0) goto done;
    AKIN_TRY(begin_map(t, &m));
    AKIN_TRY(begin_at(t, &m, start, true));
    for (size_t f = 0; f < FOLDS; f++) out->again += m.plain[f].again / FOLDS;
    if (out->weighed) AKIN_TRY(begin_at(t, &m, out->weights, false));
    AKIN_TRY(choose_base(t, &m, &base));
    for (size_t f = 0; f < FOLDS; f++) {
        out->share_plain += m.plain[f].share / FOLDS;
        out->again_plain += m.plain[f].again / FOLDS;
    }
    best = base;
    if (t->queries > 0) AKIN_TRY(choose_map(t, &m, &best));
    out->share_map = best.share;
    out->again_map = best.again;
    bool serves =
        t->queries > 0 && best.gain > chance(t, &m) && best.more > SURE * sqrt(best.square);
    if (serves || base.way.steady) AKIN_TRY(write_turn(t, &m, serves ? &best : &base, out));
done:
    end_map(&m);
    return status;
}
