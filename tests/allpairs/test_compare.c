/* compare: comparing blocks gives the naive lists bit for bit, however rows are divided into
 * blocks, at every level and with a model of a matrix unit, whose state is restored each time. */
#include "naive_neighbors.h"
#include "tile_model.h"
#include <akin/compare.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { PARTS = 3 };

/* Rows i with i % PARTS == part, in that order, so that parts have different sizes. */
static akin_row_block *part_of(const naive_catalogue *c, size_t part, size_t k,
                               const akin_row_block_rules *rules) {
    akin_row_block *block;
    size_t count = (c->n + PARTS - 1 - part) / PARTS;
    assert_int_equal(
        akin_row_block_create(count + part * 50, c->dim, k, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    akin_row_block_begin(block, count);
    for (size_t i = 0; i < count; i++)
        akin_row_block_set(block, i, c->items[i * PARTS + part],
                           c->rows + (i * PARTS + part) * c->dim);
    akin_row_block_ready(block, rules);
    return block;
}

/* Copies a block as messages do, into a block that had other contents. */
static akin_row_block *copy_of(akin_row_block *block, const naive_catalogue *c, size_t k,
                               const akin_row_block_rules *rules) {
    akin_row_block *copy;
    size_t count = akin_row_block_count(block);
    assert_int_equal(akin_row_block_create(count + 7, c->dim, k, AKIN_ROW_BLOCK_BOTH, &copy),
                     AKIN_OK);
    akin_row_block_begin(copy, count);
    memcpy(akin_row_block_body(copy), akin_row_block_body(block),
           akin_row_block_body_size(count, c->dim));
    memcpy(akin_row_block_lists(copy), akin_row_block_lists(block),
           akin_row_block_lists_size(count, k));
    akin_row_block_ready(copy, rules);
    akin_row_block_free(block);
    return copy;
}

/* Rows spread around one direction, so that panels have means. */
static void draw_together(naive_catalogue *c) {
    for (size_t i = 0; i < c->n; i++) {
        float *row = c->rows + i * c->dim;
        double length = 0;
        row[0] += 2;
        for (size_t t = 0; t < c->dim; t++) length += (double)row[t] * row[t];
        for (size_t t = 0; t < c->dim; t++) row[t] = (float)(row[t] / sqrt(length));
    }
}

static void check(int kind, size_t n, size_t dim, size_t k, const akin_row_block_rules *rules,
                  bool together) {
    naive_catalogue c = naive_create(kind, (uint32_t)(n + dim + k), n, dim);
    if (together) draw_together(&c);
    akin_row_block *parts[PARTS];
    akin_compare *compare;
    uint64_t *expected = malloc(k * sizeof *expected);
    assert_int_equal(akin_compare_create(rules, &compare), AKIN_OK);
    for (size_t p = 0; p < PARTS; p++) parts[p] = part_of(&c, p, k, rules);
    for (size_t p = 0; p < PARTS; p++) akin_compare_itself(compare, parts[p]);
    for (size_t p = 0; p < PARTS; p++)
        for (size_t q = p; q < PARTS; q++) {
            size_t panels = akin_row_block_panels(parts[q]), half = panels / 2;
            akin_compare_panels(compare, parts[p], 0, akin_row_block_panels(parts[p]), parts[q],
                                half, panels);
            akin_compare_panels(compare, parts[p], 0, akin_row_block_panels(parts[p]), parts[q], 0,
                                half);
            if (p != q) parts[q] = copy_of(parts[q], &c, k, rules);
        }
    for (size_t i = 0; i < n; i++) {
        uint64_t *list = akin_row_block_list(parts[i % PARTS], i / PARTS);
        akin_topk_sort(list, k);
        naive_list(&c, rules, NULL, i, k, expected);
        for (size_t e = 0; e < k; e++)
            if (list[e] != expected[e])
                fail_msg("kind %d, %zu x %zu, k %zu, row %zu, entry %zu: row %d score %.9g, not "
                         "row %d score %.9g",
                         kind, n, dim, k, i, e, (int)akin_topk_row(list[e]),
                         (double)akin_topk_score(list[e]), (int)akin_topk_row(expected[e]),
                         (double)akin_topk_score(expected[e]));
    }
    for (size_t p = 0; p < PARTS; p++) akin_row_block_free(parts[p]);
    akin_compare_free(compare);
    free(expected);
    naive_free(&c);
}

static void lists_are_the_naive_ones(void **unused) {
    (void)unused;
    static const size_t sizes[][3] = {
        {1, 2, 1}, {3, 5, 2}, {50, 3, 60}, {300, 8, 5}, {400, 33, 20}};
#ifdef __SANITIZE_ADDRESS__ /* the plain model of a matrix unit would take minutes for more */
    const size_t tried = 3;
#else
    const size_t tried = sizeof sizes / sizeof *sizes;
#endif
    FOR_EACH_TILE(level)
    for (int kind = 0; kind < NAIVE_KINDS; kind++)
        for (size_t s = 0; s < tried; s++)
            for (size_t r = 0; r < NAIVE_RULES; r++)
                check(kind, sizes[s][0], sizes[s][1], sizes[s][2], &naive_rules[r], false);
    FOR_EACH_TILE(level) /* means are multiplied with each other */
    check(NAIVE_RANDOM, (size_t)48 * 5 * PARTS, 129, 5, &naive_rules[0], true);
    assert_true(tile_model_configured > 0);
    assert_int_equal(tile_model_configured, tile_model_released);
}

/* A block with itself, with more panels of columns than are viewed at once; some of its rows' lists. */
static void check_large(size_t dim, bool together) {
    enum { N = 48 * 165 + 5, K = 3, EVERY = 97 };
    static const akin_row_block_rules rules = {.min_score = -1};
    naive_catalogue c = naive_create(NAIVE_RANDOM, (uint32_t)dim, N, dim);
    akin_row_block *block;
    akin_compare *compare;
    uint64_t expected[K];
    if (together) draw_together(&c);
    assert_int_equal(akin_row_block_create(N, dim, K, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    assert_int_equal(akin_compare_create(&rules, &compare), AKIN_OK);
    akin_row_block_begin(block, N);
    for (size_t i = 0; i < N; i++) akin_row_block_set(block, i, c.items[i], c.rows + i * dim);
    akin_row_block_ready(block, &rules);
    akin_compare_itself(compare, block);
    akin_compare_panels(compare, block, 0, akin_row_block_panels(block), block, 0,
                        akin_row_block_panels(block));
    for (size_t i = 0; i < N; i += EVERY) {
        uint64_t *list = akin_row_block_list(block, i);
        akin_topk_sort(list, K);
        naive_list(&c, &rules, NULL, i, K, expected);
        assert_memory_equal(list, expected, sizeof expected);
    }
    akin_compare_free(compare);
    akin_row_block_free(block);
    naive_free(&c);
}

static void columns_may_be_many(void **unused) {
    (void)unused;
    check_large(6, false);
    check_large(129, true);
    akin_tile_replace(&akin_tile_kernels_v1_model);
    check_large(6, false);
    akin_tile_replace(NULL);
}

static double computed(const naive_catalogue *c, const akin_row_block_rules *rules) {
    akin_row_block *block;
    akin_compare *compare;
    assert_int_equal(akin_row_block_create(c->n, c->dim, 3, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    assert_int_equal(akin_compare_create(rules, &compare), AKIN_OK);
    akin_row_block_begin(block, c->n);
    for (size_t i = 0; i < c->n; i++)
        akin_row_block_set(block, i, c->items[i], c->rows + i * c->dim);
    akin_row_block_ready(block, rules);
    akin_compare_itself(compare, block);
    akin_compare_panels(compare, block, 0, akin_row_block_panels(block), block, 0,
                        akin_row_block_panels(block));
    double pairs = akin_compare_figures_of(compare).computed;
    akin_compare_free(compare);
    akin_row_block_free(block);
    return pairs;
}

/* Panels of different categories are not compared: the work is proportional to the sum of squares.
 * Neither are panels that a layer marks as done, nor, if rows lie in distant groups, panels whose
 * cones are too far apart. */
static void what_cannot_be_saves_work(void **unused) {
    (void)unused;
    enum { N = 960, PARTS_OF = N / 96 };
    naive_catalogue c = naive_create(NAIVE_RANDOM, 1, N, 4);
    akin_row_block_rules rules = {.same_category = true, .min_score = -1};
    const uint8_t done[4] = {1, 0, 0, 0};
    for (size_t i = 0; i < N; i++)
        c.items[i].category = (int32_t)(i / 96), c.items[i].label[0] = i >= N / 2;
    assert_true(computed(&c, &rules) <= PARTS_OF * 96 * 95);
    assert_true(computed(&c, &rules) > 0);
    rules = (akin_row_block_rules){.min_score = 1, .layers = 1, .layer = {{2, done}}};
    assert_true(computed(&c, &rules) <= N * (N - 1.) - N / 2 * (N / 2 - 1.));
    naive_free(&c);
    c = naive_create(NAIVE_CLUSTERED, 1, N, 16);
    for (size_t i = 0; i < N; i++) /* five groups, one after the other */
        for (size_t t = 0; t < 16; t++)
            c.rows[i * 16 + t] = (float)(t == i / 192) + (t > 5 ? 1e-3f * (float)(i % 7) : 0);
    rules = (akin_row_block_rules){.min_score = -1};
    assert_true(computed(&c, &rules) < N * N / 4.);
    naive_free(&c);
}

/* A layer excludes exactly the pairs that it marks as done, and an entry that was there before is
 * not added twice. */
static void layers_leave_out_what_is_done(void **unused) {
    (void)unused;
    enum { N = 300, DIM = 8, K = 12, LABELS = 3 };
    static const uint8_t done[LABELS * LABELS] = {1, 0, 1, 0, 0, 0, 1, 0, 0};
    naive_catalogue c = naive_create(NAIVE_RANDOM, 4, N, DIM);
    akin_row_block_rules all = {.min_score = -1}, rules = {.min_score = -1,
                                                           .again = true,
                                                           .layers = 1,
                                                           .layer = {{LABELS, done}}};
    akin_compare *compare;
    akin_row_block *block;
    assert_int_equal(akin_row_block_create(N, DIM, K, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    assert_int_equal(akin_compare_create(&rules, &compare), AKIN_OK);
    akin_row_block_begin(block, N);
    for (size_t i = 0; i < N; i++) c.items[i].label[0] = (int32_t)(i / 100);
    for (size_t i = 0; i < N; i++) akin_row_block_set(block, i, c.items[i], c.rows + i * DIM);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) /* what was done, and some pairs that were not */
            if (i != j && (done[i / 100 * LABELS + j / 100] || (i + j) % 3 == 0))
                akin_topk_push(akin_row_block_list(block, i), K,
                               akin_topk_key(naive_score(&c, i, j), (int32_t)j));
    akin_row_block_ready(block, &rules);
    akin_compare_itself(compare, block);
    akin_compare_panels(compare, block, 0, akin_row_block_panels(block), block, 0,
                        akin_row_block_panels(block));
    for (size_t i = 0; i < N; i++) {
        uint64_t expected[K];
        naive_list(&c, &all, NULL, i, K, expected);
        akin_topk_sort(akin_row_block_list(block, i), K);
        assert_memory_equal(akin_row_block_list(block, i), expected, sizeof expected);
    }
    akin_compare_free(compare);
    akin_row_block_free(block);
    naive_free(&c);
}

static void each_allocation_can_fail(void **unused) {
    (void)unused;
    akin_row_block *block;
    for (uint64_t nth = 1; nth <= 15; nth++) {
        akin_mem_fail_at(nth);
        assert_int_equal(akin_row_block_create(10, 4, 3, AKIN_ROW_BLOCK_BOTH, &block), AKIN_FAILED);
        assert_null(block);
    }
    akin_mem_fail_at(0);
    assert_int_equal(akin_row_block_create(SIZE_MAX / 4, 4, 3, AKIN_ROW_BLOCK_BOTH, &block),
                     AKIN_FAILED);
}

int main(void) {
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_the_naive_ones),
        cmocka_unit_test(columns_may_be_many),
        cmocka_unit_test(what_cannot_be_saves_work),
        cmocka_unit_test(layers_leave_out_what_is_done),
        cmocka_unit_test(each_allocation_can_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
