/* Recomputing at 1, 2, 3 and 4 ranks: lists with a threshold that was too high become the naive
 * ones, with every rule, some lists at a time; other lists stay as they are. */
#include "allpairs/recompute.h"
#include "naive_neighbors.h"
#include <akin/comm.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <akin/shard.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static akin_comm *comm;
static int rank, size;

/* Rows of this rank's shard; if categories are kept apart, rows of one category are next to each
 * other. */
static akin_row_block *block_of(const naive_catalogue *c, size_t k,
                                const akin_row_block_rules *rules) {
    akin_row_block *block;
    size_t first = akin_shard_first(c->n, size, rank), count = akin_shard_count(c->n, size, rank),
           at = 0;
    assert_int_equal(akin_row_block_create(count, c->dim, k, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    akin_row_block_begin(block, count);
    for (int32_t category = -1; at < count; category++)
        for (size_t i = first; i < first + count; i++)
            if (!rules->same_category ? category == -1 : c->items[i].category == category)
                akin_row_block_set(block, at++, c->items[i], c->rows + i * c->dim);
    akin_row_block_ready(block, rules);
    return block;
}

static void check(int kind, size_t n, size_t k, const akin_row_block_rules *rules) {
    naive_catalogue c = naive_create(kind, (uint32_t)n, n, 20);
    akin_row_block *own = block_of(&c, k, rules);
    uint64_t *expected = malloc(k * sizeof *expected);
    double mended = 0;
    int64_t asked = 0;
    for (size_t i = 0; i < akin_row_block_count(own); i++) {
        if (akin_row_block_items(own)[i].row % 3 != 0) continue;
        akin_topk_raise(akin_row_block_list(own, i), akin_topk_key(1, 0) - 1);
        asked++;
    }
    akin_comm_sum_i64(comm, &asked, 1);
    for (size_t left = 1, rounds = 0; left > 0; rounds++) {
        assert_true(rounds <= n);
        assert_int_equal(akin_recompute(comm, rules, own, 1 + n / 5, &left, &mended), AKIN_OK);
    }
    assert_int_equal(mended, asked);
    for (size_t i = 0; i < akin_row_block_count(own); i++) {
        size_t row = (size_t)akin_row_block_items(own)[i].row;
        uint64_t *list = akin_row_block_list(own, i);
        assert_false(akin_topk_broken(list, k));
        akin_topk_sort(list, k);
        memset(expected, 0, k * sizeof *expected);
        if (row % 3 == 0) naive_list(&c, rules, NULL, row, k, expected);
        assert_memory_equal(list, expected, k * sizeof *expected);
    }
    free(expected);
    akin_row_block_free(own);
    naive_free(&c);
}

static void broken_lists_become_the_naive_ones(void **unused) {
    (void)unused;
    static const size_t sizes[][2] = {{1, 1}, {3, 2}, {300, 7}, {900, 20}, {250, 200}};
    for (int kind = 0; kind < NAIVE_KINDS; kind++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (size_t r = 0; r < NAIVE_RULES; r++)
                check(kind, sizes[s][0], sizes[s][1], &naive_rules[r]);
}

static void one_rank_without_memory_ends_all(void **unused) {
    (void)unused;
    naive_catalogue c = naive_create(NAIVE_RANDOM, 1, 100, 4);
    for (int bad = 0; bad < size; bad++)
        for (uint64_t nth = 1; nth <= 11; nth++) {
            size_t left;
            double mended = 0;
            akin_row_block *own = block_of(&c, 3, &naive_rules[0]);
            akin_topk_raise(akin_row_block_list(own, 0), akin_topk_key(1, 0) - 1);
            if (rank == bad) akin_mem_fail_at(nth);
            assert_int_equal(akin_recompute(comm, &naive_rules[0], own, 9, &left, &mended),
                             AKIN_FAILED);
            akin_mem_fail_at(0);
            akin_row_block_free(own);
        }
    naive_free(&c);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    rank = akin_comm_rank(comm), size = akin_comm_size(comm);
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    const struct CMUnitTest tests[] = {cmocka_unit_test(broken_lists_become_the_naive_ones),
                                       cmocka_unit_test(one_rank_without_memory_ends_all)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
