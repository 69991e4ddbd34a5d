/* Laws of the optimiser's step: equal to a naive twin in double precision over many steps and odd
 * counts; zero gradients change nothing; an element does not depend on its neighbours. At every
 * level of this CPU. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"
#include "train/adam.h"

enum { ROOM = 1200 };
static float weights[ROOM], gradient[ROOM], mean[ROOM], variance[ROOM];
static double twin_weights[ROOM], twin_mean[ROOM], twin_variance[ROOM];
static const double RATE = 1e-2, BETA1 = 0.9, BETA2 = 0.999, EPS = 1e-8;
static const akin_adam_params params = {1e-2, 0.9, 0.999, 1e-8};

/* Algorithm 1 of Kingma & Ba, literally. */
static void twin_step(size_t count, uint64_t step) {
    for (size_t i = 0; i < count; i++) {
        double g = gradient[i];
        twin_mean[i] = BETA1 * twin_mean[i] + (1 - BETA1) * g;
        twin_variance[i] = BETA2 * twin_variance[i] + (1 - BETA2) * g * g;
        double m = twin_mean[i] / (1 - pow(BETA1, (double)step)),
               v = twin_variance[i] / (1 - pow(BETA2, (double)step));
        twin_weights[i] -= RATE * m / (sqrt(v) + EPS);
    }
}

static void start(void) {
    fill(1, ROOM, weights);
    memset(mean, 0, sizeof mean);
    memset(variance, 0, sizeof variance);
    memset(twin_mean, 0, sizeof twin_mean);
    memset(twin_variance, 0, sizeof twin_variance);
    for (size_t i = 0; i < ROOM; i++) twin_weights[i] = weights[i];
}

static void test_steps(void **state) {
    (void)state;
    static const size_t counts[] = {1, 3, 7, 8, 16, 17, 33, 100, 1001};
    FOR_EACH_LEVEL(level) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            const size_t n = counts[k];
            start();
            for (uint64_t step = 1; step <= 20; step++) {
                /* Gradients of very different sizes, some of them zero. */
                for (size_t i = 0; i < n; i++)
                    gradient[i] =
                        i % 5 == 4 ? 0 : number((uint32_t)step, i) * powf(10, -(float)(i % 8));
                akin_adam_step(&params, step, n, weights, gradient, mean, variance);
                twin_step(n, step);
            }
            for (size_t i = 0; i < n; i++) {
                assert_true(fabs(weights[i] - twin_weights[i]) < 2e-6);
                assert_true(fabs(mean[i] - twin_mean[i]) <= 1e-6 * powf(10, -(float)(i % 8)));
                assert_true(fabs(variance[i] - twin_variance[i]) <= 2e-6 * twin_variance[i]);
                if (i % 5 == 4) assert_true(weights[i] == number(1, i));
            }
            for (size_t i = n; i < ROOM; i++)
                assert_true(weights[i] == number(1, i) && mean[i] == 0);
        }
    }
}

/* The first step has the size of the rate, whatever the gradient's size; a late step has no bias
 * correction left. */
static void test_correction(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        for (float size = 1e-4F; size < 1e6F; size *= 100) {
            float w = 0, m = 0, v = 0;
            akin_adam_step(&params, 1, 1, &w, &size, &m, &v);
            assert_true(fabs(w + RATE) < 1e-3 * RATE);
        }
        float w = 0, g = 2, m = 2, v = 4;
        akin_adam_step(&params, 100000000, 1, &w, &g, &m, &v);
        assert_true(fabs(w + RATE) < 1e-6 * RATE);
    }
}

/* Decaying values end as zero, not as denormal numbers. */
static void test_mean_fades(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        start();
        fill(2, ROOM, gradient);
        akin_adam_step(&params, 1, ROOM, weights, gradient, mean, variance);
        memset(gradient, 0, sizeof gradient);
        for (uint64_t step = 2; step < 1000; step++) {
            akin_adam_step(&params, step, ROOM, weights, gradient, mean, variance);
            for (size_t i = 0; i < ROOM; i += 100)
                assert_int_not_equal(fpclassify(mean[i]), FP_SUBNORMAL);
        }
        for (size_t i = 0; i < ROOM; i++) assert_true(mean[i] == 0);
    }
}

static void test_element_stands_alone(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        start();
        fill(2, ROOM, gradient);
        for (uint64_t step = 1; step <= 3; step++)
            akin_adam_step(&params, step, ROOM, weights, gradient, mean, variance);
        for (size_t i = 0; i < ROOM; i += 7) {
            float w = number(1, i), m = 0, v = 0;
            for (uint64_t step = 1; step <= 3; step++)
                akin_adam_step(&params, step, 1, &w, gradient + i, &m, &v);
            assert_true(w == weights[i] && m == mean[i] && v == variance[i]);
        }
    }
}

static void test_not_a_number_shows(void **state) {
    (void)state;
    FOR_EACH_LEVEL(level) {
        start();
        fill(2, ROOM, gradient);
        gradient[11] = NAN;
        akin_adam_step(&params, 1, ROOM, weights, gradient, mean, variance);
        for (size_t i = 0; i < ROOM; i++) assert_int_equal(!!isnan(weights[i]), i == 11);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_correction),
        cmocka_unit_test(test_mean_fades),
        cmocka_unit_test(test_element_stands_alone),
        cmocka_unit_test(test_not_a_number_shows),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
