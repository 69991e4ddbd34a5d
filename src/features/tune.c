/* tune: see tune.h. */
#include "tune.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <akin/projection.h>
#include <akin/rng.h>
#include <math.h>
#include <string.h>

enum { NEAREST = 10, MOST_QUERIES = 1024, FEWEST_QUERIES = 60, ROUNDS = 4, FOLDS = 2 };
#define STEP 1.4142135623730951
#define MOST 8.0      /* times a weight as it was, or a part of it */
#define GAIN 0.003    /* of the logarithm, that a step is worth */
#define MAP_GAIN 0.01 /* that a map is worth */
#define LEAST_SHARE 1e-4
#define LEAST_COLOUR 0.02

typedef struct {
    const akin_study *study;
    const akin_features *features;
    size_t queries, *query;    /* rows */
    size_t *related;           /* [queries]: rows that belong to it, up to NEAREST */
    uint8_t *fold;             /* [count] */
    uint8_t *relation;         /* [queries, count]: of query and row */
    float *cosine[AKIN_PARTS]; /* [queries, count], at weight one; NULL: not a part */
    float *scores;             /* [count] */
    float *part;               /* [count, dim of a part] */
    double colour, colour_any; /* how alike neighbours' colours are at first; any rows' */
} tune;

enum { UNRELATED, RELATED, EXCLUDED };

/* How well neighbours are found: their share, and how alike their colours are. */
typedef struct {
    double share, colour;
    size_t queries;
} measured;

static bool excluded(const akin_study *s, size_t a, size_t b) {
    return a == b || (!s->pairs && s->group[a] >= 0 && s->group[a] == s->group[b]);
}

/* By labels; pairs are marked. */
static bool belongs(const akin_study *s, size_t a, size_t b) {
    return !s->pairs && s->label[a] >= 0 && s->label[a] == s->label[b];
}

/* --- what is looked at --- */

static void draw_folds(tune *t) {
    const akin_study *s = t->study;
    for (size_t i = 0; i < s->count; i++) {
        uint64_t key =
            !s->pairs && s->group[i] >= 0 ? (uint64_t)s->group[i] : i + ((uint64_t)1 << 32);
        t->fold[i] = akin_rng_bits(0, AKIN_RNG_SAMPLE, 1, key) >> 17 & 1;
    }
}

/* Rows to which others belong, evenly spread. */
static akin_status choose_queries(tune *t) {
    const akin_study *s = t->study;
    size_t *related = akin_mem_zalloc(s->count, sizeof *related), found = 0;
    if (!related) return AKIN_FAILED;
    for (size_t p = 0; p < s->pair_count; p++) {
        related[s->pairs[p].first]++;
        related[s->pairs[p].second]++;
    }
    for (size_t i = 0; !s->pairs && i < s->count; i++)
        for (size_t j = 0; j < s->count && related[i] < NEAREST; j++)
            related[i] += belongs(s, i, j) && !excluded(s, i, j);
    for (size_t i = 0; i < s->count; i++) found += related[i] > 0;
    size_t wanted = found < MOST_QUERIES ? found : MOST_QUERIES, seen = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (related[i] == 0) continue;
        if (t->queries < wanted && seen++ >= t->queries * found / wanted) {
            t->related[t->queries] = related[i] < NEAREST ? related[i] : NEAREST;
            t->query[t->queries++] = i;
        }
    }
    akin_mem_free(related);
    return AKIN_OK;
}

