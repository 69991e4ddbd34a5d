/* The neighbour engine at 1, 2, 3 and 4 ranks: its lists are the naive ones bit for bit, for
 * catalogues that are random, clustered, duplicated, tied or almost all equal, with every rule, for
 * k from 1 to more than the number of items, and for fewer items than ranks; and they are close to
 * those of exact arithmetic. A save says what is done. A rank that fails or gets a signal ends the
 * run on all ranks. */
#include "naive_neighbors.h"
#include "neighbors/ring_checkpoint.h"
#include <akin/allpairs.h>
#include <akin/dot.h>
#include <akin/mem.h>
#include <akin/neighbors.h>
#include <akin/shard.h>
#include <akin/vectors.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static akin_comm *comm;
static int rank, size;

static akin_vectors *vectors_of(const naive_catalogue *c) {
    akin_vectors *vectors;
    akin_labels *labels;
    size_t first = akin_shard_first(c->n, size, rank), count = akin_shard_count(c->n, size, rank);
    assert_int_equal(akin_labels_create(count, 8, &labels), AKIN_OK);
    for (size_t i = 0; i < count; i++) {
        akin_labels_category(labels)[i] = c->items[first + i].category;
        akin_labels_group(labels)[i] = c->items[first + i].group;
        akin_labels_available(labels)[i] = (int8_t)c->items[first + i].available;
    }
    assert_int_equal(
        akin_vectors_create(comm, c->n, c->dim, c->rows + first * c->dim, labels, &vectors),
        AKIN_OK);
    return vectors;
}

/* Some rows are zero, NaN or infinite, and cannot be neighbours. */
static uint8_t *spoil(naive_catalogue *c) {
    static const float bad[] = {0, NAN, INFINITY};
    uint8_t *usable = malloc(c->n);
    for (size_t i = 0; i < c->n; i++) {
        usable[i] = i % 11 != 5;
        if (usable[i]) continue;
        for (size_t t = 0; t < c->dim; t++)
            c->rows[i * c->dim + t] = i % 3 == 0 || t == 0 ? bad[i % 3] : 1;
    }
    return usable;
}

static void compare_with_naive(const naive_catalogue *c, const akin_row_block_rules *rules,
                               const uint8_t *usable, size_t k, const uint64_t *lists) {
    size_t first = akin_shard_first(c->n, size, rank), count = akin_shard_count(c->n, size, rank);
    size_t listed = akin_allpairs_list(c->n, k);
    uint64_t *expected = malloc((k + 1) * sizeof *expected);
    for (size_t i = 0; i < count; i++) {
        naive_list(c, rules, usable, first + i, k, expected);
        for (size_t e = 0; e < k; e++) {
            uint64_t got = e < listed ? lists[i * listed + e] : 0;
            if (got != expected[e])
                fail_msg("%zu x %zu, k %zu, row %zu, entry %zu: row %d score %.9g, not row %d "
                         "score %.9g",
                         c->n, c->dim, k, first + i, e, (int)akin_topk_row(got),
                         (double)akin_topk_score(got), (int)akin_topk_row(expected[e]),
                         (double)akin_topk_score(expected[e]));
        }
    }
    free(expected);
}

static akin_status all_pairs(const akin_vectors *vectors, size_t k,
                             const akin_row_block_rules *rules, uint64_t **lists,
                             akin_allpairs_figures *figures) {
    const akin_allpairs_table table = {.k = k, .rules = rules};
    const akin_allpairs_params params = {.table = &table, .tables = 1};
    return akin_allpairs(comm, vectors, &params, lists, figures);
}

static void check(int kind, size_t n, size_t dim, size_t k, const akin_row_block_rules *rules) {
    naive_catalogue c = naive_create(kind, (uint32_t)(n + dim), n, dim);
    uint8_t *usable = spoil(&c);
    uint64_t *lists;
    akin_allpairs_figures figures;
    akin_vectors *vectors = vectors_of(&c);
    size_t unusable = 0;
    for (size_t i = 0; i < n; i++) unusable += !usable[i];
    assert_int_equal(akin_vectors_unusable(vectors), unusable);
    for (size_t i = 0; i < akin_vectors_count(vectors); i++) /* unit rows stay as they are */
        if (usable[akin_vectors_first(vectors) + i])
            assert_memory_equal(akin_vectors_row(vectors, i),
                                c.rows + (akin_vectors_first(vectors) + i) * dim,
                                dim * sizeof(float));
    assert_int_equal(all_pairs(vectors, k, rules, &lists, &figures), AKIN_OK);
    assert_true(figures.seconds >= figures.seconds_waiting && figures.computed >= 0);
    compare_with_naive(&c, rules, usable, k, lists);
    akin_mem_free(lists);
    akin_vectors_free(vectors);
    free(usable);
    naive_free(&c);
}

