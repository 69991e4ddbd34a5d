/* linalg: products of matrices and eigenvectors, by OpenBLAS and LAPACKE. */
#include <akin/cpu.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* OpenBLAS's own, which it calls when it is loaded: forget the kernels, and choose them by
 * $OPENBLAS_CORETYPE. A build for a single CPU has neither. */
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

/* Selects kernels of the level that the ranks agreed on, so that products have the same bits on
 * each. Left alone, a release older than the CPU does not know it and uses kernels of 2004. A
 * choice in the environment is kept. */
static void choose_kernels(void) {
    static const char *const names[AKIN_CPU_LEVELS] = {"Prescott", "Haswell", "SkylakeX",
                                                       "SkylakeX", "SkylakeX"};
    if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit || getenv("OPENBLAS_CORETYPE")) return;
    if (setenv("OPENBLAS_CORETYPE", names[akin_cpu_active()], 1) != 0) return;
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv("OPENBLAS_CORETYPE");
}

/* OpenBLAS maps its buffer (BUFFER_SIZE of its common.h: 128 MiB on x86-64) with the first product
 * and keeps it; if it gets none, it retries forever. So the memory is first tested for here and
 * then taken by a product, before anything else can take it. */
akin_status akin_linalg_start(void) {
    static bool started;
    static const size_t buffer = (size_t)129 << 20;
    if (started) return AKIN_OK;
    void *room = mmap(NULL, buffer, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED)
        return akin_error_set(
            AKIN_FAILED,
            "not enough memory for the %zu MiB that OpenBLAS works in: run with fewer "
            "ranks on a node, or raise the limit on memory (ulimit -v)",
            buffer >> 20);
    munmap(room, buffer);
    choose_kernels();
    openblas_set_num_threads(1);
    enum { SIDE = 160 }; /* products of up to 100^3 do not use the buffer on some CPUs */
    static float zeros[SIDE * SIDE], out[SIDE * SIDE];
    akin_linalg_product((akin_linalg_shape){SIDE, SIDE, SIDE, AKIN_TURN_NONE}, zeros, zeros, out);
    started = true;
    return AKIN_OK;
}

void akin_linalg_product(akin_linalg_shape s, const float *a, const float *b, float *out) {
    const bool turn_a = s.turned == AKIN_TURN_A, turn_b = s.turned == AKIN_TURN_B;
    cblas_sgemm(CblasRowMajor, turn_a ? CblasTrans : CblasNoTrans,
                turn_b ? CblasTrans : CblasNoTrans, (int)s.rows, (int)s.columns, (int)s.inner, 1.0F,
                a, (int)(turn_a ? s.rows : s.inner), b, (int)(turn_b ? s.inner : s.columns), 0.0F,
                out, (int)s.columns);
}

/* --- eigenvectors --- */

typedef struct {
    double *matrix, *values, *vectors; /* values [n], ascending */
    int n, first, found, *support;     /* first: number of the lowest wanted eigenvalue, from 1 */
} problem;

/* Eigenvalues in a range of indices and their vectors (Dhillon & Parlett, "Multiple
 * representations to compute orthogonal eigenvectors of symmetric tridiagonal matrices", 2004).
 * Row-major elements with j >= i are the lower triangle of columns. */
static int solve(problem *p, double *work, int work_size, int *whole, int whole_size) {
    return LAPACKE_dsyevr_work(LAPACK_COL_MAJOR, 'V', p->first > 1 ? 'I' : 'A', 'L', p->n,
                               p->matrix, p->n, 0, 0, p->first, p->n, 0, &p->found, p->values,
                               p->vectors, p->n, p->support, work, work_size, whole, whole_size);
}

static void turn_positive(double *vector, size_t n) {
    size_t largest = 0;
    for (size_t i = 1; i < n; i++)
        if (fabs(vector[i]) > fabs(vector[largest])) largest = i;
    if (vector[largest] < 0)
        for (size_t i = 0; i < n; i++) vector[i] = -vector[i];
}