/* What a row is to a query. */
static akin_status relate(tune *t) {
    const akin_study *s = t->study;
    size_t n = s->count, *number = akin_mem_alloc(n, sizeof *number);
    t->relation = akin_mem_zalloc(t->queries, n);
    if (!number || !t->relation) {
        akin_mem_free(number);
        return AKIN_FAILED;
    }
    for (size_t i = 0; i < n; i++) number[i] = t->queries;
    for (size_t q = 0; q < t->queries; q++) {
        number[t->query[q]] = q;
        for (size_t j = 0; j < n; j++)
            t->relation[q * n + j] = excluded(s, t->query[q], j)  ? EXCLUDED
                                     : belongs(s, t->query[q], j) ? RELATED
                                                                  : UNRELATED;
    }
    for (size_t p = 0; p < s->pair_count; p++) {
        size_t a = s->pairs[p].first, b = s->pairs[p].second;
        if (number[a] < t->queries) t->relation[number[a] * n + b] = RELATED;
        if (number[b] < t->queries) t->relation[number[b] * n + a] = RELATED;
    }
    akin_mem_free(number);
    return AKIN_OK;
}

/* Rows times rows of `count` x dim at `rows`, of the queries: out [queries, count]. */
static akin_status multiply(const tune *t, const float *rows, size_t dim, float *out) {
    float *queries = akin_mem_alloc(t->queries, dim * sizeof *queries);
    if (!queries) return AKIN_FAILED;
    for (size_t q = 0; q < t->queries; q++)
        memcpy(queries + q * dim, rows + t->query[q] * dim, dim * sizeof *queries);
    akin_linalg_product(false, true, t->queries, t->study->count, dim, queries, rows, false, out);
    akin_mem_free(queries);
    return AKIN_OK;
}

/* The cosines of each part by itself. */
static akin_status compare_parts(tune *t) {
    akin_status status = AKIN_OK;
    const akin_study *s = t->study;
    size_t at = 0;
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        const akin_features_part *part = &t->features->parts[p];
        if (!(part->weight > 0)) continue;
        t->cosine[p] = akin_mem_alloc(t->queries, s->count * sizeof(float));
        if (!t->cosine[p]) return AKIN_FAILED;
        for (size_t i = 0; i < s->count; i++)
            for (size_t d = 0; d < part->dim; d++)
                t->part[i * part->dim + d] =
                    (float)((double)s->rows[i * s->dim + at + d] / part->weight);
        AKIN_TRY(multiply(t, t->part, part->dim, t->cosine[p]));
        at += part->dim;
    }
done:
    return status;
}

static akin_status begin(tune *t) {
    akin_status status = AKIN_FAILED;
    size_t n = t->study->count;
    akin_linalg_start();
    t->query = akin_mem_alloc(MOST_QUERIES, sizeof *t->query);
    t->related = akin_mem_alloc(MOST_QUERIES, sizeof *t->related);
    t->fold = akin_mem_alloc(n, 1);
    t->scores = akin_mem_alloc(n, sizeof *t->scores);
    t->part = akin_mem_alloc(n, t->study->dim * sizeof *t->part);
    if (!t->query || !t->related || !t->fold || !t->scores || !t->part) goto done;
    draw_folds(t);
    AKIN_TRY(choose_queries(t));
    if (t->queries < FEWEST_QUERIES) goto done;
    AKIN_TRY(relate(t));
    AKIN_TRY(compare_parts(t));
done:
    return status;
}

static void end(tune *t) {
    akin_mem_free(t->query);
    akin_mem_free(t->related);
    akin_mem_free(t->fold);
    akin_mem_free(t->relation);
    akin_mem_free(t->scores);
    akin_mem_free(t->part);
    for (size_t p = 0; p < AKIN_PARTS; p++) akin_mem_free(t->cosine[p]);
}

/* --- how well neighbours are found --- */

/* Adds what query q's neighbours say, by scores [count]; others than `fold` are passed over where
 * `apart`. */
