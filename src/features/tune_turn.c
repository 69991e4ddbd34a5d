/* tune_turn: see tune_turn.h. */
#include "tune_turn.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

#define TAUGHT 0.3 /* share of the views' variation that is added to the rows' covariance */
#define STEADY 4.0 /* regularisation of the part insensitive to views: times their mean variance */
#define HELD 0.5   /* regularisation of Fisher's discriminant: share of the mean variance */

/* --- variation among related rows, and their means --- */

static bool pair_in(const akin_judge *t, const akin_study_pair *pair, size_t fold) {
    return akin_judge_in(t, pair->first, fold) && akin_judge_in(t, pair->second, fold);
}

/* Writes the differences of the pairs in a fold or, for `middles`, their midpoints minus the mean
 * of rows. Returns their number; *weight: the sum of their weights. */
static size_t of_pairs(const akin_judge *t, const float *rows, const float *mean, size_t fold,
                       bool middles, float *out, double *weight) {
    const akin_study *s = t->study;
    size_t used = 0, dim = s->dim;
    *weight = 0;
    for (size_t p = 0; p < s->pair_count; p++) {
        const akin_study_pair *pair = &s->pairs[p];
        if (!pair_in(t, pair, fold)) continue;
        const float *a = rows + pair->first * dim, *b = rows + pair->second * dim;
        float root = (float)sqrt(pair->weight / 2), whole = (float)sqrt(pair->weight);
        for (size_t d = 0; d < dim; d++)
            out[used * dim + d] =
                middles ? whole * ((a[d] + b[d]) / 2 - mean[d]) : root * (a[d] - b[d]);
        *weight += pair->weight;
        used++;
    }
    return used;
}

/* Writes the mean of a fold's rows with one label to out [dim]; returns their number, at least two.
 */
static size_t centre_of(const akin_judge *t, const float *rows, int32_t label, size_t fold,
                        float *out) {
    const akin_study *s = t->study;
    size_t dim = s->dim, count = 0;
    memset(out, 0, dim * sizeof *out);
    for (size_t i = 0; i < s->count; i++) {
        if (s->label[i] != label || !akin_judge_in(t, i, fold)) continue;
        for (size_t d = 0; d < dim; d++) out[d] += rows[i * dim + d];
        count++;
    }
    for (size_t d = 0; count > 1 && d < dim; d++) out[d] /= (float)count;
    return count > 1 ? count : 0;
}

/* The least label of a row that is larger than this one; INT32_MAX: none. */
static int32_t label_after(const akin_study *s, int32_t label) {
    int32_t next = INT32_MAX;
    for (size_t i = 0; i < s->count; i++)
        if (s->label[i] > label && s->label[i] < next) next = s->label[i];
    return next;
}

/* Writes the means of labels minus that of all rows to says [labels, dim], each times the square
 * root of its share of the rows. */
static void find_labels(const akin_judge *t, const float *rows, const float *mean, size_t fold,
                        akin_turn *turn) {
    const akin_study *s = t->study;
    size_t used = 0, dim = s->dim;
    turn->labels = 0;
    for (int32_t label = label_after(s, -1); label < INT32_MAX; label = label_after(s, label)) {
        float *centre = turn->says + turn->labels * dim;
        size_t count = centre_of(t, rows, label, fold, centre);
        if (count == 0) continue;
        used += count;
        turn->labels++;
        for (size_t d = 0; d < dim; d++)
            centre[d] = (float)sqrt((double)count) * (centre[d] - mean[d]);
    }
    for (size_t i = 0; i < turn->labels * dim; i++) turn->says[i] /= (float)sqrt((double)used);
    turn->found = turn->labels > 1;
}

/* The same for the midpoints of pairs, and the covariance of the differences within pairs: nuisance
 * [dim, dim]. */
