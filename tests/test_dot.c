/* dot: at every level that this CPU has, the tile finds exactly the pairs that the naive twin finds, with the same
 * bits; a score is the same whichever row comes first; and the chain is within its bound of the exact product. */
#include "levels.h"
#include <akin/dot.h>
#include <akin/rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PANEL = AKIN_DOT_PANEL, LARGEST = 2048 };

static float panel_a[LARGEST * PANEL] __attribute__((aligned(64)));
static float panel_b[LARGEST * PANEL] __attribute__((aligned(64)));
static akin_dot_hit hits[AKIN_DOT_HITS];

static const size_t dims[] = {1, 2, 3, 5, 16, 31, 32, 33, 64, 100, 513, LARGEST};
enum { DIMS = sizeof dims / sizeof *dims };

/* The naive twin: the header's formula, in the C library's fused multiply-add. */
static float chain(const float *a, const float *b, size_t dim) {
    float sum = 0;
    for (size_t t = 0; t < dim; t++) sum = fmaf(a[t * PANEL], b[t * PANEL], sum);
    return sum;
}

/* Unit rows; every third near the first one, so that scores are close to each other and to 1. */
static void fill_panel(float *panel, uint32_t stream, size_t dim) {
    for (size_t i = 0; i < PANEL; i++) {
        double length = 0, row[LARGEST];
        for (size_t t = 0; t < dim; t++) {
            double noise = akin_rng_normal(1, AKIN_RNG_TEST, stream, i * LARGEST + t);
            double centre = akin_rng_normal(1, AKIN_RNG_TEST, 1000, t);
            row[t] = i % 3 == 0 ? centre + 1e-4 * noise : noise;
            if (i % 7 == 1 && t > 0) row[t] *= 1e-38; /* subnormal products */
            length += row[t] * row[t];
        }
        for (size_t t = 0; t < dim; t++) panel[t * PANEL + i] = (float)(row[t] / sqrt(length));
    }
}

static void at_every_level(void (*check)(const akin_dot_kernels *dot, size_t dim)) {
    FOR_EACH_LEVEL(level)
    for (size_t d = 0; d < DIMS; d++) {
        fill_panel(panel_a, 1, dims[d]);
        fill_panel(panel_b, 2, dims[d]);
        check(akin_dot(), dims[d]);
    }
}

static void set_all(float *least, float value) {
    for (size_t i = 0; i < PANEL; i++) least[i] = value;
}

static void scores_are_the_naive_bits(const akin_dot_kernels *dot, size_t dim) {
    float all[PANEL];
    unsigned char seen[PANEL][PANEL] = {0};
    set_all(all, -INFINITY);
    assert_int_equal(dot->panels(panel_a, panel_b, dim, all, all, hits), AKIN_DOT_HITS);
    for (size_t h = 0; h < AKIN_DOT_HITS; h++) {
        size_t i = hits[h].row, j = hits[h].column;
        float naive = chain(panel_a + i, panel_b + j, dim), turned = chain(panel_b + j, panel_a + i, dim);
        assert_memory_equal(&hits[h].score, &naive, sizeof naive);
        assert_memory_equal(&turned, &naive, sizeof naive);
        assert_int_equal(seen[i][j]++, 0);
    }
}

/* Thresholds that are scores themselves: >= takes that pair, and one step above does not. */
static void thresholds_are_exact(const akin_dot_kernels *dot, size_t dim) {
    static float naive[PANEL][PANEL];
    for (size_t i = 0; i < PANEL; i++)
        for (size_t j = 0; j < PANEL; j++) naive[i][j] = chain(panel_a + i, panel_b + j, dim);
    for (uint64_t trial = 0; trial < 40; trial++) {
        float a_least[PANEL], b_least[PANEL];
        for (uint64_t i = 0; i < PANEL; i++) {
            uint64_t bits = akin_rng_bits(3, AKIN_RNG_TEST, (uint32_t)trial, i);
            a_least[i] = naive[i][bits % PANEL], b_least[i] = naive[(bits >> 8) % PANEL][i];
            if (bits & 1 << 16) a_least[i] = nextafterf(a_least[i], INFINITY);
            if (bits & 1 << 17) b_least[i] = nextafterf(b_least[i], INFINITY);
            if (trial % 4 > 0 && (bits >> 18) % 16 > 0) a_least[i] = INFINITY; /* few hits, as is usual */
            if (trial % 4 > 1 && (bits >> 22) % 16 > 0) b_least[i] = INFINITY;
        }
        size_t count = dot->panels(panel_a, panel_b, dim, a_least, b_least, hits), expected = 0;
        for (size_t i = 0; i < PANEL; i++)
            for (size_t j = 0; j < PANEL; j++) expected += naive[i][j] >= a_least[i] || naive[i][j] >= b_least[j];
        assert_int_equal(count, expected);
        for (size_t h = 0; h < count; h++) {
            size_t i = hits[h].row, j = hits[h].column;
            assert_memory_equal(&hits[h].score, &naive[i][j], sizeof(float));
            assert_true(naive[i][j] >= a_least[i] || naive[i][j] >= b_least[j]);
        }
    }
}

static void chain_is_within_its_bound(const akin_dot_kernels *dot, size_t dim) {
    float all[PANEL];
    set_all(all, -INFINITY);
    size_t count = dot->panels(panel_a, panel_b, dim, all, all, hits);
    for (size_t h = 0; h < count; h++) {
        long double exact = 0;
        for (size_t t = 0; t < dim; t++)
            exact += (long double)panel_a[t * PANEL + hits[h].row] * panel_b[t * PANEL + hits[h].column];
        assert_true(fabsl(exact - hits[h].score) <= akin_dot_bound(dim));
    }
}

/* The error grows as far as it can when each step rounds the same way: all products alike, sums just above a power. */
static void bound_holds_where_rounding_piles_up(void **unused) {
    (void)unused;
    float worst = 0;
    for (size_t trial = 0; trial < 200; trial++) {
        size_t dim = dims[trial % DIMS];
        double length = 0;
        for (size_t t = 0; t < dim; t++) {
            double value = 1 + (double)trial * 1e-3 * akin_rng_uniform(5, AKIN_RNG_TEST, (uint32_t)trial, t);
            panel_a[t * PANEL] = (float)value;
            length += value * value;
        }
        long double exact = 0;
        for (size_t t = 0; t < dim; t++) {
            float value = panel_a[t * PANEL] = (float)(panel_a[t * PANEL] / sqrt(length));
            exact += (long double)value * value;
        }
        float error = (float)fabsl(exact - chain(panel_a, panel_a, dim));
        assert_true(error <= akin_dot_bound(dim));
        worst = fmaxf(worst, error / (float)akin_dot_bound(dim));
    }
    assert_true(worst > 0.02f); /* the trial does try */
}

static void scores(void **unused) {
    (void)unused;
    at_every_level(scores_are_the_naive_bits);
}

static void thresholds(void **unused) {
    (void)unused;
    at_every_level(thresholds_are_exact);
}

static void bound(void **unused) {
    (void)unused;
    at_every_level(chain_is_within_its_bound);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores),
        cmocka_unit_test(thresholds),
        cmocka_unit_test(bound),
        cmocka_unit_test(bound_holds_where_rounding_piles_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
