/* part_shares: how much each part adds to the cosine of two vectors. */
#include "feature_params.h"
#include <akin/mem.h>
#include <akin/model.h>
#include <math.h>
#include <string.h>

/* The last projection: y = A^T z. */
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

/* In-place Cholesky decomposition; axes that are empty or linearly dependent are left out. */
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
static void bring_back(const back *b, const float *y, double *solved, float *x, float *ay) {
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
        double shortest = 0, turned = 0;
        for (size_t d = 0; d < n; d++) {
            shortest += b->axes[r * n + d] * solved[d];
            turned += (double)b->axes[r * n + d] * y[d];
        }
        x[r] = (float)shortest, ay[r] = (float)turned;
    }
}

/* --- rows and pairs --- */

struct akin_part_sharer {
    const akin_features *features;
    size_t columns; /* before the last projection */
    back join;      /* factor NULL: no last projection */
    double *solved; /* [dim] */
};

akin_status akin_part_sharer_create(akin_model *model, akin_part_sharer **out) {
    akin_projection *join = akin_feature_params_join(akin_model_feature_params(model));
    akin_part_sharer *s = *out = akin_mem_zalloc(1, sizeof *s);
    if (!s) return AKIN_FAILED;
    s->features = akin_model_features(model);
    s->columns = akin_features_joined(s->features);
    if (!join) return AKIN_OK;
    size_t dim = akin_projection_dim(join);
    s->join = (back){akin_projection_axes(join), akin_projection_raw(join), dim,
                     akin_mem_zalloc(dim * dim, sizeof(double))};
    s->solved = akin_mem_alloc(dim, sizeof *s->solved);
    if (s->join.factor && s->solved) {
        multiply(&s->join, s->join.factor);
        factorise(s->join.factor, dim);
        return AKIN_OK;
    }
    akin_part_sharer_free(s);
    *out = NULL;
    return AKIN_FAILED;
}

void akin_part_sharer_free(akin_part_sharer *sharer) {
    if (!sharer) return;
    akin_mem_free(sharer->join.factor);
    akin_mem_free(sharer->solved);
    akin_mem_free(sharer);
}

size_t akin_part_sharer_size(const akin_part_sharer *sharer) {
    return sharer->join.factor ? 2 * sharer->columns : sharer->columns;
}

void akin_part_sharer_prepare(const akin_part_sharer *sharer, const float *row, float *out) {
    if (sharer->join.factor)
        bring_back(&sharer->join, row, sharer->solved, out, out + sharer->columns);
    else
        memcpy(out, row, sharer->columns * sizeof *out);
}

/* The contribution of a column to the cosine. */
static double term(const akin_part_sharer *s, const float *a, const float *b, size_t column) {
    if (!s->join.factor) return (double)a[column] * b[column];
    size_t turned = column + s->columns;
    return ((double)a[column] * b[turned] + (double)b[column] * a[turned]) / 2;
}

size_t akin_part_sharer_pair(const akin_part_sharer *sharer, const float *a, const float *b,
                             akin_part_share out[AKIN_PARTS]) {
    const akin_features *features = sharer->features;
    size_t count = 0, at = 0;
    for (size_t p = 0; p < AKIN_PARTS; p++) {
        if (!(features->parts[p].weight > 0)) continue;
        akin_part_share *share = &out[count++];
        *share = (akin_part_share){akin_part_name((akin_part)p), features->parts[p].dim, 0};
        for (size_t d = 0; d < share->columns; d++) share->share += term(sharer, a, b, at++);
    }
    return count;
}

akin_status akin_part_shares(akin_model *model, const float *a, const float *b,
                             akin_part_share out[AKIN_PARTS], size_t *count) {
    akin_part_sharer *sharer = NULL;
    akin_status status = akin_part_sharer_create(model, &sharer);
    size_t size = status == AKIN_OK ? akin_part_sharer_size(sharer) : 0;
    float *rows = akin_mem_alloc(2 * size + 1, sizeof *rows);
    *count = 0;
    if (status == AKIN_OK && !rows) status = AKIN_FAILED;
    if (status == AKIN_OK) {
        akin_part_sharer_prepare(sharer, a, rows);
        akin_part_sharer_prepare(sharer, b, rows + size);
        *count = akin_part_sharer_pair(sharer, rows, rows + size, out);
    }
    akin_mem_free(rows);
    akin_part_sharer_free(sharer);
    return status;
}