static akin_status find_pairs(const akin_judge *t, const float *rows, const float *mean,
                              size_t fold, akin_turn *turn) {
    akin_status status = AKIN_OK;
    size_t dim = t->study->dim;
    double weight = 0;
    turn->labels = of_pairs(t, rows, mean, fold, true, turn->says, &weight);
    turn->found = turn->labels > 1 && weight > 0;
    if (!turn->found) return AKIN_OK;
    for (size_t i = 0; i < turn->labels * dim; i++) turn->says[i] /= (float)sqrt(weight);
    of_pairs(t, rows, mean, fold, false, turn->residual, &weight);
    AKIN_TRY(akin_turn_products(turn->residual, turn->labels, dim, weight, turn->nuisance));
    double apart = 0;
    for (size_t i = 0; i < dim; i++) apart += turn->nuisance[i * dim + i];
    turn->found = apart > 0;
done:
    return status;
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

/* The columns of a part: [*first, *first + *count); none: *count = 0. */
static void find_part(const akin_judge *t, akin_part wanted, size_t *first, size_t *count) {
    *first = *count = 0;
    for (size_t p = 0, at = 0; p < AKIN_PARTS; p++) {
        const akin_features_part *part = &t->features->parts[p];
        size_t columns = part->weight > 0 ? part->dim : 0;
        if (p == wanted) *first = at, *count = columns;
        at += columns;
    }
}

/* Removes rows and columns [first, first + count) from the matrix: out [dim - count, dim - count],
 * which may be the matrix itself. */
static void leave_out(const double *matrix, size_t dim, size_t first, size_t count, double *out) {
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++)
            if (i - first >= count && j - first >= count) *out++ = matrix[i * dim + j];
}

/* Removes the same columns from rows [count, dim]. */
static void leave_columns_out(float *rows, size_t count, size_t dim, size_t first, size_t colours) {
    float *out = rows;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < dim; j++)
            if (j - first >= colours) *out++ = rows[i * dim + j];
}

/* Fisher's discriminant: the directions in which all rows vary most relative to related ones, whose
 * covariance is regularised by a share of its mean. Each direction is scaled by the square root of
 * that ratio. */
static akin_status press(akin_turn *turn) {
    akin_status status = AKIN_FAILED;
    size_t n = turn->count;
    double mean = 0, length = 0, *vectors = turn->room;
    double *covariance = akin_mem_alloc(n, n * sizeof *covariance);
    if (!covariance) goto done;
    memcpy(covariance, turn->covariance, n * n * sizeof *covariance);
    for (size_t i = 0; i < n; i++) mean += turn->nuisance[i * n + i] / (double)n;
    for (size_t i = 0; i < n * n; i++) turn->nuisance[i] /= mean;
    for (size_t i = 0; i < n; i++) turn->nuisance[i * n + i] += HELD;
    AKIN_TRY(
        akin_linalg_eigenvectors_of_pair(covariance, turn->nuisance, n, n, turn->values, vectors));
    for (size_t d = 0; d < n; d++) length += pow(fmax(0, turn->values[d]), 2);
    double scale = length > 0 ? turn->variance / length : 0;
    for (size_t d = 0; d < n; d++)
        for (size_t i = 0; i < n; i++)
            turn->axes[d * n + i] =
                (float)(sqrt(scale * fmax(0, turn->values[d])) * vectors[d * n + i]);
    akin_linalg_product((akin_linalg_shape){n, n, n, AKIN_TURN_A}, turn->axes, turn->axes,
                        turn->pressed);
done:
    akin_mem_free(covariance);
    return status;
}

/* The matrix that makes rows insensitive to views, scaled so that they keep their variance. */
static akin_status find_base(akin_turn *turn) {
    akin_status status;
    size_t n = turn->count;
    double mean = 0, kept = 0;
    for (size_t i = 0; i < n; i++) mean += turn->moved[i * n + i] / (double)n;
    for (size_t i = 0; i < n * n; i++) turn->moved[i] /= fmax(mean, 1e-300);
    AKIN_TRY(akin_linalg_whitening(turn->moved, n, STEADY, turn->room, turn->axes));
    akin_linalg_product((akin_linalg_shape){n, n, n, AKIN_TURN_B}, turn->axes, turn->axes,
                        turn->base);
    for (size_t i = 0; i < n * n; i++) kept += (double)turn->base[i] * turn->covariance[i];
    float scale = (float)(kept > 0 ? turn->variance / kept : 1);
    for (size_t i = 0; i < n * n; i++) turn->base[i] *= scale;
done:
    return status;
}

