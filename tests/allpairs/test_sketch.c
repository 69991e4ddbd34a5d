/* sketch: the error of 8 bits is within the bound, even for rows constructed to break it; sums fit
 * into 16 bits; no score is above what the cones allow. */
#include "levels.h"
#include "naive_neighbors.h"
#include <akin/dot.h>
#include <akin/rng.h>
#include <akin/sketch.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PANEL = AKIN_SKETCH_PANEL, LARGEST = 2048, KINDS = 8, PARTS = LARGEST / 64 };

typedef struct {
    float rows[PANEL * LARGEST], centre[LARGEST]; /* first: aligned */
    uint8_t as_rows[PANEL * LARGEST];
    int8_t as_columns[PANEL * LARGEST];
    int16_t wrap[PARTS * PANEL];
    int32_t sums[PANEL];
    akin_sketch sketch;
    size_t dim, stride, count;
} panel;

static const akin_sketch_format formats[] = {{63, 64, 2, true, false},
                                             {63, 64, 4, true, false},
                                             {127, 128, 4, false, false},
                                             {127, 128, 4, false, true}};
static akin_sketch_format format; /* of the current test */

static panel a __attribute__((aligned(64))), b __attribute__((aligned(64)));

/* A normal number. Those of the panels of all kinds, formats and dimensions are drawn once: drawing
 * them each time takes nine tenths of the test. */
static double normal(uint32_t stream, size_t at) {
    static const uint32_t kept_streams[] = {1, 2, 500, 601, 602};
    static double kept[sizeof kept_streams / sizeof *kept_streams]
                      [PANEL * LARGEST]; /* 0: not yet */
    for (size_t s = 0; s < sizeof kept_streams / sizeof *kept_streams; s++) {
        if (kept_streams[s] != stream) continue;
        if (kept[s][at] == 0) kept[s][at] = akin_rng_normal(7, AKIN_RNG_TEST, stream, at);
        return kept[s][at];
    }
    return akin_rng_normal(7, AKIN_RNG_TEST, stream, at);
}

/* Random; near one; all the same; in one axis each; one large number among small ones; opposite;
 * flat in a few places; near one of their panel's own. */
static double value(int kind, uint32_t stream, size_t i, size_t t) {
    if (kind == 3) return t == i % 5;
    double shared = kind == 1 || kind == 2 || kind == 5 ? normal(500, t) : 0;
    if (kind == 2) return shared;
    double noise = normal(stream, i * LARGEST + t);
    switch (kind) {
    case 1: return shared + 0.1 * noise;
    case 4: return t == i % 3 ? 30 : 0.3 * noise;
    case 5: return (i % 2 ? 1 : -1) * (shared + 1e-5 * noise);
    case 6: return t / 4 % 2 == 0 ? (noise > 0 ? 1 : -1) : 0;
    case 7: return normal(600 + stream, t) + 0.1 * noise;
    default: return noise;
    }
}

static void set_row(panel *p, size_t i, const double *row) {
    double length = 0;
    for (size_t t = 0; t < p->dim; t++) length += row[t] * row[t];
    for (size_t t = 0; t < p->stride; t++)
        p->rows[i * p->stride + t] = t < p->dim ? (float)(row[t] / sqrt(length)) + 0.0f : 0;
}

static void make(panel *p) {
    static double taken[PANEL * LARGEST], centre[LARGEST];
    akin_sketch_mean(p->rows, p->count, p->stride, 0.5, p->centre);
    akin_sketch_cone(p->rows, p->count, p->stride, p->dim, p->centre, &p->sketch);
    akin_sketch_take(p->rows, p->count, p->stride, taken);
    akin_sketch_take(p->centre, 1, p->stride, centre);
    akin_sketch_rows(format, taken, p->count, p->stride, p->sketch.inverse > 0 ? centre : NULL,
                     p->as_rows, &p->sketch);
    const akin_sketch_panel columns = {p->as_columns, p->wrap, p->sums};
    akin_sketch_columns(format, taken, p->count, p->stride, &columns, &p->sketch);
}

static void fill_panel(panel *p, int kind, uint32_t stream, size_t dim, size_t count) {
    double row[LARGEST];
    p->dim = dim, p->stride = akin_dot_stride(dim), p->count = count;
    for (size_t i = 0; i < count; i++) {
        for (size_t t = 0; t < dim; t++) row[t] = value(kind, stream, i, t);
        if (dim < 5 && (kind == 3 || kind == 4)) row[i % dim] = 1;
        set_row(p, i, row);
    }
    make(p);
}