static void look(const tune *t, size_t q, const float *scores, bool apart, measured *sum) {
    const akin_study *s = t->study;
    const float *colours = t->cosine[AKIN_PART_FOREGROUND];
    const uint8_t *relation = t->relation + q * s->count;
    size_t self = t->query[q], nearest[NEAREST], count = 0;
    for (size_t j = 0; j < s->count; j++) {
        if ((apart && t->fold[j] != t->fold[self]) ||
            (count == NEAREST && !(scores[j] > scores[nearest[NEAREST - 1]])) ||
            relation[j] == EXCLUDED)
            continue;
        size_t at = count < NEAREST ? count++ : NEAREST - 1;
        for (; at > 0 && scores[j] > scores[nearest[at - 1]]; at--) nearest[at] = nearest[at - 1];
        nearest[at] = j;
    }
    size_t hits = 0;
    double colour = 0;
    for (size_t k = 0; k < count; k++) {
        hits += relation[nearest[k]] == RELATED;
        if (colours) colour += (double)colours[q * s->count + nearest[k]] / (double)count;
    }
    sum->share += (double)hits / (double)t->related[q];
    sum->colour += colour;
    sum->queries++;
}

static measured mean_of(measured sum) {
    double n = sum.queries > 0 ? (double)sum.queries : 1;
    return (measured){sum.share / n, sum.colour / n, sum.queries};
}

/* Of the queries of one fold, or of both (FOLDS). */
static measured measure_weights(const tune *t, const double *weights, size_t fold) {
    measured sum = {0};
    size_t n = t->study->count;
    for (size_t q = 0; q < t->queries; q++) {
        if (fold < FOLDS && t->fold[t->query[q]] != fold) continue;
        memset(t->scores, 0, n * sizeof *t->scores);
        for (size_t p = 0; p < AKIN_PARTS; p++) {
            const float *cosine = t->cosine[p] ? t->cosine[p] + q * n : NULL;
            float square = (float)(weights[p] * weights[p]);
            for (size_t j = 0; cosine && j < n; j++) t->scores[j] += square * cosine[j];
        }
        look(t, q, t->scores, false, &sum);
    }
    return mean_of(sum);
}

static double worth(const tune *t, measured m) {
    double value = log(fmax(m.share, LEAST_SHARE));
    double span = t->colour - t->colour_any;
    if (t->cosine[AKIN_PART_FOREGROUND] && span > LEAST_COLOUR) {
        double kept = (m.colour - t->colour_any) / span;
        value += t->study->flat * log(fmin(1, fmax(kept, LEAST_COLOUR)));
    }
    return value;
}

/* --- weights --- */

static void climb(const tune *t, size_t fold, double *weights) {
    double best = worth(t, measure_weights(t, weights, fold));
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
                                     ? worth(t, measure_weights(t, weights, fold))
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

static double any_colour(const tune *t) {
    double sum = 0;
    size_t n = t->study->count;
    const float *colours = t->cosine[AKIN_PART_FOREGROUND];
    for (size_t q = 0; colours && q < t->queries; q++)
        for (size_t j = 0; j < n; j++) sum += (double)colours[q * n + j];
    return sum / ((double)t->queries * (double)n);
}

/* Weights that both folds chose, in the middle between them; where those of one do not serve the
 * other, as they were. */
static void choose_weights(tune *t, akin_tune_result *out) {
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
        measured before = measure_weights(t, out->weights, f),
                 now = measure_weights(t, chosen[1 - f], f);
        serve = serve && worth(t, now) > worth(t, before);
        out->share += before.share / FOLDS;
        share += now.share / FOLDS;
    }
    out->share_weighed = serve ? share : out->share;
    out->weighed = serve;
    for (size_t p = 0; serve && p < AKIN_PARTS; p++)
        out->weights[p] = sqrt(chosen[0][p] * chosen[1][p]);
}

/* --- the map --- */

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
} mapping;

/* Rows as the weights have them. */
static void weigh_rows(const tune *t, const double *weights, float *rows) {
    const akin_study *s = t->study;
    for (size_t i = 0; i < s->count; i++)
        for (size_t p = 0, at = 0; p < AKIN_PARTS; p++) {
            const akin_features_part *part = &t->features->parts[p];
            double scale = part->weight > 0 ? weights[p] / part->weight : 0;
            for (size_t d = 0; part->weight > 0 && d < part->dim; d++, at++)
                rows[i * s->dim + at] = (float)((double)s->rows[i * s->dim + at] * scale);
        }
}

