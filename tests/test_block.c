/* block: comparing blocks gives the naive lists to the bit, however rows are cut into blocks, at every level. */
#include "levels.h"
#include "naive_neighbors.h"
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PARTS = 3 };

/* Rows i with i % PARTS == part, in that order, so that parts differ in size. */
static akin_block *part_of(const naive_catalogue *c, size_t part, size_t k, const akin_block_rules *rules) {
    akin_block *block;
    size_t count = (c->n + PARTS - 1 - part) / PARTS;
    assert_int_equal(akin_block_create(count + part * 50, c->dim, k, &block), AKIN_OK);
    akin_block_begin(block, count);
    for (size_t i = 0; i < count; i++)
        akin_block_set(block, i, c->items[i * PARTS + part], c->rows + (i * PARTS + part) * c->dim);
    akin_block_ready(block, rules);
    return block;
}

/* As the bytes travel: into a block that held something else. */
static akin_block *copy_of(akin_block *block, const naive_catalogue *c, size_t k, const akin_block_rules *rules) {
    akin_block *copy;
    size_t count = akin_block_count(block);
    assert_int_equal(akin_block_create(count + 7, c->dim, k, &copy), AKIN_OK);
    akin_block_begin(copy, count);
    memcpy(akin_block_body(copy), akin_block_body(block), akin_block_body_size(count, c->dim));
    memcpy(akin_block_lists(copy), akin_block_lists(block), akin_block_lists_size(count, k));
    akin_block_ready(copy, rules);
    akin_block_free(block);
    return copy;
}

static void check(int kind, size_t n, size_t dim, size_t k, const akin_block_rules *rules) {
    naive_catalogue c = naive_create(kind, (uint32_t)(n + dim + k), n, dim);
    akin_block *parts[PARTS];
    uint64_t *expected = malloc(k * sizeof *expected);
    for (size_t p = 0; p < PARTS; p++) parts[p] = part_of(&c, p, k, rules);
    for (size_t p = 0; p < PARTS; p++)
        for (size_t q = p; q < PARTS; q++) {
            size_t panels = akin_block_panels(parts[q]), half = panels / 2;
            akin_block_compare(rules, parts[p], 0, akin_block_panels(parts[p]), parts[q], half, panels);
            akin_block_compare(rules, parts[p], 0, akin_block_panels(parts[p]), parts[q], 0, half);
            if (p != q) parts[q] = copy_of(parts[q], &c, k, rules);
        }
    for (size_t i = 0; i < n; i++) {
        uint64_t *list = akin_block_list(parts[i % PARTS], i / PARTS);
        akin_topk_sort(list, k);
        naive_list(&c, rules, NULL, i, k, expected);
        for (size_t e = 0; e < k; e++)
            if (list[e] != expected[e])
                fail_msg("kind %d, %zu x %zu, k %zu, row %zu, entry %zu: row %d score %.9g, not row %d score %.9g",
                         kind, n, dim, k, i, e, (int)akin_topk_row(list[e]), (double)akin_topk_score(list[e]),
                         (int)akin_topk_row(expected[e]), (double)akin_topk_score(expected[e]));
    }
    for (size_t p = 0; p < PARTS; p++) akin_block_free(parts[p]);
    free(expected);
    naive_free(&c);
}

static void lists_are_the_naive_ones(void **unused) {
    (void)unused;
    static const size_t sizes[][3] = {{1, 2, 1}, {3, 5, 2}, {50, 3, 60}, {300, 8, 5}, {400, 33, 20}};
    FOR_EACH_LEVEL(level)
    for (int kind = 0; kind < NAIVE_KINDS; kind++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (size_t r = 0; r < NAIVE_RULES; r++)
                check(kind, sizes[s][0], sizes[s][1], sizes[s][2], &naive_rules[r]);
}

/* Panels of other categories are not scored: the work follows the sum of squares. */
static void rules_save_work(void **unused) {
    (void)unused;
    enum { N = 960 };
    naive_catalogue c = naive_create(NAIVE_RANDOM, 1, N, 4);
    akin_block_rules rules = {.same_category = true, .min_score = -1};
    akin_block *block;
    assert_int_equal(akin_block_create(N, 4, 3, &block), AKIN_OK);
    akin_block_begin(block, N);
    for (size_t i = 0; i < N; i++) {
        c.items[i].category = (int32_t)(i / 96);
        akin_block_set(block, i, c.items[i], c.rows + i * 4);
    }
    akin_block_ready(block, &rules);
    size_t panels = akin_block_panels(block);
    assert_int_equal(akin_block_compare(&rules, block, 0, panels, block, 0, panels), 10 * 3 * 48 * 48);
    akin_block_free(block);
    naive_free(&c);
}

static void each_allocation_can_fail(void **unused) {
    (void)unused;
    akin_block *block;
    for (uint64_t nth = 1; nth <= 5; nth++) {
        akin_mem_fail_at(nth);
        assert_int_equal(akin_block_create(10, 4, 3, &block), AKIN_FAILED);
        assert_null(block);
    }
    akin_mem_fail_at(0);
    assert_int_equal(akin_block_create(SIZE_MAX / 4, 4, 3, &block), AKIN_FAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_the_naive_ones),
        cmocka_unit_test(rules_save_work),
        cmocka_unit_test(each_allocation_can_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
