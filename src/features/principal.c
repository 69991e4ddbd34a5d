/* principal: the two directions in which rows differ most. */
#include <akin/mem.h>
#include <akin/principal.h>
#include <akin/rng.h>
#include <math.h>
#include <string.h>

enum { AXES = 2, ITERATIONS = 100 };

static double dot(const double *a, const double *b, size_t dim) {
    double sum = 0;
    for (size_t t = 0; t < dim; t++) sum += a[t] * b[t];
    return sum;
}

/* The axes become orthogonal to those before them, and of length 1; one that vanishes becomes zero.
 */
static void straighten(double *axes, size_t dim) {
    for (size_t a = 0; a < AXES; a++) {
        double *axis = axes + a * dim;
        for (size_t b = 0; b < a; b++) {
            double part = dot(axis, axes + b * dim, dim);
            for (size_t t = 0; t < dim; t++) axis[t] -= part * axes[b * dim + t];
        }
        double length = sqrt(dot(axis, axis, dim));
        for (size_t t = 0; t < dim; t++) axis[t] = length > 1e-30 ? axis[t] / length : 0;
    }
}

static void mean_of(const float *rows, size_t count, size_t dim, double *mean) {
    memset(mean, 0, dim * sizeof *mean);
    for (size_t i = 0; i < count; i++)
        for (size_t t = 0; t < dim; t++) mean[t] += (double)rows[i * dim + t];
    for (size_t t = 0; t < dim; t++) mean[t] /= (double)count;
}

/* How far a row lies along each axis. */
static void measure(const float *row, const double *mean, const double *axes, size_t dim,
                    double *at) {
    for (size_t a = 0; a < AXES; a++) {
        double sum = 0;
        for (size_t t = 0; t < dim; t++) sum += ((double)row[t] - mean[t]) * axes[a * dim + t];
        at[a] = sum;
    }
}

static void iterate(const float *rows, size_t count, size_t dim, const double *mean, double *axes,
                    double *next) {
    memset(next, 0, AXES * dim * sizeof *next);
    for (size_t i = 0; i < count; i++) {
        double at[AXES];
        measure(rows + i * dim, mean, axes, dim, at);
        for (size_t a = 0; a < AXES; a++)
            for (size_t t = 0; t < dim; t++)
                next[a * dim + t] += at[a] * ((double)rows[i * dim + t] - mean[t]);
    }
    memcpy(axes, next, AXES * dim * sizeof *axes);
    straighten(axes, dim);
}

static void point(double *axis, size_t dim) {
    size_t largest = 0;
    for (size_t t = 1; t < dim; t++)
        if (fabs(axis[t]) > fabs(axis[largest])) largest = t;
    for (size_t t = 0; t < dim && axis[largest] < 0; t++)
        if (t != largest) axis[t] = -axis[t];
    axis[largest] = fabs(axis[largest]);
}

static void explain(const float *rows, size_t count, size_t dim, const double *mean,
                    const double *at, double explained[2]) {
    double all = 0, along[AXES] = {0};
    for (size_t i = 0; i < count; i++) {
        for (size_t t = 0; t < dim; t++) {
            double part = (double)rows[i * dim + t] - mean[t];
            all += part * part;
        }
        for (size_t a = 0; a < AXES; a++) along[a] += at[i * AXES + a] * at[i * AXES + a];
    }
    for (size_t a = 0; a < AXES; a++) explained[a] = all > 0 ? along[a] / all : 0;
}

akin_status akin_principal(const float *rows, size_t count, size_t dim, double *at,
                           double explained[2]) {
    double *mean = akin_mem_alloc(1 + 2 * AXES, dim * sizeof *mean);
    if (!mean) return AKIN_FAILED;
    double *axes = mean + dim, *next = axes + AXES * dim;
    mean_of(rows, count, dim, mean);
    for (size_t t = 0; t < AXES * dim; t++) axes[t] = akin_rng_normal(dim, AKIN_RNG_AXES, 0, t);
    straighten(axes, dim);
    for (int i = 0; i < ITERATIONS; i++) iterate(rows, count, dim, mean, axes, next);
    for (size_t a = 0; a < AXES; a++) point(axes + a * dim, dim);
    for (size_t i = 0; i < count; i++) measure(rows + i * dim, mean, axes, dim, at + i * AXES);
    explain(rows, count, dim, mean, at, explained);
    akin_mem_free(mean);
    return AKIN_OK;
}
