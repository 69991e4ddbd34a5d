/* tune_judge: see tune_judge.h. */
#include "tune_judge.h"
#include <akin/linalg.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <akin/rng.h>
#include <math.h>
#include <string.h>

enum { UNRELATED, RELATED, EXCLUDED };
enum { NEAREST = AKIN_JUDGE_NEAREST, MOST_QUERIES = 1024 };
#define LEAST_SHARE 1e-4
#define LEAST_ALIKE 0.02
#define TEXTURE_KEPT 0.93 /* required similarity in texture, relative to the initial one */
#define PRICE 10.0        /* penalty per unit of what is lost but must be kept */
#define SAME 1e-6F        /* relative difference of scores that can be due to rounding */

static bool excluded(const akin_study *s, size_t a, size_t b) {
    return a == b || (!s->pairs && s->group[a] >= 0 && s->group[a] == s->group[b]);
}

/* By labels only; pairs are marked separately. */
static bool belongs(const akin_study *s, size_t a, size_t b) {
    return !s->pairs && s->label[a] >= 0 && s->label[a] == s->label[b];
}

/* --- the rows to study --- */

static void draw_folds(akin_judge *t) {
    const akin_study *s = t->study;
    for (size_t i = 0; i < s->count; i++) {
        uint64_t key =
            !s->pairs && s->group[i] >= 0 ? (uint64_t)s->group[i] : i + ((uint64_t)1 << 32);
        t->fold[i] = akin_rng_bits(0, AKIN_RNG_SAMPLE, 1, key) >> 17 & 1;
    }
}

/* Evenly spaced rows that have related ones. */
static akin_status choose_queries(akin_judge *t) {
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

/* The relation of each row to each query. */
static akin_status relate(akin_judge *t) {
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

akin_status akin_judge_multiply(const akin_judge *t, const float *rows, const float *others,
                                size_t dim, float *out) {
    float *queries = akin_mem_alloc(t->queries, dim * sizeof *queries);
    if (!queries) return AKIN_FAILED;
    for (size_t q = 0; q < t->queries; q++)
        memcpy(queries + q * dim, rows + t->query[q] * dim, dim * sizeof *queries);
    akin_linalg_product((akin_linalg_shape){t->queries, t->study->count, dim, AKIN_TURN_B}, queries,
                        others, out);
    akin_mem_free(queries);
    return AKIN_OK;
}

void akin_judge_multiply_views(const akin_judge *t, const float *views, const float *others,
                               size_t dim, float *out) {
    if (t->study->view_count == 0) return;
    akin_linalg_product(
        (akin_linalg_shape){t->study->view_count, t->study->count, dim, AKIN_TURN_B}, views, others,
        out);
}

static double mean_of(const float *values, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)values[i];
    return sum / (double)count;
}

/* For the part whose columns begin at `at` and whose rows are in t->part. */
static akin_status compare_views(akin_judge *t, size_t p, size_t at) {
    const akin_study *s = t->study;
    size_t dim = t->features->parts[p].dim;
    double weight = t->features->parts[p].weight;
    if (s->view_count == 0) return AKIN_OK;
    t->again[p] = akin_mem_alloc(s->view_count, s->count * sizeof(float));
    float *views = akin_mem_alloc(s->view_count, dim * sizeof *views);
    bool enough = t->again[p] && views;
    for (size_t i = 0; enough && i < s->view_count; i++)
        for (size_t d = 0; d < dim; d++)
            views[i * dim + d] = (float)((double)s->views[i * s->dim + at + d] / weight);
    if (enough) akin_judge_multiply_views(t, views, t->part, dim, t->again[p]);
    akin_mem_free(views);
    return enough ? AKIN_OK : AKIN_FAILED;
}

/* The cosines of each part alone. */
static akin_status compare_parts(akin_judge *t) {
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
        AKIN_TRY(akin_judge_multiply(t, t->part, t->part, part->dim, t->cosine[p]));
        t->any[p] = mean_of(t->cosine[p], t->queries * s->count);
        AKIN_TRY(compare_views(t, p, at));
        at += part->dim;
    }
done:
    return status;
}

void akin_judge_tell(const akin_judge *t) {
    if (t->tried) akin_log_progress("train: choosing weights", "choices", (double)++*t->tried, 0);
}

