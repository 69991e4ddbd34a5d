/* Partitioning rows, at 1, 2, 3 and 4 ranks: every row that can be a neighbour of another one is in
 * exactly one block, with its labels and its bits. The sizes of blocks differ by at most one row
 * per rank, and blocks have their share of every category if categories are kept apart. Rows that
 * cannot meet any other are left out. Lists return to the shard that has their row. */
#include "allpairs/partition.h"
#include "naive_vectors.h"
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static akin_comm *comm;
static int rank, size;

/* Rows that are zero and therefore not usable. */
static bool is_zero(size_t row) {
    return row % 13 == 4;
}

static naive_catalogue catalogue(size_t n, size_t dim) {
    naive_catalogue c = naive_create(NAIVE_CLUSTERED, (uint32_t)n, n, dim);
    for (size_t i = 0; i < n; i++)
        if (is_zero(i)) memset(c.rows + i * dim, 0, dim * sizeof *c.rows);
    return c;
}

/* Whether the rules let the row have neighbours, or be one. */
static bool is_dealt(const naive_catalogue *c, const akin_row_block_rules *rules, size_t i) {
    return !is_zero(i) && !(rules->same_category && c->items[i].category < 0);
}

static void check_blocks(const naive_catalogue *c, const akin_row_block_rules *rules,
                         const akin_row_block *own, const size_t *counts) {
    int64_t *seen = calloc(c->n, sizeof *seen);
    int64_t of_category[NAIVE_CATEGORIES] = {0}, all = 0;
    size_t least = counts[0], most = counts[0];
    for (size_t i = 0; i < akin_row_block_count(own); i++) {
        const akin_row_block_item *item = &akin_row_block_items(own)[i];
        const akin_row_block_item *expected = &c->items[item->row];
        seen[item->row]++;
        assert_int_equal(item->category, expected->category);
        assert_int_equal(item->group, expected->group);
        assert_int_equal(item->available, expected->available);
        assert_memory_equal(akin_row_block_row(own, i), c->rows + (size_t)item->row * c->dim,
                            c->dim * sizeof(float));
        if (item->category >= 0) of_category[item->category]++;
    }
    assert_int_equal(akin_row_block_count(own), counts[rank]);
    for (int r = 0; r < size; r++) {
        least = counts[r] < least ? counts[r] : least;
        most = counts[r] > most ? counts[r] : most;
        all += (int64_t)counts[r];
    }
    assert_true(
        most - least <=
        (size_t)size); /* every rank partitions its own shard: one row more or less per rank */
    akin_comm_sum_i64(comm, seen, c->n);
    for (size_t i = 0; i < c->n; i++) {
        assert_int_equal(seen[i], is_dealt(c, rules, i));
        all -= seen[i];
    }
    assert_int_equal(all, 0);
    for (int k = 0; rules->same_category && k < NAIVE_CATEGORIES; k++) {
        int64_t total = of_category[k];
        akin_comm_sum_i64(comm, &total, 1);
        /* every rank partitions the rows of its shard, so a block may miss its share by one per
         * rank */
        assert_true(of_category[k] <= total / size + size && of_category[k] >= total / size - size);
    }
    free(seen);
}

/* Gives every list a key that only its row can have. */
static void check_home(const naive_catalogue *c, const akin_row_block_rules *rules,
                       const akin_vectors *vectors, akin_row_block **own, size_t k) {
    uint64_t *lists = NULL;
    for (size_t i = 0; i < akin_row_block_count(*own); i++) {
        uint64_t *list = akin_row_block_list(*own, i);
        int32_t row = akin_row_block_items(*own)[i].row;
        for (size_t e = 0; e < k; e++) akin_topk_push(list, k, akin_topk_key(0.5f, row + (int)e));
        akin_topk_sort(list, k);
    }
    assert_int_equal(akin_partition_home(comm, vectors, k, own, &lists), AKIN_OK);
    assert_null(*own);
    for (size_t i = 0; i < akin_vectors_count(vectors); i++) {
        size_t row = akin_vectors_first(vectors) + i;
        for (size_t e = 0; e < k; e++)
            assert_int_equal(lists[i * k + e],
                             is_dealt(c, rules, row) ? akin_topk_key(0.5f, (int32_t)(row + e)) : 0);
    }
    akin_mem_free(lists);
}

static void every_row_is_dealt_once_and_its_list_comes_home(void **unused) {
    (void)unused;
    static const size_t sizes[][3] = {{1, 3, 2}, {2, 5, 1}, {5, 4, 3}, {97, 8, 4}, {1200, 16, 7}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t r = 0; r < NAIVE_RULES; r++) {
            const akin_row_block_rules *rules = &naive_rules[r];
            const akin_allpairs_table table = {.k = sizes[s][2], .rules = rules};
            naive_catalogue c = catalogue(sizes[s][0], sizes[s][1]);
            akin_vectors *vectors = naive_vectors(comm, &c);
            akin_row_block *own = NULL;
            size_t *counts = NULL;
            assert_int_equal(akin_partition_out(comm, vectors, &table, 1, &own, &counts), AKIN_OK);
            check_blocks(&c, rules, own, counts);
            check_home(&c, rules, vectors, &own, sizes[s][2]);
            akin_mem_free(counts);
            akin_vectors_free(vectors);
            naive_free(&c);
        }
}

/* What was known before moves with its row: the initial lists. */
static void lists_of_before_go_with_their_rows(void **unused) {
    (void)unused;
    enum { N = 300, DIM = 6, K = 5 };
    const akin_row_block_rules rules = {.min_score = -1, .again = true};
    naive_catalogue c = catalogue(N, DIM);
    akin_vectors *vectors = naive_vectors(comm, &c);
    akin_row_block *own = NULL;
    size_t *counts = NULL, count = akin_vectors_count(vectors);
    uint64_t *lists = calloc(count * K + 1, sizeof *lists), sorted[K * 2];
    for (size_t i = 0; i < count; i++)
        lists[i * K] = akin_topk_key(0.25f, (int32_t)((akin_vectors_first(vectors) + i + 1) % N));
    const akin_partition_prior prior = {.lists = lists};
    const akin_allpairs_table table = {.k = K, .rules = &rules, .prior = &prior};
    assert_int_equal(akin_partition_out(comm, vectors, &table, 1, &own, &counts), AKIN_OK);
    for (size_t i = 0; i < akin_row_block_count(own); i++) {
        int32_t row = akin_row_block_items(own)[i].row;
        memcpy(sorted, akin_row_block_list(own, i), akin_topk_words(K) * sizeof *sorted);
        akin_topk_sort(sorted, K);
        assert_int_equal(sorted[0], akin_topk_key(0.25f, (row + 1) % N));
        assert_int_equal(sorted[1], 0);
    }
    akin_row_block_free(own);
    akin_mem_free(counts);
    free(lists);
    akin_vectors_free(vectors);
    naive_free(&c);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    rank = akin_comm_rank(comm), size = akin_comm_size(comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_dealt_once_and_its_list_comes_home),
        cmocka_unit_test(lists_of_before_go_with_their_rows),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
