/* part_shares: how much each part adds to the cosine of two vectors. */
#include "feature_params.h"
#include <akin/mem.h>
#include <akin/model.h>
#include <math.h>

/* Of the last projection: y = A^T z. */
typedef struct {
    const float *axes; /* A, [raw, dim] */
    size_t raw, dim;
    double *factor; /* [dim, dim]: L of A^T A = L L^T, 1 on the diagonal of an empty axis */
} back;

static void multiply(const back *b, double *product) {
    for (size_t r = 0; r < b->raw; r++)
        for (size_t i = 0; i < b->dim; i++)
            for (size_t j = 0; j <= i; j++)
                product[i * b->dim + j] +=
                    (double)b->axes[r * b->dim + i] * b->axes[r * b->dim + j];
}

/* Cholesky, in place; an axis that is empty, or none of its own, is left out. */
static void factorise(double *a, size_t n) {
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, a[i * n + i]);
    for (size_t j = 0; j < n; j++) {
        double rest = a[j * n + j];
        for (size_t t = 0; t < j; t++) rest -= a[j * n + t] * a[j * n + t];
        bool own = rest > 1e-12 * most;
        a[j * n + j] = own ? sqrt(rest) : 1;
        for (size_t i = j + 1; i < n; i++) {
            double sum = a[i * n + j];
            for (size_t t = 0; t < j; t++) sum -= a[i * n + t] * a[j * n + t];
            a[i * n + j] = own ? sum / a[j * n + j] : 0;
        }
    }
}

/* x [raw] = A (A^T A)^-1 y and ay [raw] = A y. */
static void bring_back(const back *b, const float *y, double *solved, double *x, double *ay) {
    size_t n = b->dim;
    for (size_t i = 0; i < n; i++) {
        solved[i] = y[i];
        for (size_t t = 0; t < i; t++) solved[i] -= b->factor[i * n + t] * solved[t];
        solved[i] /= b->factor[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t t = i + 1; t < n; t++) solved[i] -= b->factor[t * n + i] * solved[t];
        solved[i] /= b->factor[i * n + i];
    }
    for (size_t r = 0; r < b->raw; r++) {
        x[r] = ay[r] = 0;
        for (size_t d = 0; d < n; d++) {
            x[r] += b->axes[r * n + d] * solved[d];
            ay[r] += (double)b->axes[r * n + d] * y[d];
        }
    }
}

/* terms [raw]: what each column before the last projection adds. */
static akin_status share_of_columns(akin_projection *join, const float *a, const float *b,
                                    double *terms) {
    akin_status status = AKIN_FAILED;
    size_t raw = akin_projection_raw(join), dim = akin_projection_dim(join);
    back it = {akin_projection_axes(join), raw, dim, akin_mem_zalloc(dim * dim, sizeof(double))};
    double *work = akin_mem_alloc(4 * raw + dim, sizeof *work);
    if (it.factor && work) {
        double *x = work, *ax = x + raw, *y = ax + raw, *ay = y + raw, *solved = ay + raw;
        multiply(&it, it.factor);
        factorise(it.factor, dim);
        bring_back(&it, a, solved, x, ax);
        bring_back(&it, b, solved, y, ay);
        for (size_t r = 0; r < raw; r++) terms[r] = (x[r] * ay[r] + y[r] * ax[r]) / 2;
        status = AKIN_OK;
    }
    akin_mem_free(it.factor);
    akin_mem_free(work);
    return status;
}

akin_status akin_part_shares(akin_model *model, const float *a, const float *b,
                             akin_part_share out[AKIN_PARTS], size_t *count) {
    akin_status status = AKIN_OK;
    const akin_feature_params *params = akin_model_feature_params(model);
    const akin_features *features = akin_model_features(model);
    akin_projection *join = akin_feature_params_join(params);
    size_t columns = akin_features_joined(features), at = 0;
    double *terms = akin_mem_alloc(columns, sizeof *terms);
    *count = 0;
    if (!terms) return AKIN_FAILED;
    if (join) AKIN_TRY(share_of_columns(join, a, b, terms));
    for (size_t d = 0; !join && d < columns; d++) terms[d] = (double)a[d] * b[d];
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        if (!(features->parts[p].weight > 0)) continue;
        akin_part_share *share = &out[(*count)++];
        *share = (akin_part_share){akin_part_name((akin_part)p), features->parts[p].dim, 0};
        for (size_t d = 0; d < share->columns; d++) share->share += terms[at++];
    }
done:
    akin_mem_free(terms);
    return status;
}
