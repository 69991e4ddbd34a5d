/* Laws of covariance, eigen and projection: the covariance equals that of a naive twin, with the
 * same bits however its blocks are distributed; eigenvectors are eigenvectors; whitened rows have
 * covariance one; fewer rows than columns, equal rows and constant columns do no harm; every level
 * projects in the same way. */
#include "features/covariance.h"
#include <akin/linalg.h>
#include <akin/mem.h>
#include <akin/projection.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { ROWS = 1100, DIM = 300 }; /* more than a panel of columns; the last block is short */

/* Rows with columns of very different variance, the last one constant, and correlated neighbouring
 * columns. */
static float *some_rows(void) {
    float *rows = malloc(ROWS * DIM * sizeof *rows);
    assert_non_null(rows);
    fill(3, ROWS * DIM, rows);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t d = 0; d < DIM; d++) {
            float before = d > 0 ? rows[i * DIM + d - 1] : 0;
            rows[i * DIM + d] = 5 + before * 0.5F + rows[i * DIM + d] / (float)(1 + d % 17);
            if (d == DIM - 1) rows[i * DIM + d] = 2.5F;
        }
    return rows;
}

/* The covariance of `count` rows whose blocks are distributed over `ranks` in turn; owned. */
static double *covariance_of(const float *rows, size_t count, size_t dim, size_t ranks,
                             float *mean) {
    akin_covariance *c[4];
    double peak = 0, *matrix = calloc(dim * dim, sizeof *matrix);
    size_t sums;
    for (int pass = 0; pass < 3; pass++) {
        for (size_t r = 0; r < ranks; r++) {
            if (pass == 0) assert_int_equal(akin_covariance_create(dim, &c[r]), AKIN_OK);
            if (pass == 2) assert_int_equal(akin_covariance_scale(c[r], peak), AKIN_OK);
        }
        for (size_t b = 0; b * AKIN_COVARIANCE_BLOCK < count; b++) {
            const float *block = rows + b * AKIN_COVARIANCE_BLOCK * dim;
            size_t left = count - b * AKIN_COVARIANCE_BLOCK,
                   n = left < AKIN_COVARIANCE_BLOCK ? left : AKIN_COVARIANCE_BLOCK;
            akin_covariance *mine = c[(b * 7 + 3) % ranks];
            if (pass == 0) assert_int_equal(akin_covariance_see(mine, block, n), AKIN_OK);
            if (pass == 1) peak = fmax(peak, akin_covariance_measure(mine, block, n));
            if (pass == 2) akin_covariance_add(mine, block, n);
        }
        if (pass == 1) continue;
        for (size_t r = 1; r < ranks; r++) {
            int64_t *to = pass == 0 ? akin_covariance_mean_sums(c[0], &sums)
                                    : akin_covariance_sums(c[0], &sums);
            int64_t *from = pass == 0 ? akin_covariance_mean_sums(c[r], &sums)
                                      : akin_covariance_sums(c[r], &sums);
            for (size_t i = 0; i < sums; i++) to[i] += from[i];
        }
        int64_t *all = akin_covariance_mean_sums(c[0], &sums);
        for (size_t r = 0; r < ranks && pass == 0; r++) {
            memcpy(akin_covariance_mean_sums(c[r], &sums), all, sums * sizeof *all);
            akin_covariance_mean(c[r], count, mean);
        }
    }
    akin_covariance_get(c[0], count, matrix);
    for (size_t r = 0; r < ranks; r++) akin_covariance_free(c[r]);
    return matrix;
}

static void covariance_is_that_of_the_twin(void **state) {
    (void)state;
    float *rows = some_rows(), mean[DIM];
    double *matrix = covariance_of(rows, ROWS, DIM, 1, mean);
    for (size_t a = 0; a < DIM; a++) {
        double sum = 0;
        for (size_t i = 0; i < ROWS; i++) sum += (double)rows[i * DIM + a];
        assert_true(fabs(sum / ROWS - (double)mean[a]) < 1e-6);
        for (size_t b = a; b < DIM; b += 1 + b % 7) {
            double product = 0;
            for (size_t i = 0; i < ROWS; i++)
                product += ((double)rows[i * DIM + a] - (double)mean[a]) *
                           ((double)rows[i * DIM + b] - (double)mean[b]);
            assert_true(fabs(product / ROWS - matrix[a * DIM + b]) < 1e-6);
        }
    }
    free(matrix);
    free(rows);
}