/* Every rule at once, each with its own k: the lists of each table are also the naive ones. */
static void tables_of_one_pass_are_the_naive_ones(void **unused) {
    (void)unused;
    enum { N = 400, DIM = 9 };
    for (int kind = 0; kind < NAIVE_KINDS; kind++) {
        naive_catalogue c = naive_create(kind, 7, N, DIM);
        uint8_t *usable = spoil(&c);
        akin_vectors *vectors = vectors_of(&c);
        akin_allpairs_table table[AKIN_ROW_BLOCK_TABLES];
        uint64_t *lists[AKIN_ROW_BLOCK_TABLES];
        akin_allpairs_figures figures;
        akin_allpairs_params params = {.table = table};
        for (size_t r = 0; r < NAIVE_RULES && r < AKIN_ROW_BLOCK_TABLES; r++)
            table[params.tables++] =
                (akin_allpairs_table){.k = 3 + 5 * r, .rules = &naive_rules[r]};
        assert_int_equal(akin_allpairs(comm, vectors, &params, lists, &figures), AKIN_OK);
        for (int t = 0; t < params.tables; t++) {
            compare_with_naive(&c, table[t].rules, usable, table[t].k, lists[t]);
            akin_mem_free(lists[t]);
        }
        akin_vectors_free(vectors);
        free(usable);
        naive_free(&c);
    }
}

static void lists_are_the_naive_ones(void **unused) {
    (void)unused;
    static const size_t sizes[][3] = {{1, 2, 3},    {2, 2, 1},     {3, 7, 5},
                                      {60, 4, 100}, {331, 33, 10}, {500, 8, 3}};
    for (int kind = 0; kind < NAIVE_KINDS; kind++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (size_t r = 0; r < NAIVE_RULES; r++)
                check(kind, sizes[s][0], sizes[s][1], sizes[s][2], &naive_rules[r]);
}

/* Among this many lists, some require too much (thresholds.h). */
static void so_are_those_that_are_mended(void **unused) {
    (void)unused;
    enum { N = 2500, DIM = 6, K = 4 };
    naive_catalogue c = naive_create(NAIVE_RANDOM, 3, N, DIM);
    akin_vectors *vectors = vectors_of(&c);
    for (int rule = 0; rule < 2; rule++) {
        uint64_t *lists;
        akin_allpairs_figures figures;
        assert_int_equal(all_pairs(vectors, K, &naive_rules[rule], &lists, &figures), AKIN_OK);
        assert_true((figures.mended > 0 || size > 1) && figures.mended < N / 10);
        compare_with_naive(&c, &naive_rules[rule], NULL, K, lists);
        akin_mem_free(lists);
    }
    akin_vectors_free(vectors);
    naive_free(&c);
}

/* Wide rows: one panel fills the cache. */
static void wide_rows_too(void **unused) {
    (void)unused;
    check(NAIVE_CLUSTERED, 210, 2048, 5, &naive_rules[0]);
    check(NAIVE_DUPLICATED, 150, 513, 7, &naive_rules[NAIVE_RULES - 1]);
}

/* Against exact arithmetic: a row that is not in the list exceeds the last one that is by at most
 * the bound. */
static void lists_are_those_of_exact_arithmetic(void **unused) {
    (void)unused;
    enum { N = 400, DIM = 32, K = 10 };
    naive_catalogue c = naive_create(NAIVE_CLUSTERED, 9, N, DIM);
    akin_vectors *vectors = vectors_of(&c);
    uint64_t *lists;
    akin_allpairs_figures figures;
    double bound = akin_dot_bound(DIM);
    assert_int_equal(all_pairs(vectors, K, &naive_rules[0], &lists, &figures), AKIN_OK);
    for (size_t i = 0; i < akin_vectors_count(vectors); i++) {
        const float *row = akin_vectors_row(vectors, i);
        double last = akin_topk_score(lists[i * K + K - 1]);
        for (size_t j = 0; j < N; j++) {
            long double exact = 0;
            bool kept = false;
            for (size_t t = 0; t < DIM; t++) exact += (long double)row[t] * c.rows[j * DIM + t];
            for (size_t e = 0; e < K; e++) {
                if (akin_topk_row(lists[i * K + e]) != (int32_t)j) continue;
                kept = true;
                assert_true(fabsl(exact - akin_topk_score(lists[i * K + e])) <= bound + 0x1p-22);
            }
            if (!kept && j != akin_vectors_first(vectors) + i) assert_true(exact <= last + bound);
        }
    }
    akin_mem_free(lists);
    akin_vectors_free(vectors);
    naive_free(&c);
}

enum { CATEGORIES = 4, PARTS = 64 };

/* The share of the pairs of one category whose parts have met. */
static double share_done(const akin_allpairs_state *state) {
    const akin_ring_progress at = state->progress;
    const size_t count = akin_row_block_count(state->own);
    int64_t rows[PARTS][CATEGORIES] = {{0}};
    double all = 0, done = 0;
    assert_true(at.size * at.subs <= PARTS);
    for (size_t i = 0; i < count; i++)
        rows[rank * at.subs + akin_ring_checkpoint_part(count, at.subs, i)]
            [akin_row_block_items(state->own)[i].category]++;
    akin_comm_sum_i64(comm, rows[0], sizeof rows / sizeof *rows[0]);
    for (int a = 0; a < at.size * at.subs; a++)
        for (int b = 0; b < at.size * at.subs; b++)
            for (int k = 0; k < CATEGORIES; k++) {
                const double pairs = (double)rows[a][k] * (double)rows[b][k];
                all += pairs;
                if (akin_ring_done(at, a / at.subs, a % at.subs, b / at.subs, b % at.subs))
                    done += pairs;
            }
    return done / all;
}

typedef struct {
    int saves;
    double said, off; /* of the last save; the largest difference from what was done */
} sayings;

static akin_status hear(void *context, const akin_allpairs_state *state) {
    sayings *heard = context;
    heard->said = state->progress.share;
    heard->off = fmax(heard->off, fabs(heard->said - share_done(state)));
    heard->saves++;
    return AKIN_OK;
}

/* A save says which share of the pairs that can meet is done. Where only rows of one category can,
 * and these are few and unequal, that is not the share of the slices. */
static void a_save_says_what_is_done(void **unused) {
    (void)unused;
    enum { N = 12000, DIM = 144, TURN = 10 };
    static const int32_t category[TURN] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 3};
    static const akin_row_block_rules rules = {.same_category = true, .min_score = -1};
    naive_catalogue c = naive_create(NAIVE_RANDOM, 2, N, DIM);
    for (size_t i = 0; i < N; i++) c.items[i].category = category[i % TURN];
    akin_vectors *vectors = vectors_of(&c);
    uint64_t *lists;
    akin_allpairs_figures figures;
    sayings heard = {0};
    const akin_allpairs_table table = {.k = 3, .rules = &rules};
    const akin_allpairs_params params = {
        .table = &table, .tables = 1, .save = hear, .context = &heard};
    assert_int_equal(akin_allpairs(comm, vectors, &params, &lists, &figures), AKIN_OK);
    assert_true(heard.saves >= 3 && heard.said == 1);
    if (heard.off > 0.05) fail_msg("%.0f %% off", 100 * heard.off);
    akin_mem_free(lists);
    akin_vectors_free(vectors);
    naive_free(&c);
}

