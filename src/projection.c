/* projection: onto axes of largest variance. Floor 1 (kernels); looks down to error, mem, cpu, eigen, gemm. Compiled
 * once per level of x86-64 (cpu.h). */
#include <akin/cpu.h>
#include <akin/eigen.h>
#include <akin/gemm.h>
#include <akin/mem.h>
#include <akin/projection.h>
#include <math.h>
#include <string.h>

/* Columns are independent of each other: vectors of them without another order of the sums. */
static void apply(const float *restrict row, const float *restrict mean, const float *restrict axes, size_t raw,
                  size_t dim, double *restrict out) {
    for (size_t r = 0; r < raw; r++) {
        double centred = (double)row[r] - (double)mean[r];
        for (size_t d = 0; d < dim; d++) out[d] += centred * (double)axes[r * dim + d];
    }
}

extern const akin_projection_kernels akin_projection_kernels_v1, akin_projection_kernels_v3, akin_projection_kernels_v4;
const akin_projection_kernels AKIN_LEVELED(akin_projection_kernels) = {apply};

#if AKIN_LEVEL == 1
static const akin_projection_kernels *kernels(void) {
    static const akin_projection_kernels *const levels[AKIN_CPU_LEVELS] = {
        &akin_projection_kernels_v1, &akin_projection_kernels_v3, &akin_projection_kernels_v4,
        &akin_projection_kernels_v4};
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

/* What column d is to be multiplied with; 0 where it does not count. */
static double scale_of(const akin_projection *p, size_t d, double whiten) {
    double value = p->eigenvalues[d];
    return value > 0 && value >= AKIN_PROJECTION_LEAST * p->eigenvalues[0] ? pow(value, -whiten) : 0;
}

akin_status akin_projection_fit(akin_projection *p, double *covariance, double whiten) {
    double *vectors = akin_mem_alloc(p->dim, p->raw * sizeof *vectors);
    if (!vectors) return AKIN_FAILED;
    akin_status status = akin_eigen_largest(covariance, p->raw, p->dim, p->eigenvalues, vectors);
    for (size_t d = 0; status == AKIN_OK && d < p->dim; d++) {
        double scale = scale_of(p, d, whiten);
        for (size_t r = 0; r < p->raw; r++) p->axes[r * p->dim + d] = (float)(scale * vectors[d * p->raw + r]);
    }
    akin_mem_free(vectors);
    return status;
}

/* The products of rows [count, raw] with each other, divided by their number; owned, NULL: no memory. */
static double *products_of(const float *rows, size_t count, size_t raw) {
    float *products = akin_mem_alloc(count, count * sizeof *products);
    double *matrix = akin_mem_alloc(count, count * sizeof *matrix);
    if (products && matrix) {
        akin_gemm(false, true, count, count, raw, rows, rows, false, products);
        for (size_t i = 0; i < count * count; i++) matrix[i] = (double)products[i] / (double)count;
    } else {
        akin_mem_free(matrix);
        matrix = NULL;
    }
    akin_mem_free(products);
    return matrix;
}

/* axes[., d] = scale * the sum of rows, each times its element of the vector. */
static void combine(const float *rows, size_t count, const double *vector, double scale, size_t d, akin_projection *p) {
    for (size_t r = 0; r < p->raw; r++) {
        double sum = 0;
        for (size_t i = 0; scale > 0 && i < count; i++) sum += vector[i] * (double)rows[i * p->raw + r];
        p->axes[r * p->dim + d] = (float)(scale * sum);
    }
}

akin_status akin_projection_fit_rows(akin_projection *p, float *rows, size_t count, double whiten) {
    akin_status status = AKIN_FAILED;
    size_t found = count < p->dim ? count : p->dim;
    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; r < p->raw; r++) rows[i * p->raw + r] -= p->mean[r];
    double *vectors = akin_mem_alloc(found, count * sizeof *vectors), *matrix = products_of(rows, count, p->raw);
    memset(p->eigenvalues, 0, p->dim * sizeof *p->eigenvalues);
    memset(p->axes, 0, p->raw * p->dim * sizeof *p->axes);
    if (!vectors || !matrix) goto done;
    AKIN_TRY(akin_eigen_largest(matrix, count, found, p->eigenvalues, vectors));
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

void akin_projection_apply(const akin_projection *p, const float *row, double *out) {
    memset(out, 0, p->dim * sizeof *out);
    if (p->axes)
        kernels()->apply(row, p->mean, p->axes, p->raw, p->dim, out);
    else
        for (size_t d = 0; d < p->dim; d++) out[d] = (double)row[d] - (double)p->mean[d];
}
#endif