static int quantised(const panel *p, bool as_rows, size_t i, size_t t) {
    return as_rows ? p->as_rows[akin_sketch_row_place(format, p->stride, i, t)] - format.offset
                   : p->as_columns[akin_sketch_column_place(format, i, t)];
}

/* x by the matrix that turns rows, or by its inverse: both are the product of a symmetric matrix and signs. */
static void turn(size_t stride, bool back, const double *x, double *out) {
    const size_t eights = akin_sketch_turned(stride), together = eights > 1 ? 8 * eights : 1;
    for (size_t t = 0; t < stride; t++) {
        size_t block = t / together * together, i = t - block;
        out[t] = 0;
        for (size_t j = 0; j < together; j++) {
            const size_t u = block + j, signed_at = back ? t : u;
            bool minus = together > 1 && signed_at * signed_at * AKIN_SKETCH_SIGNS >> 63;
            out[t] += (__builtin_parityll(i & j) != minus ? -1 : 1) * x[u] / sqrt((double)together);
        }
    }
}

/* The share of the margin that the pair uses: the error of the estimate over the bound without the
 * float32 part. */
static double used(size_t i, size_t j) {
    long double exact = 0, centre = 0, product = 0;
    for (size_t t = 0; t < a.stride; t++) {
        exact += (long double)a.rows[i * a.stride + t] * b.rows[j * a.stride + t];
        centre += (long double)a.centre[t] * b.rows[j * a.stride + t];
        product += quantised(&a, true, i, t) * quantised(&b, false, j, t);
    }
    long double estimate =
        centre + product / ((long double)a.sketch.row_scale * b.sketch.column_scale);
    double rest = 2 * akin_dot_bound(a.dim) + 0x1p-19;
    return (double)fabsl(exact - estimate) /
           ((double)akin_sketch_margin(&a.sketch, &b.sketch, a.dim) - rest);
}

static void check_parts(const panel *p) {
    size_t group = akin_sketch_group(format), half = (size_t)format.together / 2;
    for (size_t i = 0; i < PANEL; i++) {
        int32_t squares[2][PARTS] = {{0}}, sum[PARTS] = {0};
        for (size_t t = 0; t < p->stride; t++) {
            int row = i < p->count ? quantised(p, true, i, t) : 0,
                column = quantised(p, false, i, t);
            size_t part = t / group * half + t % (size_t)format.together / 2;
            assert_true(abs(row) <= format.row_limit && abs(column) < 128);
            squares[0][part] += row * row, squares[1][part] += column * column, sum[part] += column;
        }
        for (size_t part = 0; part < akin_sketch_parts(format, p->stride); part++) {
            int16_t wrapped = p->wrap[(part / half * PANEL + i) * half + part % half];
            assert_true(!format.narrow ||
                        (squares[0][part] <= 128 * 128 && squares[1][part] <= 255 * 255));
            assert_int_equal((uint16_t)wrapped, (uint16_t)(-format.offset * sum[part]));
        }
    }
}

/* Both panels, and every eighth pair of every `rows`-th row. */
static void check_errors(size_t rows) {
    check_parts(&a);
    check_parts(&b);
    for (size_t i = 0; i < a.count; i += rows)
        for (size_t j = i % 8; j < b.count; j += 8) assert_true(used(i, j) <= 1);
}

static const size_t dims[] = {2, 5, 32, 100, 512, LARGEST};

static void errors_are_within_the_bound(void **which) {
    format = *(const akin_sketch_format *)*which;
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++)
        for (int kind = 0; kind < KINDS * KINDS; kind++) {
            fill_panel(&a, kind / KINDS, 1, dims[d], 1 + (size_t)kind % PANEL);
            fill_panel(&b, kind % KINDS, 2, dims[d], PANEL - (size_t)kind % 5);
            check_errors(1);
        }
}