static void rules_need_their_labels(void **unused) {
    (void)unused;
    naive_catalogue c = naive_create(NAIVE_RANDOM, 1, 10, 4);
    akin_vectors *vectors = vectors_of(&c); /* without names of categories and groups */
    akin_row_block_rules out;
    akin_neighbors_rules category = {.same_category = true}, group = {.exclude_same_group = true};
    assert_int_equal(akin_neighbors_resolve(&category, vectors, "x.npy", &out), AKIN_USAGE);
    assert_int_equal(akin_neighbors_resolve(&group, vectors, "x.npy", &out), AKIN_USAGE);
    akin_neighbors_rules available = {.only_available = true, .min_score = 0.1};
    assert_int_equal(akin_neighbors_resolve(&available, vectors, "x.npy", &out), AKIN_OK);
    assert_true(out.only_available && (double)out.min_score >= 0.1 &&
                (double)nextafterf(out.min_score, 0) < 0.1);
    akin_vectors_free(vectors);
    naive_free(&c);
}

/* The first allocations of one rank fail, one after the other: all ranks learn of it, and none
 * waits. */
static void one_rank_without_memory_ends_all(void **unused) {
    (void)unused;
    naive_catalogue c = naive_create(NAIVE_RANDOM, 1, 100, 4);
    akin_vectors *vectors = vectors_of(&c);
    for (int bad = 0; bad < size; bad++)
        for (uint64_t nth = 1; nth <= 6; nth++) {
            uint64_t *lists;
            akin_allpairs_figures figures;
            if (rank == bad) akin_mem_fail_at(nth);
            assert_int_equal(all_pairs(vectors, 3, &naive_rules[0], &lists, &figures), AKIN_FAILED);
            assert_null(lists);
            akin_mem_fail_at(0);
        }
    akin_vectors_free(vectors);
    naive_free(&c);
}

/* Last, because a signal is not forgotten. */
static void a_signal_on_one_rank_stops_all(void **unused) {
    (void)unused;
    naive_catalogue c = naive_create(NAIVE_RANDOM, 1, 100, 4);
    akin_vectors *vectors = vectors_of(&c);
    uint64_t *lists;
    akin_allpairs_figures figures;
    if (rank == size - 1) raise(SIGUSR1);
    assert_int_equal(all_pairs(vectors, 3, &naive_rules[0], &lists, &figures), AKIN_INTERRUPTED);
    assert_null(lists);
    akin_vectors_free(vectors);
    naive_free(&c);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    rank = akin_comm_rank(comm), size = akin_comm_size(comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_the_naive_ones),
        cmocka_unit_test(tables_of_one_pass_are_the_naive_ones),
        cmocka_unit_test(so_are_those_that_are_mended),
        cmocka_unit_test(wide_rows_too),
        cmocka_unit_test(lists_are_those_of_exact_arithmetic),
        cmocka_unit_test(a_save_says_what_is_done),
        cmocka_unit_test(rules_need_their_labels),
        cmocka_unit_test(one_rank_without_memory_ends_all),
        cmocka_unit_test(a_signal_on_one_rank_stops_all),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
