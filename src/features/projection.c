/* projection: projects onto the axes of largest variance. Compiled once per level of x86-64
 * (cpu.h). */
#include <akin/cpu.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <akin/projection.h>
#include <math.h>
#include <string.h>

/* Columns are independent, so they can be vectorised without changing the order of the sums. */
static void apply(const float *restrict row, const float *restrict mean, const float *restrict axes,
                  size_t raw, size_t dim, double *restrict out) {
    for (size_t r = 0; r < raw; r++) {
        double centred = (double)row[r] - (double)mean[r];
        for (size_t d = 0; d < dim; d++) out[d] += centred * (double)axes[r * dim + d];
    }
}

extern const akin_projection_kernels akin_projection_kernels_v1, akin_projection_kernels_v3,
    akin_projection_kernels_v4;
const akin_projection_kernels AKIN_LEVELED(akin_projection_kernels) = {apply};

#if AKIN_LEVEL == 1
static const akin_projection_kernels *kernels(void) {
    static const akin_projection_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_projection_kernels_v1, &akin_projection_kernels_v3, &akin_projection_kernels_v4,
        &akin_projection_kernels_v4, &akin_projection_kernels_v4};
    return levels[akin_cpu_active()];
}

struct akin_projection {
    size_t raw, dim;
    float *mean, *axes;
    double *eigenvalues;
};

akin_status akin_projection_create(size_t raw, size_t dim, bool axes, akin_projection **out) {
    *out = NULL;
    AKIN_ASSERT(axes ? dim <= raw : dim == raw);
    akin_projection *p = akin_mem_zalloc(1, sizeof *p);
    if (!p) return AKIN_FAILED;
    p->raw = raw;
    p->dim = dim;
    p->mean = akin_mem_zalloc(raw, sizeof *p->mean);
    if (axes) p->axes = akin_mem_zalloc(raw, dim * sizeof *p->axes);
    if (axes) p->eigenvalues = akin_mem_zalloc(dim, sizeof *p->eigenvalues);
    if (!p->mean || (axes && (!p->axes || !p->eigenvalues))) {
        akin_projection_free(p);
        return AKIN_FAILED;
    }
    *out = p;
    return AKIN_OK;
}

void akin_projection_free(akin_projection *p) {
    if (!p) return;
    akin_mem_free(p->mean);
    akin_mem_free(p->axes);
    akin_mem_free(p->eigenvalues);
    akin_mem_free(p);
}

size_t akin_projection_raw(const akin_projection *p) {
    return p->raw;
}

size_t akin_projection_dim(const akin_projection *p) {
    return p->dim;
}

float *akin_projection_mean(akin_projection *p) {
    return p->mean;
}

float *akin_projection_axes(akin_projection *p) {
    return p->axes;
}

double *akin_projection_eigenvalues(akin_projection *p) {
    return p->eigenvalues;
}

/* The factor of column d; 0 if the column is ignored. */
static double scale_of(const akin_projection *p, size_t d, double whiten) {
    double value = p->eigenvalues[d];
    return value > 0 && value >= AKIN_PROJECTION_LEAST * p->eigenvalues[0] ? pow(value, -whiten)
                                                                           : 0;
}

akin_status akin_projection_fit(akin_projection *p, double *covariance, double whiten) {
    double *vectors = akin_mem_alloc(p->dim, p->raw * sizeof *vectors);
    if (!vectors) return AKIN_FAILED;
    akin_status status =
        akin_linalg_eigenvectors(covariance, p->raw, p->dim, p->eigenvalues, vectors);
    for (size_t d = 0; status == AKIN_OK && d < p->dim; d++) {
        double scale = scale_of(p, d, whiten);
        for (size_t r = 0; r < p->raw; r++)
            p->axes[r * p->dim + d] = (float)(scale * vectors[d * p->raw + r]);
    }
    akin_mem_free(vectors);
    return status;
}

/* --- steady axes --- */

#define HELD_BACK 2.0 /* regularisation, as a share of the mean eigenvalue of the nuisance */

/* Copies the upper triangle to the lower one, [i, j] with j < i. */
static void mirror(double *matrix, size_t n) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) matrix[i * n + j] = matrix[j * n + i];
}

/* out [n, columns] = a * b; a [n, n], b [n, columns]. */
static void multiply(const double *restrict a, const double *restrict b, size_t n, size_t columns,
                     double *restrict out) {
    memset(out, 0, n * columns * sizeof *out);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < columns; j++)
                out[i * columns + j] += a[i * n + k] * b[k * columns + j];
}

/* turn [n, n]: column d is eigenvector d of the nuisance divided by the square root of its
 * regularised eigenvalue. Rows times this matrix equal rows times W up to a rotation. */
akin_status akin_projection_steady(double *nuisance, size_t n, double *turn) {
    akin_status status = AKIN_FAILED;
    double mean = 0, *values = akin_mem_alloc(n, sizeof *values),
           *vectors = akin_mem_alloc(n, n * sizeof *vectors);
    for (size_t i = 0; i < n; i++) mean += nuisance[i * n + i] / (double)n;
    if (values && vectors) status = akin_linalg_eigenvectors(nuisance, n, n, values, vectors);
    for (size_t d = 0; status == AKIN_OK && d < n; d++) {
        double value = mean > 0 ? fmax(0, values[d]) / mean : 0,
               scale = 1 / sqrt(value + HELD_BACK);
        for (size_t r = 0; r < n; r++) turn[r * n + d] = scale * vectors[d * n + r];
    }
    akin_mem_free(values);
    akin_mem_free(vectors);
    return status;
}

