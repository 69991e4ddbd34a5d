/* leading: blocks whose rows are divided get the naive lists bit for bit, for several tables at once and at
 * every level without a matrix unit; hits that wait are dropped once lists require more. */
#include "allpairs/pending.h"
#include "leading_rows.h"
#include "levels.h"
#include "naive_neighbors.h"
#include <akin/compare.h>
#include <akin/dot.h>
#include <akin/linalg.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PARTS = 2, K = 7, WAITING = 2048 /* hits, at most, before a batch of them is settled */ };

/* A block of every PARTS-th row, from `part` on, with a table for each of the rules. */
static akin_row_block *block_of(const naive_catalogue *c, size_t part, const akin_leading *l,
                                const akin_row_block_rules *const *rules, int tables) {
    akin_row_block *block;
    const size_t count = (c->n - part + PARTS - 1) / PARTS;
    assert_int_equal(akin_row_block_create(count, c->dim, K, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    assert_int_equal(akin_row_block_lead(block, l), AKIN_OK);
    for (int t = 1; t < tables; t++) assert_int_equal(akin_row_block_add_table(block, K), AKIN_OK);
    akin_row_block_begin(block, count);
    for (int t = 0; t < tables; t++) {
        akin_row_block *table = akin_row_block_table(block, t);
        for (size_t i = 0; i < count; i++) {
            const size_t from = i * PARTS + part;
            akin_row_block_set(table, i, c->items[from], t == 0 ? c->rows + from * c->dim : NULL);
        }
        akin_row_block_ready(table, rules[t]);
    }
    return block;
}

static void check_block(akin_row_block *block, int tables, uint64_t *const *expected) {
    for (int t = 0; t < tables; t++) {
        akin_row_block *table = akin_row_block_table(block, t);
        for (size_t i = 0; i < akin_row_block_count(block); i++) {
            uint64_t *list = akin_row_block_list(table, i);
            const size_t row = (size_t)akin_row_block_items(table)[i].row;
            akin_topk_sort(list, K);
            if (memcmp(list, expected[t] + row * K, K * sizeof *list) != 0)
                fail_msg("table %d, row %zu: not the naive list", t, row);
        }
    }
}

/* Two blocks, each with itself and with the other; how many pairs were scored. */
static double check(const naive_catalogue *c, const akin_leading *l,
                    const akin_row_block_rules *const *rules, int tables,
                    uint64_t *const *expected) {
    akin_row_block *parts[PARTS];
    akin_compare *compare;
    assert_int_equal(akin_compare_create_tables(rules, tables, &compare), AKIN_OK);
    for (size_t p = 0; p < PARTS; p++) parts[p] = block_of(c, p, l, rules, tables);
    for (size_t p = 0; p < PARTS; p++) akin_compare_itself(compare, parts[p]);
    for (size_t p = 0; p < PARTS; p++)
        for (size_t q = p; q < PARTS; q++)
            akin_compare_panels(compare, parts[p], 0, akin_row_block_panels(parts[p]), parts[q], 0,
                                akin_row_block_panels(parts[q]));
    for (size_t p = 0; p < PARTS; p++) {
        check_block(parts[p], tables, expected);
        akin_row_block_free(parts[p]);
    }
    const double scored = akin_compare_figures_of(compare).scored;
    akin_compare_free(compare);
    return scored;
}

static uint64_t *naive_lists(const naive_catalogue *c, const akin_row_block_rules *rules) {
    uint64_t *lists = malloc(c->n * K * sizeof *lists);
    for (size_t i = 0; i < c->n; i++) naive_list(c, rules, NULL, i, K, lists + i * K);
    return lists;
}

/* Of one catalogue: each of the rules alone, and tables of all of them. */
static void check_rules(int kind, size_t n, size_t dim, size_t count) {
    const size_t stride = akin_dot_stride(dim);
    naive_catalogue c = naive_create(kind, (uint32_t)(n + dim), n, dim);
    if (kind != NAIVE_TIED) leading_decay(c.rows, n, dim, stride, 150);
    akin_leading *l = leading_of(stride, count);
    const akin_row_block_rules *rules[NAIVE_RULES];
    uint64_t *expected[NAIVE_RULES];
    for (int r = 0; r < NAIVE_RULES; r++)
        rules[r] = &naive_rules[r], expected[r] = naive_lists(&c, rules[r]);
    FOR_EACH_LEADING(level) {
        const double scored = check(&c, l, rules, NAIVE_RULES, expected);
        if (n > 200 && dim >= AKIN_PENDING_MANY_FROM) assert_true(scored > 2 * WAITING);
        for (int r = 0; r < NAIVE_RULES; r += 2) check(&c, l, &rules[r], 1, &expected[r]);
    }
    for (int r = 0; r < NAIVE_RULES; r++) free(expected[r]);
    akin_leading_free(l);
    naive_free(&c);
}

static void lists_are_the_naive_ones(void **unused) {
    (void)unused;
    /* rows, dimensions, of which so many lead: of long ones, hits wait */
    static const size_t sizes[][3] = {
        {1, 256, 128}, {131, 270, 128}, {215, 520, 256}, {230, 576, 128}};
#ifdef __SANITIZE_ADDRESS__ /* tiles are slow there */
    const size_t tried = 2;
#else
    const size_t tried = sizeof sizes / sizeof *sizes;
#endif
    for (int kind = 0; kind < NAIVE_KINDS; kind++)
        for (size_t s = 0; s < tried; s++) check_rules(kind, sizes[s][0], sizes[s][1], sizes[s][2]);
}

/* While the hits of the second tile wait, those of the first raise what the only lists require: hardly any
 * of them is scored. */
static void what_waits_is_dropped_in_time(void **unused) {
    (void)unused;
    enum { DIM = 576, PANEL = AKIN_ROW_BLOCK_PANEL, N = 5 * PANEL, TILE = PANEL * PANEL };
    static const akin_row_block_rules rules = {.min_score = -1};
    naive_catalogue c = naive_create(NAIVE_RANDOM, 3, N, DIM);
    for (size_t i = PANEL; i < 2 * PANEL; i++) /* the second panel is like the first */
        for (size_t t = 0; t < DIM; t++)
            c.rows[i * DIM + t] = c.rows[(i - PANEL) * DIM + t] + 0.1f * c.rows[i * DIM + t];
    leading_decay(c.rows, N, DIM, DIM, 200);
    akin_leading *l = leading_of(DIM, 128);
    FOR_EACH_LEADING(level) {
        akin_row_block *blocks[2];
        akin_compare *compare;
        for (size_t b = 0; b < 2; b++) {
            const size_t first = b == 0 ? 0 : PANEL, count = b == 0 ? PANEL : N - PANEL;
            assert_int_equal(
                akin_row_block_create(count, DIM, b == 0, AKIN_ROW_BLOCK_BOTH, &blocks[b]),
                AKIN_OK);
            assert_int_equal(akin_row_block_lead(blocks[b], l), AKIN_OK);
            akin_row_block_begin(blocks[b], count);
            for (size_t i = 0; i < count; i++)
                akin_row_block_set(blocks[b], i, c.items[first + i], c.rows + (first + i) * DIM);
            akin_row_block_ready(blocks[b], &rules);
        }
        assert_int_equal(akin_compare_create(&rules, &compare), AKIN_OK);
        akin_compare_panels(compare, blocks[0], 0, 1, blocks[1], 0, N / PANEL - 1);
        const double scored = akin_compare_figures_of(compare).scored;
        assert_true(scored >= TILE && scored < TILE + TILE / 2);
        for (size_t i = 0; i < PANEL; i++)
            assert_int_equal(akin_topk_row(akin_row_block_list(blocks[0], i)[2]), PANEL + i);
        akin_compare_free(compare);
        for (int b = 0; b < 2; b++) akin_row_block_free(blocks[b]);
    }
    akin_leading_free(l);
    naive_free(&c);
}

/* More tiles than may wait, nearly all without a hit: few rows are like the one before them, in another panel. */
static void tiles_without_hits_wait_no_longer(void **unused) {
    (void)unused;
    enum { DIM = 512, N = 48 * AKIN_ROW_BLOCK_PANEL, EVERY = 70, APART = 100 };
    static const akin_row_block_rules rules = {.min_score = 0.9f};
    naive_catalogue c = naive_create(NAIVE_RANDOM, 5, N, DIM);
    for (size_t i = APART; i < N; i += EVERY)
        for (size_t t = 0; t < DIM; t++)
            c.rows[i * DIM + t] = c.rows[(i - APART) * DIM + t] + 0.05f * c.rows[i * DIM + t];
    leading_decay(c.rows, N, DIM, DIM, 200);
    uint64_t *expected = naive_lists(&c, &rules);
    akin_leading *l = leading_of(DIM, 256);
    const akin_row_block_rules *only = &rules;
    FOR_EACH_LEADING(level) {
        check(&c, l, &only, 1, &expected);
        check(&c, NULL, &only, 1, &expected);
    }
    size_t found = 0;
    for (size_t i = 0; i < N; i++) found += expected[i * K] != 0;
    assert_true(found >= (N - APART) / EVERY && found < N / 4);
    akin_leading_free(l);
    free(expected);
    naive_free(&c);
}

int main(void) {
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_are_the_naive_ones),
                                       cmocka_unit_test(what_waits_is_dropped_in_time),
                                       cmocka_unit_test(tiles_without_hits_wait_no_longer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
