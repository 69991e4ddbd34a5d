/* thresholds: what a row requires by proof is reached by k others, so its list stays what it
 * is, and is no more than a little below what the sample can tell. */
#include "allpairs/thresholds.h"
#include "levels.h"
#include "naive_neighbors.h"
#include <akin/linalg.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static akin_row_block *block_of(const naive_catalogue *c, size_t k,
                                const akin_row_block_rules *rules) {
    akin_row_block *block;
    assert_int_equal(akin_row_block_create(c->n, c->dim, k, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    akin_row_block_begin(block, c->n);
    size_t at = 0;
    bool ordered = rules->same_category || rules->more;
    for (int32_t category = -1; at < c->n; category++) /* those of one stand together */
        for (size_t i = 0; i < c->n; i++)
            if (!ordered ? category == -1 : c->items[i].category == category)
                akin_row_block_set(block, at++, c->items[i], c->rows + i * c->dim);
    akin_row_block_ready(block, rules);
    return block;
}

/* Rules of a slot that holds the category. */
static const akin_row_rules same = {.rule = {{.kind = AKIN_ROW_RULE_SAME, .values = 99}},
                                    .count = 1,
                                    .slots = 1},
                            different = {.rule = {{.kind = AKIN_ROW_RULE_DIFFERENT, .values = 99}},
                                         .count = 1,
                                         .slots = 1};

/* The catalogue with the category as the value of slot 0. */
static naive_catalogue create(int kind, uint32_t seed, size_t n, size_t dim) {
    naive_catalogue c = naive_create(kind, seed, n, dim);
    for (size_t i = 0; i < n; i++) c.items[i].values.value[0] = c.items[i].category;
    return c;
}

static float asked(const akin_row_block *block, size_t i) {
    return akin_row_block_view(block, i / AKIN_ROW_BLOCK_PANEL).least[i % AKIN_ROW_BLOCK_PANEL];
}

static void check(int kind, size_t n, size_t dim, size_t k, const akin_row_block_rules *rules,
                  bool raises) {
    naive_catalogue c = create(kind, (uint32_t)(n + dim), n, dim);
    akin_row_block *block = block_of(&c, k, rules);
    uint64_t *expected = malloc(k * sizeof *expected);
    size_t raised = 0;
    assert_int_equal(akin_thresholds_prove(block, block, rules), AKIN_OK);
    for (size_t i = 0; i < n; i++) {
        bool higher = asked(block, i) > rules->min_score &&
                      asked(block, i) < 2; /* infinity: it takes nothing */
        raised += higher;
        if (!higher || i % 7 != 0) continue;
        naive_list(&c, rules, NULL, (size_t)akin_row_block_items(block)[i].row, k, expected);
        assert_true(expected[k - 1] > akin_topk_bar(akin_row_block_list(block, i)));
        assert_true(akin_topk_score(expected[k - 1]) >= asked(block, i) ||
                    akin_topk_score(expected[k - 1]) == 1);
    }
    assert_true(raises ? raised > n / 2 : raised == 0);
    free(expected);
    akin_row_block_free(block);
    naive_free(&c);
}

static const akin_row_block_rules none = {.min_score = -1};

static void lists_stay_what_they_are(void **unused) {
    (void)unused;
    const akin_row_block_rules available = {.min_score = -1, .only_available = true};
    const akin_row_block_rules category = {
        .min_score = -1, .same_category = true, .only_available = true};
    const akin_row_block_rules group = {.min_score = -1, .exclude_same_group = true};
    const akin_row_block_rules one = {.min_score = -1, .more = &same},
                               other = {
                                   .min_score = -1, .more = &different, .only_available = true};
    static const float offset[1] = {0}; /* those of the items are 0 */
    const akin_row_rules boosted = {.offset = offset};
    const akin_row_block_rules added = {.min_score = -1, .more = &boosted};
    FOR_EACH_LEVEL(level)
    for (int kind = 0; kind < NAIVE_KINDS; kind++) {
        check(kind, 900, 16, 5, &added, true);
        check(kind, 1500, 32, 5, &none, true);
        check(kind, 200, 16, 3, &none, true); /* enough to prove, too few to foretell */
        check(kind, 1500, 7, 40, &none, true);
        check(kind, 900, 100, 20, &available, true);
        check(kind, 2000, 32, 5, &category, true);
        check(kind, 1500, 16, 5, &group, true);
        check(kind, 2000, 32, 5, &one, true);
        check(kind, 1500, 32, 5, &other, true);
    }
}

/* Rows of one block against a sample of another. */
static void rows_of_another_block_too(void **unused) {
    (void)unused;
    enum { N = 1600, SOME = 50, K = 5 };
    for (int rule = 0; rule < 3; rule++) {
        const akin_row_block_rules rules = {
            .min_score = -1, .same_category = rule == 1, .more = rule == 2 ? &same : NULL};
        naive_catalogue c = create(NAIVE_RANDOM, 8, N, 16), few = c;
        few.n = SOME;
        akin_row_block *among = block_of(&c, K, &rules), *block = block_of(&few, K, &rules);
        uint64_t expected[K];
        size_t raised = 0;
        assert_int_equal(akin_thresholds_prove(block, among, &rules), AKIN_OK);
        for (size_t i = 0; i < SOME; i++) {
            if (asked(block, i) <= -1 || asked(block, i) > 2) continue;
            naive_list(&c, &rules, NULL, (size_t)akin_row_block_items(block)[i].row, K, expected);
            assert_true(akin_topk_score(expected[K - 1]) >= asked(block, i));
            raised++;
        }
        assert_true(raised > SOME / 2);
        akin_row_block_free(block);
        akin_row_block_free(among);
        naive_free(&c);
    }
}

static void what_does_not_pay_is_left_alone(void **unused) {
    (void)unused;
    static const akin_topk_limits limits;
    const akin_row_rules limited = {.limits = &limits};
    const akin_row_block_rules few = {.min_score = -1, .more = &limited};
    check(NAIVE_RANDOM, 1500, 16, 5, &few, false);
    check(NAIVE_RANDOM, 100, 16, 5, &none, false); /* it does not pay */
}

/* In two dimensions scores are cosines of angles, so the best of a sample are known. */
static void thresholds_are_tight(void **unused) {
    (void)unused;
    enum { N = 3200, K = 4 };
    naive_catalogue c = naive_create(NAIVE_RANDOM, 1, N, 2);
    akin_row_block *block = block_of(&c, K, &none);
    assert_int_equal(akin_thresholds_prove(block, block, &none), AKIN_OK);
    double sum = 0;
    for (size_t i = 0; i < N; i++) {
        assert_true(asked(block, i) > 0.8f);
        sum += (double)asked(block, i);
    }
    assert_true(sum / N > 0.985);
    akin_row_block_free(block);
    naive_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_stay_what_they_are), cmocka_unit_test(rows_of_another_block_too),
        cmocka_unit_test(what_does_not_pay_is_left_alone), cmocka_unit_test(thresholds_are_tight)};
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
