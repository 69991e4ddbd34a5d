/* tune_turn: see tune_turn.h. */
#include "tune_turn.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

/* --- what lies apart though it belongs together --- */

/* The differences of pairs that lie in a fold; their number, and their weights together. */
static size_t differ(const akin_judge *t, const float *rows, size_t fold, float *out,
                     double *weight) {
    const akin_study *s = t->study;
    size_t used = 0;
    *weight = 0;
    for (size_t p = 0; p < s->pair_count; p++) {
        const akin_study_pair *pair = &s->pairs[p];
        if (!akin_judge_in(t, pair->first, fold) || !akin_judge_in(t, pair->second, fold)) continue;
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
        if (s->label[i] == label && akin_judge_in(t, i, fold))
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

/* [dim, dim] of it; false where nothing does. */
static akin_status find_nuisance(const akin_judge *t, const float *rows, size_t fold,
                                 akin_turn *turn, bool *found) {
    const akin_study *s = t->study;
    size_t used = 0;
    double weight = 0;
    int32_t most = -1;
    for (size_t i = 0; i < s->count; i++) most = s->label[i] > most ? s->label[i] : most;
    if (s->pairs)
        used = differ(t, rows, fold, turn->residual, &weight);
    else
        for (int32_t label = 0; label <= most; label++)
            used = spread(t, rows, label, fold, used, turn->residual);
    if (!s->pairs) weight = (double)used;
    *found = used > 0 && weight > 0;
    return *found ? akin_turn_products(turn->residual, used, s->dim, weight, turn->nuisance)
                  : AKIN_OK;
}

akin_status akin_turn_products(const float *rows, size_t count, size_t dim, double weight,
                               double *out) {
    float *products = akin_mem_alloc(dim, dim * sizeof *products);
    if (!products) return AKIN_FAILED;
    akin_linalg_product((akin_linalg_shape){dim, dim, count, AKIN_TURN_A}, rows, rows, products);
    for (size_t i = 0; i < dim * dim; i++) out[i] = (double)products[i] / fmax(weight, 1e-300);
    akin_mem_free(products);
    return AKIN_OK;
}

/* --- the turn --- */

/* The columns of the foreground's colours: [*first, *first + *count); none: *count = 0. */
static void find_colours(const akin_judge *t, size_t *first, size_t *count) {
    *first = *count = 0;
    for (size_t p = 0, at = 0; p < AKIN_PARTS; p++) {
        const akin_features_part *part = &t->features->parts[p];
        size_t columns = part->weight > 0 ? part->dim : 0;
        if (p == AKIN_PART_FOREGROUND) *first = at, *count = columns;
        at += columns;
    }
}

/* The matrix without rows and columns [first, first + count): out [dim - count, dim - count], which
 * may be the matrix. */
static void leave_out(const double *matrix, size_t dim, size_t first, size_t count, double *out) {
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++)
            if (i - first >= count && j - first >= count) *out++ = matrix[i * dim + j];
}

/* Directions in which rows vary most as a multiple of what lies apart in them though it belongs
 * together, held back by `held` times its mean. */
static akin_status solve(akin_turn *turn, double held) {
    size_t n = turn->count;
    double mean = 0;
    for (size_t i = 0; i < n; i++) mean += turn->nuisance[i * n + i] / (double)n;
    for (size_t i = 0; i < n * n; i++) turn->nuisance[i] /= mean;
    for (size_t i = 0; i < n; i++) turn->nuisance[i * n + i] += held;
    turn->variance = 0;
    for (size_t i = 0; i < n; i++) turn->variance += turn->covariance[i * n + i];
    return akin_linalg_eigenvectors_of_pair(turn->covariance, turn->nuisance, n, n, turn->values,
                                            turn->vectors);
}

akin_status akin_turn_create(const akin_judge *t, akin_turn *turn) {
    const akin_study *s = t->study;
    size_t most = s->pair_count > s->count ? s->pair_count : s->count, dim = s->dim;
    turn->residual = akin_mem_alloc(most, dim * sizeof *turn->residual);
    turn->covariance = akin_mem_alloc(dim, dim * sizeof *turn->covariance);
    turn->nuisance = akin_mem_alloc(dim, dim * sizeof *turn->nuisance);
    turn->vectors = akin_mem_alloc(dim, dim * sizeof *turn->vectors);
    turn->values = akin_mem_alloc(dim, sizeof *turn->values);
    return turn->residual && turn->covariance && turn->nuisance && turn->vectors && turn->values
               ? AKIN_OK
               : AKIN_FAILED;
}

void akin_turn_free(akin_turn *turn) {
    akin_mem_free(turn->residual);
    akin_mem_free(turn->covariance);
    akin_mem_free(turn->nuisance);
    akin_mem_free(turn->vectors);
    akin_mem_free(turn->values);
}

akin_status akin_turn_solve(const akin_judge *t, const float *rows, size_t fold, bool apart,
                            double held, akin_turn *turn) {
    akin_status status;
    size_t dim = t->study->dim;
    AKIN_TRY(find_nuisance(t, rows, fold, turn, &turn->found));
    if (!turn->found) goto done;
    turn->first = turn->colours = 0;
    if (apart) find_colours(t, &turn->first, &turn->colours);
    turn->count = dim - turn->colours;
    leave_out(turn->nuisance, dim, turn->first, turn->colours, turn->nuisance);
    leave_out(turn->covariance, dim, turn->first, turn->colours, turn->covariance);
    status = solve(turn, held);
done:
    return status;
}

void akin_turn_write(const akin_turn *turn, double power, double colours, double *out) {
    size_t n = turn->count, dim = n + turn->colours, row = 0;
    double length = 0;
    for (size_t d = 0; d < n; d++) length += pow(fmax(0, turn->values[d]), 1 + 2 * power);
    double scale = turn->variance > 0 ? colours * sqrt(length / turn->variance) : 0;
    memset(out, 0, dim * dim * sizeof *out);
    for (size_t i = 0; i < dim; i++) {
        if (i - turn->first < turn->colours) {
            out[i * dim + i] = scale;
            continue;
        }
        for (size_t d = 0; d < n; d++) /* columns of the others, past those of the colours */
            out[i * dim + (d < turn->first ? d : d + turn->colours)] =
                pow(fmax(0, turn->values[d]), power) * turn->vectors[d * n + row];
        row++;
    }
}