static void covariance_is_the_same_whoever_has_the_blocks(void **state) {
    (void)state;
    float *rows = some_rows(), mean[DIM], other[DIM];
    double *one = covariance_of(rows, ROWS, DIM, 1, mean);
    for (size_t ranks = 2; ranks <= 4; ranks++) {
        double *many = covariance_of(rows, ROWS, DIM, ranks, other);
        assert_same_bytes(one, many, DIM * DIM * sizeof *one);
        assert_same_bytes(mean, other, sizeof mean);
        free(many);
    }
    free(one);
    free(rows);
}

static void what_is_not_finite_is_refused(void **state) {
    (void)state;
    akin_covariance *c;
    float row[3] = {1, NAN, 2};
    assert_int_equal(akin_covariance_create(3, &c), AKIN_OK);
    assert_int_equal(akin_covariance_see(c, row, 1), AKIN_FAILED);
    row[1] = 0x1p21F;
    assert_int_equal(akin_covariance_see(c, row, 1), AKIN_FAILED);
    row[1] = -0x1p19F;
    assert_int_equal(akin_covariance_see(c, row, 1), AKIN_OK);
    akin_covariance_free(c);
}

static void eigenvectors_are_what_they_say(void **state) {
    (void)state;
    enum { N = 40 };
    double matrix[N * N], copy[N * N], values[N], vectors[N * N];
    for (size_t count = 1; count <= N; count = count < 7 ? count + 3 : count == 7 ? N : N + 1) {
        for (size_t i = 0; i < N; i++)
            for (size_t j = i; j < N; j++)
                copy[i * N + j] = copy[j * N + i] =
                    (double)number(9, i * N + j) + (i == j ? 2.0 * (double)(i % 5) : 0);
        for (size_t i = 0; i < N * N; i++)
            matrix[i] = i / N <= i % N ? copy[i] : NAN; /* the rest is not read */
        assert_int_equal(akin_linalg_eigenvectors(matrix, N, count, values, vectors), AKIN_OK);
        for (size_t v = 0; v < count; v++) {
            double largest = 0, square = 0;
            assert_true(v == 0 || values[v] <= values[v - 1]);
            for (size_t i = 0; i < N; i++) {
                double product = 0, x = vectors[v * N + i];
                for (size_t j = 0; j < N; j++) product += copy[i * N + j] * vectors[v * N + j];
                assert_true(fabs(product - values[v] * x) < 1e-10);
                square += x * x;
                if (fabs(x) > fabs(largest)) largest = x;
            }
            assert_true(fabs(square - 1) < 1e-12 && largest > 0);
        }
    }
    /* The sum of all eigenvalues is the trace, so those tested above were the largest ones. */
    double trace = 0, sum = 0;
    for (size_t i = 0; i < N; i++) trace += copy[i * N + i], sum += values[i];
    assert_true(fabs(trace - sum) < 1e-9);
}

static akin_projection *fitted(const float *rows, size_t count, size_t dim, double whiten) {
    akin_projection *p;
    assert_int_equal(akin_projection_create(DIM, dim, true, &p), AKIN_OK);
    double *matrix = covariance_of(rows, count, DIM, 1, akin_projection_mean(p));
    assert_int_equal(akin_projection_fit(p, matrix, whiten), AKIN_OK);
    free(matrix);
    return p;
}