static bool in_fold(const tune *t, size_t row, size_t fold) {
    return fold == FOLDS || t->fold[row] == fold;
}

/* The differences of pairs that lie in a fold; their number, and their weights together. */
static size_t differ(const tune *t, const float *rows, size_t fold, float *out, double *weight) {
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

/* The rows of one label in a fold, less their mean, behind `used` others in out. */
static size_t spread(const tune *t, const float *rows, int32_t label, size_t fold, size_t used,
                     float *out) {
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
static void spare_colours(const tune *t, size_t count, float *residual) {
    const akin_study *s = t->study;
    float kept = (float)(1 - s->flat);
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
static akin_status find_nuisance(const tune *t, mapping *m, size_t fold, bool *found) {
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
    spare_colours(t, used, m->residual);
    return *found ? products_of(m->residual, used, s->dim, weight, m->nuisance) : AKIN_OK;
}

/* The projection of a fold's rows, with the map or without. */
static akin_status fit_fold(const tune *t, mapping *m, size_t fold, bool mapped) {
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
    status = found ? akin_projection_fit_steady(m->projection, m->covariance, m->nuisance, 0)
                   : akin_projection_fit(m->projection, m->covariance, 0);
done:
    return status;
}

/* The neighbours of a fold's queries in it, by the projection. */
static akin_status measure_map(const tune *t, mapping *m, size_t fold, measured *out) {
    akin_status status;
    const akin_study *s = t->study;
    size_t columns = akin_projection_dim(m->projection);
    measured sum = {0};
    for (size_t i = 0; i < s->count; i++) {
        double square = 0;
        akin_projection_apply(m->projection, m->rows + i * s->dim, m->vector);
        for (size_t d = 0; d < columns; d++) square += m->vector[d] * m->vector[d];
        for (size_t d = 0; d < columns; d++)
            m->unit[i * columns + d] =
                square > 0 ? (float)(m->vector[d] / sqrt(square)) : (d == 0 ? 1.0F : 0.0F);
    }
    AKIN_TRY(multiply(t, m->unit, columns, m->scores));
    for (size_t q = 0; q < t->queries; q++)
        if (t->fold[t->query[q]] == fold) look(t, q, m->scores + q * s->count, true, &sum);
    *out = mean_of(sum);
done:
    return status;
}

static akin_status begin_map(const tune *t, mapping *m) {
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

/* The map where on both folds what the other taught finds more, and loses no colours for it. */
static akin_status choose_map(const tune *t, akin_tune_result *out) {
    akin_status status;
    mapping m = {0};
    bool serves = true, found;
    AKIN_TRY(begin_map(t, &m));
    weigh_rows(t, out->weights, m.rows);
    for (size_t f = 0; f < FOLDS; f++) {
        measured plain, mapped;
        AKIN_TRY(fit_fold(t, &m, 1 - f, false));
        AKIN_TRY(measure_map(t, &m, f, &plain));
        AKIN_TRY(fit_fold(t, &m, 1 - f, true));
        AKIN_TRY(measure_map(t, &m, f, &mapped));
        serves = serves && worth(t, mapped) > worth(t, plain) + MAP_GAIN;
        out->share_plain += plain.share / FOLDS;
        out->share_map += mapped.share / FOLDS;
    }
    if (serves) AKIN_TRY(find_nuisance(t, &m, FOLDS, &found));
    out->mapped = serves && found;
    if (out->mapped) {
        out->nuisance = m.nuisance;
        m.nuisance = NULL;
    }
done:
    end_map(&m);
    return status;
}

akin_status akin_tune(const akin_study *study, const akin_features *features, bool map,
                      akin_tune_result *result) {
    akin_status status;
    tune t = {.study = study, .features = features};
    AKIN_TRY(begin(&t));
    if (t.queries < FEWEST_QUERIES) goto done;
    result->queries = t.queries;
    choose_weights(&t, result);
    if (map) AKIN_TRY(choose_map(&t, result));
done:
    end(&t);
    return status;
}