/* The axes of the covariance, and the means in their coordinates. */
static akin_status turn_means(akin_turn *turn) {
    akin_status status;
    size_t n = turn->count;
    double *vectors = turn->room;
    AKIN_TRY(akin_linalg_eigenvectors(turn->covariance, n, n, turn->values, vectors));
    for (size_t i = 0; i < n * n; i++) turn->axes[i] = (float)vectors[i];
    akin_linalg_product((akin_linalg_shape){turn->labels, n, n, AKIN_TURN_B}, turn->says,
                        turn->axes, turn->means);
done:
    return status;
}

akin_status akin_turn_create(const akin_judge *t, akin_turn *turn) {
    const akin_study *s = t->study;
    size_t most = s->pair_count > s->count ? s->pair_count : s->count, dim = s->dim;
    turn->residual = akin_mem_alloc(most, dim * sizeof *turn->residual);
    turn->says = akin_mem_alloc(most, dim * sizeof *turn->says);
    turn->means = akin_mem_alloc(most, dim * sizeof *turn->means);
    turn->covariance = akin_mem_alloc(dim, dim * sizeof *turn->covariance);
    turn->nuisance = akin_mem_alloc(dim, dim * sizeof *turn->nuisance);
    turn->room = akin_mem_alloc(dim, dim * sizeof *turn->room);
    turn->axes = akin_mem_alloc(dim, dim * sizeof *turn->axes);
    turn->pressed = akin_mem_alloc(dim, dim * sizeof *turn->pressed);
    turn->base = akin_mem_alloc(dim, dim * sizeof *turn->base);
    turn->moved = akin_mem_alloc(dim, dim * sizeof *turn->moved);
    turn->gram = akin_mem_alloc(dim, dim * sizeof *turn->gram);
    turn->values = akin_mem_alloc(dim, sizeof *turn->values);
    return turn->residual && turn->says && turn->means && turn->covariance && turn->nuisance &&
                   turn->room && turn->axes && turn->pressed && turn->base && turn->moved &&
                   turn->gram && turn->values
               ? AKIN_OK
               : AKIN_FAILED;
}

void akin_turn_free(akin_turn *turn) {
    akin_mem_free(turn->residual);
    akin_mem_free(turn->says);
    akin_mem_free(turn->means);
    akin_mem_free(turn->covariance);
    akin_mem_free(turn->nuisance);
    akin_mem_free(turn->room);
    akin_mem_free(turn->axes);
    akin_mem_free(turn->pressed);
    akin_mem_free(turn->base);
    akin_mem_free(turn->moved);
    akin_mem_free(turn->gram);
    akin_mem_free(turn->values);
}

/* Removes the columns of the colours. */
static void leave_colours_out(akin_turn *turn, size_t dim, bool pairs) {
    size_t first = turn->first, colours = turn->colours;
    if (pairs) leave_out(turn->nuisance, dim, first, colours, turn->nuisance);
    leave_out(turn->covariance, dim, first, colours, turn->covariance);
    leave_out(turn->moved, dim, first, colours, turn->moved);
    leave_columns_out(turn->says, turn->labels, dim, first, colours);
}

akin_status akin_turn_solve(const akin_judge *t, const float *rows, const float *mean, size_t fold,
                            bool apart, akin_turn *turn) {
    akin_status status = AKIN_OK;
    size_t dim = t->study->dim;
    bool pairs = t->study->pairs != NULL;
    if (pairs)
        AKIN_TRY(find_pairs(t, rows, mean, fold, turn));
    else
        find_labels(t, rows, mean, fold, turn);
    turn->first = turn->colours = 0;
    if (apart) find_part(t, AKIN_PART_FOREGROUND, &turn->first, &turn->colours);
    find_part(t, AKIN_PART_TEXTURE, &turn->texture, &turn->textures);
    if (turn->texture > turn->first) turn->texture -= turn->colours;
    turn->count = dim - turn->colours;
    for (size_t i = 0; i < dim * dim; i++) turn->covariance[i] += TAUGHT * turn->moved[i];
    for (size_t i = 0; pairs && turn->found && i < dim * dim; i++)
        turn->nuisance[i] += TAUGHT * turn->moved[i];
    leave_colours_out(turn, dim, pairs && turn->found);
    turn->variance = 0;
    for (size_t i = 0; i < turn->count; i++)
        turn->variance += turn->covariance[i * turn->count + i];
    AKIN_TRY(find_base(turn));
    if (!turn->found) goto done;
    if (pairs) AKIN_TRY(press(turn));
    AKIN_TRY(turn_means(turn));
done:
    return status;
}