/* Rows projected with powers 0 and 0.5: their covariance is diagonal, of eigenvalues or ones. */
static void projected_rows_have_the_covariance_that_is_asked_for(void **state) {
    (void)state;
    enum { KEPT = 24 };
    float *rows = some_rows();
    double out[KEPT];
    for (int whitened = 0; whitened < 2; whitened++) {
        akin_projection *p = fitted(rows, ROWS, KEPT, 0.5 * whitened);
        double covariance[KEPT][KEPT] = {{0}}, mean[KEPT] = {0};
        for (size_t i = 0; i < ROWS; i++) {
            akin_projection_apply(p, rows + i * DIM, out);
            for (size_t a = 0; a < KEPT; a++) {
                mean[a] += out[a] / ROWS;
                for (size_t b = 0; b < KEPT; b++) covariance[a][b] += out[a] * out[b] / ROWS;
            }
        }
        const double *values = akin_projection_eigenvalues(p);
        for (size_t a = 0; a < KEPT; a++) {
            assert_true(fabs(mean[a]) < 1e-5 && values[a] > 0 &&
                        (a == 0 || values[a] <= values[a - 1]));
            for (size_t b = 0; b < KEPT; b++)
                assert_true(fabs(covariance[a][b] - (a != b     ? 0
                                                     : whitened ? 1
                                                                : values[a])) < 1e-4);
        }
        akin_projection_free(p);
    }
    free(rows);
}

/* With 5 rows at most 4 axes are used, with equal rows none, and nothing becomes infinite. */
static void few_or_equal_rows_have_few_axes(void **state) {
    (void)state;
    float *rows = some_rows();
    double out[8];
    for (int equal = 0; equal < 2; equal++) {
        for (size_t i = 1; equal && i < 5; i++) memcpy(rows + i * DIM, rows, DIM * sizeof *rows);
        for (size_t count = 1; count <= 5; count += 4) {
            akin_projection *p = fitted(rows, count, 8, 0.5);
            size_t alive = 0;
            for (size_t i = 0; i < 5; i++) {
                akin_projection_apply(p, rows + i * DIM, out);
                for (size_t d = 0; d < 8; d++) {
                    assert_true(isfinite(out[d]) && (d < 4 || out[d] == 0));
                    alive += out[d] != 0;
                }
            }
            assert_true((alive == 0) == (equal || count == 1));
            akin_projection_free(p);
        }
    }
    free(rows);
}

/* From products of rows or of columns: the same axes. */
static void few_rows_have_the_axes_of_their_covariance(void **state) {
    (void)state;
    enum { FEW = 90, KEPT = 30 };
    float *rows = some_rows(), *copy = malloc(FEW * DIM * sizeof *copy);
    assert_non_null(copy);
    for (int whitened = 0; whitened < 2; whitened++) {
        akin_projection *by_columns = fitted(rows, FEW, KEPT, 0.5 * whitened), *by_rows;
        assert_int_equal(akin_projection_create(DIM, KEPT, true, &by_rows), AKIN_OK);
        memcpy(copy, rows, FEW * DIM * sizeof *copy);
        memcpy(akin_projection_mean(by_rows), akin_projection_mean(by_columns),
               DIM * sizeof(float));
        assert_int_equal(akin_projection_fit_rows(by_rows, copy, FEW, 0.5 * whitened), AKIN_OK);
        for (size_t d = 0; d < KEPT; d++) {
            double value = akin_projection_eigenvalues(by_columns)[d], product = 0, square = 0;
            assert_true(fabs(akin_projection_eigenvalues(by_rows)[d] / value - 1) < 1e-4);
            for (size_t r = 0; r < DIM; r++) {
                double a = (double)akin_projection_axes(by_columns)[r * KEPT + d];
                product += a * (double)akin_projection_axes(by_rows)[r * KEPT + d];
                square += a * a;
            }
            assert_true(fabs(fabs(product) / square - 1) <
                        1e-3); /* up to the sign, which the rows determine */
        }
        akin_projection_free(by_columns);
        akin_projection_free(by_rows);
    }
    free(copy);
    free(rows);
}

