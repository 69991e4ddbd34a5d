/* thresholds: what is foretold is higher than what is proven, hardly ever too high, and as tight at any
 * number of ranks. */
#include "allpairs/thresholds.h"
#include "naive_neighbors.h"
#include <akin/comm.h>
#include <akin/linalg.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static akin_comm *comm;
static int rank, size;

static const akin_row_rules same = {.rule = {{.kind = AKIN_ROW_RULE_SAME, .values = 99}},
                                    .count = 1,
                                    .slots = 1},
                            different = {.rule = {{.kind = AKIN_ROW_RULE_DIFFERENT, .values = 99}},
                                         .count = 1,
                                         .slots = 1};
static const akin_row_block_rules none = {.min_score = -1},
                                  available = {.min_score = -1, .only_available = true},
                                  group = {.min_score = -1, .exclude_same_group = true},
                                  category = {.min_score = -1, .same_category = true},
                                  one = {.min_score = -1, .more = &same},
                                  other = {.min_score = -1, .more = &different};

/* Every `of`-th row of the catalogue, from `first` on; those of a category stand together. */
static akin_row_block *block_of(const naive_catalogue *c, size_t k, int first, int of,
                                const akin_row_block_rules *rules) {
    akin_row_block *block;
    const size_t step = (size_t)of, from = (size_t)first;
    bool ordered = rules->same_category || rules->more;
    size_t at = 0;
    assert_int_equal(akin_row_block_create(c->n, c->dim, k, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    akin_row_block_begin(block, (c->n - from + step - 1) / step);
    for (int32_t of_category = -1; at < akin_row_block_count(block); of_category++)
        for (size_t i = from; i < c->n; i += step)
            if (ordered ? c->items[i].category == of_category : of_category == -1)
                akin_row_block_set(block, at++, c->items[i], c->rows + i * c->dim);
    akin_row_block_ready(block, rules);
    return block;
}

static float asked(const akin_row_block *block, size_t i) {
    return akin_row_block_view(block, i / AKIN_ROW_BLOCK_PANEL).least[i % AKIN_ROW_BLOCK_PANEL];
}

typedef struct {
    double distance; /* 1 - what the rows of all ranks ask for, in the mean */
    int64_t wrong;   /* of a hundred rows, how many ask for too much */
} outcome;

/* What rows of this block, and of those of the other members, ask for. wrong: whether to
 * count those that ask for too much. */
static outcome outcome_of(akin_comm *members, const naive_catalogue *c, akin_row_block *block,
                          const akin_row_block_rules *rules, bool wrong) {
    const size_t k = akin_row_block_k(block);
    uint64_t *expected = malloc(k * sizeof *expected);
    int64_t sums[3] = {0}; /* rows, wrong ones, distances in 2^-20 */
    for (size_t i = 0; i < akin_row_block_count(block); i += 37) {
        if (asked(block, i) > 2) continue; /* it takes nothing */
        sums[0]++;
        sums[2] += (int64_t)ldexp(1 - fmax((double)asked(block, i), -1), 20);
        if (!wrong) continue;
        naive_list(c, rules, NULL, (size_t)akin_row_block_items(block)[i].row, k, expected);
        sums[1] += akin_topk_bar(akin_row_block_list(block, i)) > expected[k - 1];
        assert_true(isinf(akin_row_block_view(block, 0).least[0]) ==
                    (asked(block, 0) > 2)); /* they do not rest */
    }
    akin_comm_sum_i64(members, sums, 3);
    free(expected);
    return (outcome){ldexp((double)sums[2], -20) / (double)sums[0], 100 * sums[1] / sums[0]};
}

static outcome foretold(akin_comm *members, const naive_catalogue *c, size_t k,
                        const akin_row_block_rules *rules, bool wrong) {
    const int first = akin_comm_rank(members), of = akin_comm_size(members);
    akin_row_block *block = block_of(c, k, first, of, rules);
    akin_thresholds_place place = {c->n, 0, false};
    for (int r = 0; r < first; r++)
        place.before += (c->n - (size_t)r + (size_t)of - 1) / (size_t)of;
    assert_int_equal(akin_thresholds_foretell(members, block, place, rules), AKIN_OK);
    outcome out = outcome_of(members, c, block, rules, wrong);
    akin_row_block_free(block);
    return out;
}

static outcome proven(const naive_catalogue *c, size_t k, const akin_row_block_rules *rules) {
    akin_row_block *block = block_of(c, k, rank, size, rules), *all = block_of(c, k, 0, 1, rules);
    assert_int_equal(akin_thresholds_prove(block, all, rules), AKIN_OK);
    outcome out = outcome_of(comm, c, block, rules, false);
    akin_row_block_free(all);
    akin_row_block_free(block);
    return out;
}

static void check(int kind, size_t n, size_t dim, size_t k, const akin_row_block_rules *rules) {
    naive_catalogue c = naive_create(kind, 5, n, dim);
    for (size_t i = 0; i < n; i++) c.items[i].values.value[0] = c.items[i].category;
    outcome sure = proven(&c, k, rules), hoped = foretold(comm, &c, k, rules, true);
    assert_true(hoped.wrong <= 5);
    outcome alone = foretold(akin_comm_alone(comm), &c, k, rules, false);
    const bool apart = rules->same_category || rules->more != NULL, random = kind == NAIVE_RANDOM;
    /* where each block foretells for itself, few rows of a category and clusters tell it little */
    if (!apart || (random && k == 20)) {
        const double most = random && k == 20 && !apart ? 1.03 : 1.25;
        assert_true(hoped.distance < sure.distance);
        assert_true(hoped.distance < most * alone.distance);
    }
    naive_free(&c);
}

static const size_t sizes[][2] = {
    {3000, 5}, {3000, 20}, {9000, 5}}; /* of the last, the sample is less than 1/8 */

static void what_is_foretold_is_hardly_ever_too_much(void **unused) {
    (void)unused;
    const akin_row_block_rules *const rules[] = {&none,     &available, &group,
                                                 &category, &one,       &other};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t r = 0; r < (s == 0 ? 6 : 4); r++)
            for (int kind = 0; kind <= NAIVE_CLUSTERED; kind++)
                check(kind, sizes[s][0], 12, sizes[s][1], rules[r]);
}

/* Of long rows the sketches tell which of a sample are scored; near ones differ by less than they err. */
static void so_too_of_long_rows(void **unused) {
    (void)unused;
    const akin_row_block_rules *const rules[] = {&none, &available, &group};
    for (size_t r = 0; r < 3; r++)
        for (int kind = 0; kind <= NAIVE_CLUSTERED; kind++) check(kind, 3000, 130, 5, rules[r]);
}

/* Some ranks have no rows, or fewer than a list. */
static void few_rows_are_left_alone(void **unused) {
    (void)unused;
    for (size_t n = 1; n < 60; n += 19) {
        naive_catalogue c = naive_create(NAIVE_RANDOM, 5, n, 12);
        akin_row_block *block = block_of(&c, 5, rank < (int)n ? rank : 0, size, &none);
        akin_thresholds_place place = {n, 0, false};
        for (int r = 0; r < rank; r++)
            place.before += r < (int)n ? (n - (size_t)r + (size_t)size - 1) / (size_t)size : 0;
        assert_int_equal(akin_thresholds_foretell(comm, block, place, &none), AKIN_OK);
        for (size_t i = 0; i < akin_row_block_count(block); i++) assert_true(asked(block, i) <= -1);
        akin_row_block_free(block);
        naive_free(&c);
    }
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    rank = akin_comm_rank(comm), size = akin_comm_size(comm);
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_foretold_is_hardly_ever_too_much),
                                       cmocka_unit_test(so_too_of_long_rows),
                                       cmocka_unit_test(few_rows_are_left_alone)};
    int failed =
        akin_linalg_start() == AKIN_OK ? cmocka_run_group_tests(tests, NULL, NULL) : EXIT_FAILURE;
    akin_comm_finish(comm);
    return failed;
}