akin_status akin_judge_begin(akin_judge *t) {
    size_t n = t->study->count;
    akin_status status = akin_linalg_start();
    if (status != AKIN_OK) return status;
    status = AKIN_FAILED;
    t->query = akin_mem_alloc(MOST_QUERIES, sizeof *t->query);
    t->related = akin_mem_alloc(MOST_QUERIES, sizeof *t->related);
    t->fold = akin_mem_alloc(n, 1);
    t->scores = akin_mem_alloc(n, sizeof *t->scores);
    t->part = akin_mem_alloc(n, t->study->dim * sizeof *t->part);
    if (!t->query || !t->related || !t->fold || !t->scores || !t->part) goto done;
    draw_folds(t);
    AKIN_TRY(choose_queries(t));
    if (t->queries < AKIN_JUDGE_FEWEST) t->queries = 0;
    if (t->queries == 0) goto done;
    AKIN_TRY(relate(t));
    AKIN_TRY(compare_parts(t));
done:
    return status;
}

void akin_judge_end(akin_judge *t) {
    akin_mem_free(t->query);
    akin_mem_free(t->related);
    akin_mem_free(t->fold);
    akin_mem_free(t->relation);
    akin_mem_free(t->scores);
    akin_mem_free(t->part);
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        akin_mem_free(t->cosine[p]);
        akin_mem_free(t->again[p]);
    }
}

/* --- how well neighbours are found --- */

/* Mean similarity of a query and its nearest rows in one part; 0 if the part is not used. */
static double alike_in(const akin_judge *t, akin_part part, size_t q, const size_t *nearest,
                       size_t count) {
    const float *cosine = t->cosine[part];
    double sum = 0;
    for (size_t k = 0; cosine && k < count; k++)
        sum += (double)cosine[q * t->study->count + nearest[k]] / (double)count;
    return sum;
}

double akin_judge_look(const akin_judge *t, size_t q, const float *scores, bool apart,
                       akin_judged *sum) {
    const akin_study *s = t->study;
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
    for (size_t k = 0; k < count; k++) hits += relation[nearest[k]] == RELATED;
    sum->share += (double)hits / (double)t->related[q];
    sum->found += (double)hits;
    sum->colour += alike_in(t, AKIN_PART_FOREGROUND, q, nearest, count);
    sum->texture += alike_in(t, AKIN_PART_TEXTURE, q, nearest, count);
    sum->queries++;
    return (double)hits / (double)t->related[q];
}

void akin_judge_look_again(const akin_judge *t, size_t v, const float *scores, akin_judged *sum) {
    size_t own = akin_judge_original(t, v);
    bool first = true;
    for (size_t j = 0; first && j < t->study->count; j++)
        first = !(scores[j] > scores[own] + SAME * fabsf(scores[own]));
    sum->again += first;
    sum->views++;
}

akin_judged akin_judge_mean(akin_judged sum) {
    double n = sum.queries > 0 ? (double)sum.queries : 1, views = sum.views > 0 ? sum.views : 1;
    return (akin_judged){.share = sum.share / n,
                         .colour = sum.colour / n,
                         .texture = sum.texture / n,
                         .found = sum.found,
                         .queries = sum.queries,
                         .views = sum.views,
                         .again = sum.again / views,
                         .keep = sum.again / views};
}

/* The least gain that counts, plus twice the standard deviation if neighbours were found at random.
 */
double akin_judge_chance(akin_judged m) {
    return AKIN_JUDGE_GAIN + 2 / sqrt(fmax(1, m.found));
}

/* Similarity of neighbours in a part relative to the initial one, both measured from that of random
 * rows. */
static double kept(const akin_judge *t, akin_part part, double was, double now) {
    double span = was - t->any[part];
    return t->cosine[part] && span > LEAST_ALIKE ? (now - t->any[part]) / span : 1;
}

double akin_judge_gain(const akin_judge *t, akin_judged was, akin_judged now, double colours) {
    double colour = kept(t, AKIN_PART_FOREGROUND, was.colour, now.colour),
           texture = kept(t, AKIN_PART_TEXTURE, was.texture, now.texture);
    double gain = log(fmax(now.share, LEAST_SHARE)) - log(fmax(was.share, LEAST_SHARE));
    gain += t->study->flat * log(fmin(colours, fmax(colour, LEAST_ALIKE)));
    gain -= fmax(0, 2 * t->study->flat - 1) * PRICE * fmax(0, TEXTURE_KEPT - texture);
    return gain - PRICE * fmax(0, was.keep - now.again);
}

double akin_judge_texture_gain(const akin_judge *t, akin_judged was, akin_judged now) {
    double texture = kept(t, AKIN_PART_TEXTURE, was.texture, now.texture);
    return t->study->flat * log(fmax(texture, LEAST_ALIKE));
}