/* a^T M b for columns a, b of the axes; the upper triangle of the matrix [DIM, DIM] is used. */
static double between_axes(akin_projection *p, const double *matrix, size_t a, size_t b) {
    const float *axes = akin_projection_axes(p);
    size_t dim = akin_projection_dim(p);
    double sum = 0;
    for (size_t i = 0; i < DIM; i++)
        for (size_t j = 0; j < DIM; j++)
            sum += (double)axes[i * dim + a] * matrix[i <= j ? i * DIM + j : j * DIM + i] *
                   (double)axes[j * dim + b];
    return sum;
}

static akin_status fit_steady(akin_projection *p, double *covariance, double *nuisance) {
    double *turn = malloc(DIM * DIM * sizeof *turn);
    assert_non_null(turn);
    akin_status status = akin_projection_steady(nuisance, DIM, turn);
    if (status == AKIN_OK) status = akin_projection_fit_turned(p, covariance, turn, 0);
    free(turn);
    return status;
}

/* A^T C A has the eigenvalues and A^T (N / m + 2 I) A is one: the axes are steady. Without nuisance
 * they are the plain axes, up to length. */
static void steady_axes_solve_both_equations(void **state) {
    (void)state;
    enum { KEPT = 6, MOVED = 500 };
    float *rows = some_rows(), *moved = malloc(MOVED * DIM * sizeof *moved), mean[DIM];
    assert_non_null(moved);
    fill(9, MOVED * DIM, moved);
    for (size_t i = 0; i < MOVED * DIM; i++)
        moved[i] *= i % DIM < 40 ? 3 : 0.1F; /* the first columns have little meaning */
    double *nuisance = covariance_of(moved, MOVED, DIM, 1, mean),
           *used = malloc(DIM * DIM * sizeof *used), m = 0;
    akin_projection *p, *plain = fitted(rows, ROWS, KEPT, 0);
    assert_int_equal(akin_projection_create(DIM, KEPT, true, &p), AKIN_OK);
    double *covariance = covariance_of(rows, ROWS, DIM, 1, akin_projection_mean(p));
    memcpy(used, covariance, DIM * DIM * sizeof *used);
    double *noise = malloc(DIM * DIM * sizeof *noise);
    memcpy(noise, nuisance, DIM * DIM * sizeof *noise);
    assert_int_equal(fit_steady(p, used, noise), AKIN_OK);
    for (size_t i = 0; i < DIM; i++) m += nuisance[i * DIM + i] / DIM;
    for (size_t i = 0; i < DIM * DIM; i++)
        nuisance[i] = nuisance[i] / m + (i % (DIM + 1) == 0 ? 2 : 0);
    const double *values = akin_projection_eigenvalues(p);
    for (size_t a = 0; a < KEPT; a++)
        for (size_t b = 0; b < KEPT; b++) {
            assert_true(fabs(between_axes(p, covariance, a, b) - (a == b ? values[a] : 0)) <
                        1e-4 * values[0]);
            assert_true(fabs(between_axes(p, nuisance, a, b) - (a == b)) < 1e-4);
        }
    memset(noise, 0, DIM * DIM * sizeof *noise);
    memcpy(used, covariance, DIM * DIM * sizeof *used);
    assert_int_equal(fit_steady(p, used, noise), AKIN_OK);
    for (size_t d = 0; d < KEPT; d++) {
        double product = 0;
        for (size_t r = 0; r < DIM; r++)
            product += (double)akin_projection_axes(plain)[r * KEPT + d] *
                       (double)akin_projection_axes(p)[r * KEPT + d];
        assert_true(fabs(fabs(product) - sqrt(0.5)) < 1e-4);
    }
    akin_projection_free(p);
    akin_projection_free(plain);
    free(covariance), free(nuisance), free(used), free(noise), free(moved), free(rows);
}