/* gram [count, count]: cosines of the predictions of ridge regression, scaled to the requested
 * length. */
static void write_says(akin_turn *turn, const akin_turn_way *way, float *gram) {
    size_t n = turn->count, labels = turn->labels;
    double more = way->ridge * turn->variance / (double)n, length = 0;
    for (size_t k = 0; k < labels; k++)
        for (size_t d = 0; d < n; d++) {
            double value = fmax(0, turn->values[d]);
            double says = (double)turn->means[k * n + d] / fmax(value + more, 1e-300);
            turn->residual[k * n + d] = (float)says;
            length += says * says * value;
        }
    if (!(length > 0)) return;
    float scale = (float)(way->amount * sqrt(turn->variance / length));
    for (size_t i = 0; i < labels * n; i++) turn->residual[i] *= scale;
    akin_linalg_product((akin_linalg_shape){labels, n, n, AKIN_TURN_NONE}, turn->residual,
                        turn->axes, turn->says);
    akin_linalg_product((akin_linalg_shape){n, n, labels, AKIN_TURN_A}, turn->says, turn->says,
                        gram);
}

/* Adds the part beside the regression to gram [count, count]; matrix NULL: the identity. */
static void add_base(const akin_turn *turn, const float *matrix, double texture, float *gram) {
    size_t n = turn->count;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            float value = matrix ? matrix[i * n + j] : i == j ? 1 : 0;
            if (i - turn->texture < turn->textures) value *= (float)texture;
            if (j - turn->texture < turn->textures) value *= (float)texture;
            gram[i * n + j] += value;
        }
}

void akin_turn_write(akin_turn *turn, const akin_turn_way *way, float *out) {
    size_t n = turn->count, dim = n + turn->colours, from = 0;
    float colours = (float)(way->colours * way->colours * (1 + way->amount * way->amount));
    float *gram = turn->gram;
    memset(gram, 0, n * n * sizeof *gram);
    if (turn->found && way->amount > 0) write_says(turn, way, gram);
    const float *matrix = way->press && turn->found ? turn->pressed
                          : way->steady             ? turn->base
                                                    : NULL;
    add_base(turn, matrix, way->texture, gram);
    memset(out, 0, dim * dim * sizeof *out);
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++) {
            bool left = i - turn->first < turn->colours, also = j - turn->first < turn->colours;
            if (left && i == j) out[i * dim + j] = colours;
            if (!left && !also) out[i * dim + j] = gram[from++];
        }
}

akin_status akin_turn_root(const float *matrix, size_t dim, double *out) {
    akin_status status = AKIN_FAILED;
    double *copy = akin_mem_alloc(dim, dim * sizeof *copy),
           *vectors = akin_mem_alloc(dim, dim * sizeof *vectors),
           *values = akin_mem_alloc(dim, sizeof *values);
    if (!copy || !vectors || !values) goto done;
    for (size_t i = 0; i < dim * dim; i++) copy[i] = (double)matrix[i];
    AKIN_TRY(akin_linalg_eigenvectors(copy, dim, dim, values, vectors));
    for (size_t d = 0; d < dim; d++)
        for (size_t i = 0; i < dim; i++)
            out[i * dim + d] = sqrt(fmax(0, values[d])) * vectors[d * dim + i];
done:
    akin_mem_free(copy);
    akin_mem_free(vectors);
    akin_mem_free(values);
    return status;
}
