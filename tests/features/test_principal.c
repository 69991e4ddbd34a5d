/* The principal axes: finds the axes of rows that lie on an ellipse; no direction has more variance
 * than the first; the two are uncorrelated and centred; rows that are all alike lie in one point;
 * the same rows give the same bits. */
#include <akin/principal.h>
#include <akin/rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 300, DIM = 37 };

static double turn(size_t i) {
    return 6.283185307179586 * (double)i / N;
}

static void an_ellipse(void **state) {
    (void)state;
    static float rows[N * DIM];
    static double at[N * 2];
    double explained[2];
    for (size_t i = 0; i < N;
         i++) { /* along the 4th axis and between the 8th and 9th, away from the middle */
        for (size_t t = 0; t < DIM; t++) rows[i * DIM + t] = 5;
        rows[i * DIM + 3] += (float)(3 * cos(turn(i)));
        rows[i * DIM + 7] += (float)(sin(turn(i)) / sqrt(2));
        rows[i * DIM + 8] += (float)(sin(turn(i)) / sqrt(2));
    }
    assert_int_equal(akin_principal(rows, N, DIM, at, explained), AKIN_OK);
    for (size_t i = 0; i < N; i++) {
        assert_true(fabs(at[2 * i] - 3 * cos(turn(i))) < 1e-5);
        assert_true(fabs(at[2 * i + 1] - sin(turn(i))) < 1e-5);
    }
    assert_true(fabs(explained[0] - 0.9) < 1e-5 && fabs(explained[1] - 0.1) < 1e-5);
}

static double variance_along(const float *rows, const double *direction) {
    double mean = 0, sum = 0, along[N];
    for (size_t i = 0; i < N; i++) {
        along[i] = 0;
        for (size_t t = 0; t < DIM; t++) along[i] += (double)rows[i * DIM + t] * direction[t];
        mean += along[i] / N;
    }
    for (size_t i = 0; i < N; i++) sum += (along[i] - mean) * (along[i] - mean);
    return sum;
}

static void no_direction_is_longer(void **state) {
    (void)state;
    static float rows[N * DIM];
    static double at[N * 2], again[N * 2];
    double explained[2], direction[DIM], mean[2] = {0}, square[2] = {0}, mixed = 0;
    for (size_t i = 0; i < N * DIM; i++)
        rows[i] = (float)(akin_rng_normal(1, AKIN_RNG_TEST, 0, i) * (1 + (double)(i % DIM) / DIM));
    assert_int_equal(akin_principal(rows, N, DIM, at, explained), AKIN_OK);
    for (size_t i = 0; i < N; i++)
        for (int a = 0; a < 2; a++) {
            mean[a] += at[2 * i + (size_t)a] / N;
            square[a] += at[2 * i + (size_t)a] * at[2 * i + (size_t)a];
        }
    for (size_t i = 0; i < N; i++) mixed += at[2 * i] * at[2 * i + 1];
    assert_true(fabs(mean[0]) < 1e-9 && fabs(mean[1]) < 1e-9);
    assert_true(square[0] >= square[1] && fabs(mixed) < 0.05 * square[1]);
    assert_true(explained[0] >= explained[1] && explained[1] > 0 &&
                explained[0] + explained[1] < 1);
    for (uint32_t d = 0; d < 200; d++) {
        double length = 0;
        for (size_t t = 0; t < DIM; t++) direction[t] = akin_rng_normal(2, AKIN_RNG_TEST, d, t);
        for (size_t t = 0; t < DIM; t++) length += direction[t] * direction[t];
        assert_true(variance_along(rows, direction) / length <= square[0] * (1 + 1e-9));
    }
    assert_int_equal(akin_principal(rows, N, DIM, again, explained), AKIN_OK);
    assert_memory_equal(at, again, sizeof at);
}

static void all_alike(void **state) {
    (void)state;
    float rows[3 * 2] = {1, 2, 1, 2, 1, 2};
    double at[6], explained[2];
    assert_int_equal(akin_principal(rows, 3, 2, at, explained), AKIN_OK);
    for (int i = 0; i < 6; i++) assert_true(at[i] == 0);
    assert_true(explained[0] == 0 && explained[1] == 0);
    assert_int_equal(akin_principal(rows, 1, 2, at, explained), AKIN_OK);
    assert_true(at[0] == 0 && at[1] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_ellipse),
                                       cmocka_unit_test(no_direction_is_longer),
                                       cmocka_unit_test(all_alike)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