static void every_level_projects_as_the_twin_does(void **state) {
    (void)state;
    float *rows = some_rows();
    for (size_t dim = 1; dim <= 33; dim += 8) {
        akin_projection *p;
        assert_int_equal(akin_projection_create(DIM, dim, true, &p), AKIN_OK);
        fill(1, DIM, akin_projection_mean(p));
        fill(2, DIM * dim, akin_projection_axes(p));
        FOR_EACH_LEVEL(level) {
            double out[33];
            akin_projection_apply(p, rows, out);
            for (size_t d = 0; d < dim; d++) {
                double twin = 0;
                for (size_t r = 0; r < DIM; r++)
                    twin += ((double)rows[r] - (double)akin_projection_mean(p)[r]) *
                            (double)akin_projection_axes(p)[r * dim + d];
                assert_true(fabs(twin - out[d]) < 1e-9);
            }
        }
        akin_projection_free(p);
    }
    akin_projection *centre;
    double out[DIM];
    assert_int_equal(akin_projection_create(DIM, DIM, false, &centre), AKIN_OK);
    fill(1, DIM, akin_projection_mean(centre));
    akin_projection_apply(centre, rows, out);
    for (size_t d = 0; d < DIM; d++) assert_true(out[d] == (double)rows[d] - (double)number(1, d));
    assert_null(akin_projection_axes(centre));
    akin_projection_free(centre);
    free(rows);
}

/* Rows on an ellipse lie along its axes, relative to its centre; eigenvalues are the shares of
 * variance of the axes; equal rows lie in one point. */
static void rows_in_one_memory_have_their_axes(void **state) {
    (void)state;
    enum { N = 300, WIDE = 37 };
    static float rows[N * WIDE];
    akin_projection *p;
    double variance, at[2];
    assert_int_equal(akin_projection_create(WIDE, 2, true, &p), AKIN_OK);
    for (size_t i = 0; i < N; i++) { /* along the 4th column, and between the 8th and the 9th */
        double turn = 6.283185307179586 * (double)i / N;
        for (size_t t = 0; t < WIDE; t++) rows[i * WIDE + t] = 5;
        rows[i * WIDE + 3] += (float)(3 * cos(turn));
        rows[i * WIDE + 7] += (float)(sin(turn) / sqrt(2));
        rows[i * WIDE + 8] += (float)(sin(turn) / sqrt(2));
    }
    assert_int_equal(akin_projection_fit_whole(p, rows, N, &variance), AKIN_OK);
    for (size_t t = 0; t < WIDE; t++) assert_true(fabsf(akin_projection_mean(p)[t] - 5) < 1e-5F);
    memset(akin_projection_mean(p), 0, WIDE * sizeof(float)); /* the rows have lost it */
    for (size_t i = 0; i < N; i++) {
        double turn = 6.283185307179586 * (double)i / N;
        akin_projection_apply(p, rows + i * WIDE, at);
        assert_true(fabs(at[0] - 3 * cos(turn)) < 1e-5 && fabs(at[1] - sin(turn)) < 1e-5);
    }
    assert_true(fabs(akin_projection_eigenvalues(p)[0] / variance - 0.9) < 1e-5);
    assert_true(fabs(akin_projection_eigenvalues(p)[1] / variance - 0.1) < 1e-5);
    for (size_t i = 0; i < N * WIDE; i++) rows[i] = (float)(i % WIDE);
    assert_int_equal(akin_projection_fit_whole(p, rows, N, &variance), AKIN_OK);
    akin_projection_apply(p, rows, at);
    assert_true(variance == 0);
    for (size_t t = 0; t < WIDE; t++) assert_true(rows[t] == 0);
    akin_projection_free(p);
}

int main(void) {
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covariance_is_that_of_the_twin),
        cmocka_unit_test(covariance_is_the_same_whoever_has_the_blocks),
        cmocka_unit_test(what_is_not_finite_is_refused),
        cmocka_unit_test(eigenvectors_are_what_they_say),
        cmocka_unit_test(projected_rows_have_the_covariance_that_is_asked_for),
        cmocka_unit_test(few_or_equal_rows_have_few_axes),
        cmocka_unit_test(few_rows_have_the_axes_of_their_covariance),
        cmocka_unit_test(steady_axes_solve_both_equations),
        cmocka_unit_test(rows_in_one_memory_have_their_axes),
        cmocka_unit_test(every_level_projects_as_the_twin_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