/* The same at every level, with fewer rows: an emulated CPU is slow. */
static void errors_are_so_at_every_level(void **which) {
    format = *(const akin_sketch_format *)*which;
    size_t tried = 0;
    FOR_EACH_LEVEL(level)
    for (int kind = 0; kind < KINDS; kind++, tried++) {
        fill_panel(&a, kind, 1, dims[1 + kind % 3], kind % 2 ? 5 : PANEL);
        fill_panel(&b, (kind + 1) % KINDS, 2, dims[1 + kind % 3], PANEL - (size_t)kind);
        check_errors(3);
    }
    assert_true(tried > 0);
}

/* Columns that point in the direction of a row's rounding error, where the error is largest. */
static void the_bound_cannot_be_broken(void **which) {
    format = *(const akin_sketch_format *)*which;
    double worst = 0;
    for (uint32_t trial = 0; trial < 30; trial++) {
        double row[LARGEST], x[LARGEST], rest[LARGEST];
        fill_panel(&a, (int)(trial % 2), 10 + trial, dims[trial % 5], PANEL);
        fill_panel(&b, 0, 90 + trial, dims[trial % 5], PANEL);
        for (size_t j = 0; j < PANEL; j++) {
            for (size_t t = 0; t < a.stride; t++)
                x[t] = (double)a.rows[j * a.stride + t] - a.centre[t];
            turn(a.stride, false, x, rest);
            for (size_t t = 0; t < a.stride; t++)
                rest[t] = (rest[t] - quantised(&a, true, j, t) / (double)a.sketch.row_scale) *
                          (trial % 3 ? 1 : -1);
            turn(a.stride, true, rest, row);
            set_row(&b, j, row);
        }
        make(&b);
        for (size_t j = 0; j < PANEL; j++) {
            double share = used(j, j);
            assert_true(share <= 1);
            worst = share > worst ? share : worst;
        }
    }
    assert_true(worst > 0.5); /* the test reaches large errors */
}

static void no_score_is_above_the_cones(void **unused) {
    (void)unused;
    size_t told = 0;
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++)
        for (int kind = 0; kind < KINDS * KINDS; kind++) {
            float product;
            fill_panel(&a, kind / KINDS, 1, dims[d], PANEL);
            fill_panel(&b, kind % KINDS, 1 + (uint32_t)kind % 2, dims[d], PANEL);
            akin_dot()->one_many(a.centre, b.centre, a.stride, 1, &product);
            float bound = akin_sketch_cones(&a.sketch, &b.sketch, product);
            told += bound < 1;
            for (size_t i = 0; i < PANEL; i++)
                for (size_t j = i % 7; j < PANEL; j += 7)
                    assert_true(naive_product(a.rows + i * a.stride, b.rows + j * a.stride,
                                              a.dim) <= bound);
        }
    assert_true(told > 20); /* some pairs are ruled out */
}

int main(void) {
    const struct CMUnitTest levels[] = {
        cmocka_unit_test_prestate(errors_are_so_at_every_level, (void *)(uintptr_t)&formats[0]),
        cmocka_unit_test_prestate(errors_are_so_at_every_level, (void *)(uintptr_t)&formats[1]),
        cmocka_unit_test_prestate(errors_are_so_at_every_level, (void *)(uintptr_t)&formats[2]),
        cmocka_unit_test_prestate(errors_are_so_at_every_level, (void *)(uintptr_t)&formats[3]),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(errors_are_within_the_bound, (void *)(uintptr_t)&formats[0]),
        cmocka_unit_test_prestate(errors_are_within_the_bound, (void *)(uintptr_t)&formats[1]),
        cmocka_unit_test_prestate(errors_are_within_the_bound, (void *)(uintptr_t)&formats[2]),
        cmocka_unit_test_prestate(errors_are_within_the_bound, (void *)(uintptr_t)&formats[3]),
        cmocka_unit_test_prestate(the_bound_cannot_be_broken, (void *)(uintptr_t)&formats[0]),
        cmocka_unit_test_prestate(the_bound_cannot_be_broken, (void *)(uintptr_t)&formats[1]),
        cmocka_unit_test_prestate(the_bound_cannot_be_broken, (void *)(uintptr_t)&formats[2]),
        cmocka_unit_test_prestate(the_bound_cannot_be_broken, (void *)(uintptr_t)&formats[3]),
        cmocka_unit_test(no_score_is_above_the_cones),
    };
    int failed = cmocka_run_group_tests_name("levels", levels, NULL, NULL);
    if (getenv("AKIN_TEST_CPU")) return failed; /* only what follows from the bound */
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