/* LAPACK's order is ascending. */
static void hand_over(const problem *p, size_t count, double *values, double *vectors) {
    size_t n = (size_t)p->n;
    for (size_t i = 0; i < count; i++) {
        values[i] = p->values[count - 1 - i];
        memcpy(vectors + i * n, p->vectors + (count - 1 - i) * n, n * sizeof *vectors);
        turn_positive(vectors + i * n, n);
    }
}

akin_status akin_linalg_eigenvectors(double *matrix, size_t n, size_t count, double *values,
                                     double *vectors) {
    akin_status status = AKIN_FAILED;
    double *work = NULL, asked = 0;
    int *whole = NULL, whole_asked = 0;
    problem p = {.matrix = matrix, .n = (int)n, .first = (int)(n - count + 1)};
    p.values = akin_mem_alloc(n, sizeof *p.values);
    p.vectors = akin_mem_alloc(n, count * sizeof *p.vectors);
    p.support = akin_mem_alloc(2 * n, sizeof *p.support);
    if (!p.values || !p.vectors || !p.support) goto done;
    int info = solve(&p, &asked, -1, &whole_asked, -1); /* workspace query */
    work = akin_mem_alloc((size_t)asked, sizeof *work);
    whole = akin_mem_alloc((size_t)whole_asked, sizeof *whole);
    if (!work || !whole) goto done;
    if (info == 0) info = solve(&p, work, (int)asked, whole, whole_asked);
    status = AKIN_OK;
    if (info != 0 || (size_t)p.found != count)
        status = akin_error_set(
            AKIN_FAILED,
            "the eigenvectors of a covariance of %zu columns were not found (dsyevr: %d)", n, info);
    else
        hand_over(&p, count, values, vectors);
done:
    akin_mem_free(p.values);
    akin_mem_free(p.vectors);
    akin_mem_free(p.support);
    akin_mem_free(work);
    akin_mem_free(whole);
    return status;
}

akin_status akin_linalg_whitening(double *matrix, size_t n, double ridge, double *vectors,
                                  float *out) {
    akin_status status = AKIN_OK;
    double *values = akin_mem_alloc(n, sizeof *values);
    if (!values) return AKIN_FAILED;
    AKIN_TRY(akin_linalg_eigenvectors(matrix, n, n, values, vectors));
    memset(matrix, 0, n * n * sizeof *matrix);
    for (size_t e = 0; e < n; e++) {
        const double *v = vectors + e * n;
        double scale = 1 / sqrt(fmax(values[e], 0) + ridge);
        for (size_t i = 0; i < n * n; i++) matrix[i] += scale * v[i / n] * v[i % n];
    }
    for (size_t i = 0; i < n * n; i++) out[i] = (float)matrix[i];
done:
    akin_mem_free(values);
    return status;
}

/* other = L L^T (Cholesky); the eigenvectors y of L^-1 matrix L^-T are L^T v (Martin & Wilkinson,
 * "Reduction of the symmetric eigenproblem Ax = lambda Bx ... to standard form", 1968). Row-major
 * elements with j >= i are the lower triangle of columns. */
akin_status akin_linalg_eigenvectors_of_pair(double *matrix, double *other, size_t n, size_t count,
                                             double *values, double *vectors) {
    int size = (int)n, info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', size, other, size);
    if (info == 0)
        info = LAPACKE_dsygst_work(LAPACK_COL_MAJOR, 1, 'L', size, matrix, size, other, size);
    if (info != 0)
        return akin_error_set(AKIN_FAILED,
                              "a pair of matrices of %zu columns has no eigenvectors (dpotrf: %d)",
                              n, info);
    akin_status status = akin_linalg_eigenvectors(matrix, n, count, values, vectors);
    if (status != AKIN_OK) return status;
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, size, (int)count, 1,
                other, size, vectors, size);
    for (size_t i = 0; i < count; i++) turn_positive(vectors + i * n, n);
    return AKIN_OK;
}