/* covariance = turn^T * covariance * turn; room [n, n]. */
static void turn_covariance(double *covariance, const double *turn, size_t n, double *turned,
                            double *room) {
    mirror(covariance, n);
    multiply(covariance, turn, n, n, room);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) turned[j * n + i] = turn[i * n + j];
    multiply(turned, room, n, n, covariance);
}

akin_status akin_projection_fit_turned(akin_projection *p, double *covariance, const double *turn,
                                       double whiten) {
    akin_status status = AKIN_FAILED;
    size_t n = p->raw, values = n * n > n * p->dim ? n * n : n * p->dim;
    double *room = akin_mem_alloc(values, sizeof *room);
    double *other = akin_mem_alloc(values, sizeof *other);
    if (!room || !other) goto done;
    turn_covariance(covariance, turn, n, other, room);
    AKIN_TRY(akin_projection_fit(p, covariance, whiten));
    for (size_t i = 0; i < n * p->dim; i++) room[i] = (double)p->axes[i];
    multiply(turn, room, n, p->dim, other);
    for (size_t i = 0; i < n * p->dim; i++) p->axes[i] = (float)other[i];
done:
    akin_mem_free(room);
    akin_mem_free(other);
    return status;
}

/* --- a small number of rows --- */

/* The products of rows [count, raw] with each other, divided by the number of rows; owned, NULL:
 * out of memory. */
static double *products_of(const float *rows, size_t count, size_t raw) {
    float *products = akin_mem_alloc(count, count * sizeof *products);
    double *matrix = akin_mem_alloc(count, count * sizeof *matrix);
    if (products && matrix) {
        akin_linalg_product((akin_linalg_shape){count, count, raw, AKIN_TURN_B}, rows, rows,
                            products);
        for (size_t i = 0; i < count * count; i++) matrix[i] = (double)products[i] / (double)count;
    } else {
        akin_mem_free(matrix);
        matrix = NULL;
    }
    akin_mem_free(products);
    return matrix;
}

/* axes[., d] = scale * the sum of the rows, each multiplied by its element of the vector. */
static void combine(const float *rows, size_t count, const double *vector, double scale, size_t d,
                    akin_projection *p) {
    for (size_t r = 0; r < p->raw; r++) {
        double sum = 0;
        for (size_t i = 0; scale > 0 && i < count; i++)
            sum += vector[i] * (double)rows[i * p->raw + r];
        p->axes[r * p->dim + d] = (float)(scale * sum);
    }
}

akin_status akin_projection_fit_rows(akin_projection *p, float *rows, size_t count, double whiten) {
    akin_status status = AKIN_FAILED;
    size_t found = count < p->dim ? count : p->dim;
    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; r < p->raw; r++) rows[i * p->raw + r] -= p->mean[r];
    double *vectors = akin_mem_alloc(found, count * sizeof *vectors),
           *matrix = products_of(rows, count, p->raw);
    memset(p->eigenvalues, 0, p->dim * sizeof *p->eigenvalues);
    memset(p->axes, 0, p->raw * p->dim * sizeof *p->axes);
    if (!vectors || !matrix) goto done;
    AKIN_TRY(akin_linalg_eigenvectors(matrix, count, found, p->eigenvalues, vectors));
    for (size_t d = 0; d < found; d++) {
        double scale = scale_of(p, d, whiten); /* u = X^T v / sqrt(count * value) has length one */
        if (scale > 0) scale /= sqrt((double)count * p->eigenvalues[d]);
        combine(rows, count, vectors + d * count, scale, d, p);
    }
done:
    akin_mem_free(vectors);
    akin_mem_free(matrix);
    return status;
}

/* --- rows in memory --- */

static void centre(float *rows, size_t count, size_t raw, float *mean) {
    for (size_t r = 0; r < raw; r++) {
        double sum = 0;
        for (size_t i = 0; i < count; i++) sum += (double)rows[i * raw + r];
        mean[r] = (float)(sum / (double)count);
        for (size_t i = 0; i < count; i++) rows[i * raw + r] -= mean[r];
    }
}

akin_status akin_projection_fit_whole(akin_projection *p, float *rows, size_t count,
                                      double *variance) {
    akin_status status = AKIN_FAILED;
    const size_t n = p->raw;
    float *products = akin_mem_alloc(n, n * sizeof *products);
    double *covariance = akin_mem_alloc(n, n * sizeof *covariance);
    if (!products || !covariance) goto done;
    centre(rows, count, n, p->mean);
    akin_linalg_product((akin_linalg_shape){n, n, count, AKIN_TURN_A}, rows, rows, products);
    for (size_t i = 0; i < n * n; i++) covariance[i] = (double)products[i] / (double)count;
    *variance = 0;
    for (size_t i = 0; i < n; i++) *variance += covariance[i * n + i];
    status = akin_projection_fit(p, covariance, 0);
done:
    akin_mem_free(products);
    akin_mem_free(covariance);
    return status;
}

void akin_projection_apply(const akin_projection *p, const float *row, double *out) {
    memset(out, 0, p->dim * sizeof *out);
    if (p->axes)
        kernels()->apply(row, p->mean, p->axes, p->raw, p->dim, out);
    else
        for (size_t d = 0; d < p->dim; d++) out[d] = (double)row[d] - (double)p->mean[d];
}
#endif
