/* eigen: eigenvectors by LAPACK. */
#include "eigen.h"
#include <akin/mem.h>
#include <math.h>
#include <string.h>

/* LAPACK's own symbol in OpenBLAS (a C header is packaged apart, with another library): eigenvalues
 * in a range of numbers and their vectors (Dhillon & Parlett, "Multiple representations ...",
 * 2004). Arrays lie column by column; the lengths of the three texts come last, as Fortran
 * compilers pass them. */
extern void dsyevr_(const char *job, const char *range, const char *triangle, const int *n,
                    double *matrix, const int *rows, const double *low, const double *high,
                    const int *first, const int *last, const double *tolerance, int *found,
                    double *values, double *vectors, const int *vector_rows, int *support,
                    double *work, const int *work_size, int *whole, const int *whole_size,
                    int *info, size_t job_length, size_t range_length, size_t triangle_length);

typedef struct {
    double *matrix, *values, *vectors; /* values [n], ascending */
    int n, first, found, *support;     /* first: number of the lowest wanted eigenvalue, from 1 */
} problem;

/* Row-major elements with j >= i are the lower triangle, as LAPACK sees them. */
static int solve(problem *p, double *work, int work_size, int *whole, int whole_size) {
    const double none = 0;
    int info = 0;
    dsyevr_("V", p->first > 1 ? "I" : "A", "L", &p->n, p->matrix, &p->n, &none, &none, &p->first,
            &p->n, &none, &p->found, p->values, p->vectors, &p->n, p->support, work, &work_size,
            whole, &whole_size, &info, 1, 1, 1);
    return info;
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

akin_status akin_eigen_largest(double *matrix, size_t n, size_t count, double *values,
                               double *vectors) {
    akin_status status = AKIN_FAILED;
    double *work = NULL, asked = 0;
    int *whole = NULL, whole_asked = 0;
    problem p = {.matrix = matrix, .n = (int)n, .first = (int)(n - count + 1)};
    p.values = akin_mem_alloc(n, sizeof *p.values);
    p.vectors = akin_mem_alloc(n, count * sizeof *p.vectors);
    p.support = akin_mem_alloc(2 * n, sizeof *p.support);
    if (!p.values || !p.vectors || !p.support) goto done;
    int info = solve(&p, &asked, -1, &whole_asked, -1); /* how much room it wants */
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
