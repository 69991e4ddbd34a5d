/* dot: at every level of this CPU, scores have the same bits as the naive twin's, in either order
 * of the rows, and all products are within their bound of the exact ones. */
#include "levels.h"
#include "naive_neighbors.h"
#include <akin/dot.h>
#include <akin/rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PANEL = 48, LARGEST = 2048 };

static float rows_a[LARGEST * PANEL] __attribute__((aligned(64)));
static float rows_b[LARGEST * PANEL] __attribute__((aligned(64)));

static const size_t dims[] = {1, 2, 3, 5, 16, 31, 32, 33, 64, 100, 513, LARGEST};
enum { DIMS = sizeof dims / sizeof *dims };

/* Unit rows; every third near the first one, so that scores are close to each other and to 1. */
static void fill_rows(float *rows, uint32_t stream, size_t dim) {
    size_t stride = akin_dot_stride(dim);
    memset(rows, 0, PANEL * stride * sizeof *rows);
    for (size_t i = 0; i < PANEL; i++) {
        double length = 0, row[LARGEST];
        for (size_t t = 0; t < dim; t++) {
            double noise = akin_rng_normal(1, AKIN_RNG_TEST, stream, i * LARGEST + t);
            double centre = akin_rng_normal(1, AKIN_RNG_TEST, 1000, t);
            row[t] = i % 3 == 0 ? centre + 1e-4 * noise : noise;
            if (i % 7 == 1 && t > 0) row[t] *= 1e-38; /* subnormal products */
            length += row[t] * row[t];
        }
        for (size_t t = 0; t < dim; t++) rows[i * stride + t] = (float)(row[t] / sqrt(length));
    }
}

static long double exact_product(const float *a, const float *b, size_t dim) {
    long double exact = 0;
    for (size_t t = 0; t < dim; t++) exact += (long double)a[t] * b[t];
    return exact;
}

static void check_scores(size_t dim) {
    size_t stride = akin_dot_stride(dim);
    akin_dot_hit hits[PANEL];
    float scores[PANEL], turned[PANEL], products[PANEL];
    for (size_t shift = 0; shift < PANEL; shift += 5) {
        akin_dot_hit back[PANEL];
        for (size_t i = 0; i < PANEL; i++) {
            hits[i] = (akin_dot_hit){(uint16_t)i, (uint16_t)((i + shift) % PANEL)};
            back[i] = (akin_dot_hit){hits[i].column, hits[i].row};
        }
        akin_dot()->pairs(rows_a, rows_b, stride, hits, PANEL, scores);
        akin_dot()->pairs(rows_b, rows_a, stride, back, PANEL, turned);
        akin_dot()->one_many(rows_a + shift * stride, rows_b, stride, PANEL - shift % 9, products);
        for (size_t i = 0; i < PANEL; i++) {
            const float *a = rows_a + i * stride, *b = rows_b + hits[i].column * stride;
            float naive = naive_product(a, b, dim);
            assert_memory_equal(&scores[i], &naive, sizeof naive);
            assert_memory_equal(&turned[i], &naive, sizeof naive);
            assert_true(fabsl(exact_product(a, b, dim) - scores[i]) <= akin_dot_bound(dim));
        }
        for (size_t i = 0; i < PANEL - shift % 9; i++) {
            long double exact = exact_product(rows_a + shift * stride, rows_b + i * stride, dim);
            assert_true(fabsl(exact - products[i]) <= akin_dot_bound(dim));
        }
    }
}

static void scores_are_the_naive_bits(void **unused) {
    (void)unused;
    FOR_EACH_LEVEL(level)
    for (size_t d = 0; d < DIMS; d++) {
        fill_rows(rows_a, 1, dims[d]);
        fill_rows(rows_b, 2, dims[d]);
        check_scores(dims[d]);
    }
}

/* The error is as large as possible if each step rounds in the same direction: all products are
 * equal, and sums are just above a power of two. */
static void bound_holds_where_rounding_piles_up(void **unused) {
    (void)unused;
    float worst = 0;
    for (size_t trial = 0; trial < 200; trial++) {
        size_t dim = dims[trial % DIMS];
        double length = 0;
        for (size_t t = 0; t < dim; t++) {
            double value =
                1 + (double)trial * 1e-3 * akin_rng_uniform(5, AKIN_RNG_TEST, (uint32_t)trial, t);
            rows_a[t] = (float)value;
            length += value * value;
        }
        long double exact = 0;
        for (size_t t = 0; t < dim; t++) {
            float value = rows_a[t] = (float)(rows_a[t] / sqrt(length));
            exact += (long double)value * value;
        }
        float error = (float)fabsl(exact - naive_product(rows_a, rows_a, dim));
        assert_true(error <= akin_dot_bound(dim));
        worst = fmaxf(worst, error / (float)akin_dot_bound(dim));
    }
    assert_true(worst > 0.005f); /* the test reaches large errors */
}

static void values_are_counted(void **unused) {
    (void)unused;
    FOR_EACH_LEVEL(level)
    for (size_t count = 0; count < 70; count++) {
        size_t expected = 0;
        for (size_t i = 0; i < count; i++) {
            rows_a[i] = (float)(i * 7 % 11) / 8;
            expected += i * 7 % 11 >= 4;
        }
        assert_int_equal(akin_dot()->at_least(rows_a, count, 0.5f), expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_the_naive_bits),
        cmocka_unit_test(bound_holds_where_rounding_piles_up),
        cmocka_unit_test(values_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
