/* leading: rows whose dimensions are very unequal are divided, and others are not; all ranks get the same
 * choice, whatever rows and processors they have, or fail together. */
#include "leading_rows.h"
#include "levels.h"
#include "tile_model.h"
#include <akin/comm.h>
#include <akin/dot.h>
#include <akin/linalg.h>
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MOST = 512 /* dimensions */, ENOUGH = 8192 /* rows of all ranks */ };

static akin_comm *comm;
static int rank, size;

static const akin_row_block_rules none = {.min_score = -1};

/* Rows that differ on each rank; range: of the decay, 0: none. */
static akin_row_block *block_of(size_t count, size_t dim, double range) {
    akin_row_block *block;
    float row[MOST];
    assert_int_equal(akin_row_block_create(count, dim, 5, AKIN_ROW_BLOCK_BOTH, &block), AKIN_OK);
    akin_row_block_begin(block, count);
    for (size_t i = 0; i < count; i++) {
        fill((uint32_t)(i + 100000 * (size_t)rank), dim, row);
        if (range > 0)
            leading_decay(row, 1, dim, akin_dot_stride(dim), range);
        else
            leading_normalise(row, dim);
        akin_row_block_set(block, i, (akin_row_block_item){.row = (int32_t)i, .available = 1}, row);
    }
    return block;
}

static akin_leading *choice_of(size_t all, size_t own, size_t dim, double range,
                               const akin_row_block_rules *rules) {
    const akin_leading_use use = {.all = all, .tables = 1, .rules = {rules}, .k = {5}};
    akin_row_block *block = block_of(own, dim, range);
    akin_leading *leading;
    assert_int_equal(akin_leading_choose(comm, block, &use, &leading), AKIN_OK);
    akin_row_block_free(block);
    return leading;
}

/* Each rank's choice is rank 0's. */
static void check_shared(const akin_leading *l) {
    uint64_t told[] = {l->stride, l->count, l->tail, l->lost, l->place}, first[5];
    const size_t end = l->count + l->tail + l->lost;
    uint32_t from[2 * MOST];
    memcpy(first, told, sizeof told);
    akin_comm_broadcast(comm, first, sizeof first, 0);
    assert_memory_equal(first, told, sizeof told);
    assert_true(end <= 2 * MOST);
    memcpy(from, l->from, end * sizeof *from);
    akin_comm_broadcast(comm, from, end * sizeof *from, 0);
    assert_memory_equal(from, l->from, end * sizeof *from);
}

/* The dimensions that lead are the largest ones. */
static void check_order(const akin_leading *l, size_t dim) {
    enum { NEAR = 8 }; /* such neighbours in the order may be exchanged */
    uint32_t order[MOST];
    size_t lead[MOST] = {0};
    leading_order(l->stride, order);
    for (size_t i = 0; i < l->count; i++)
        if (l->from[i] != UINT32_MAX) lead[l->from[i]] = 1;
    for (size_t at = 0; at < l->stride; at++)
        if (order[at] < dim && (at + NEAR < l->count || at > l->count + NEAR))
            assert_int_equal(lead[order[at]], at < l->count);
}

static void unequal_dimensions_are_divided(void **unused) {
    (void)unused;
    static const size_t dims[] = {256, 384, 395};
    for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
        const size_t stride = akin_dot_stride(dims[d]);
        akin_leading *l = choice_of(ENOUGH, 600 + 100 * (size_t)rank, dims[d], 30, &none);
        assert_non_null(l);
        assert_int_equal(l->stride, stride);
        assert_true(l->count >= 128 && l->count < stride && l->count % 128 == 0);
        check_order(l, dims[d]);
        check_shared(l);
        akin_leading_free(l);
    }
}

static void others_are_not(void **unused) {
    (void)unused;
    static const float offset[1] = {0};
    static const akin_row_rules sums = {.offset = offset};
    static const akin_row_block_rules offsets = {.min_score = -1, .more = &sums};
    const size_t own = 600;
    assert_null(choice_of(ENOUGH, own, 384, 0, &none));                    /* equal dimensions */
    assert_null(choice_of(ENOUGH - 1, own, 384, 30, &none));               /* few rows */
    assert_null(choice_of(ENOUGH, own, 240, 30, &none));                   /* short ones */
    assert_null(choice_of(ENOUGH, own, 384, 30, &offsets));                /* lists of sums */
    assert_null(choice_of(ENOUGH, rank == 0 ? 511 : own, 384, 30, &none)); /* few to ask */
    akin_leading *l = choice_of(ENOUGH, rank == 0 ? 512 : 0, 384, 30, &none);
    assert_non_null(l);
    check_shared(l);
    akin_leading_free(l);
}

/* A rank whose processor has a matrix unit multiplies all dimensions, and so do the others with it. */
static void one_matrix_unit_decides_for_all(void **unused) {
    (void)unused;
    akin_leading *l = choice_of(ENOUGH, 600, 384, 30, &none);
    assert_non_null(l); /* without one they do divide */
    akin_leading_free(l);
    for (int with = 0; with < size; with++) {
        akin_tile_replace(rank == with ? &akin_tile_kernels_v1_model : NULL);
        assert_null(choice_of(ENOUGH, 600, 384, 30, &none));
        akin_tile_replace(NULL);
    }
}

/* How many allocations of rank `bad` can fail. */
static uint64_t failures_of(const akin_row_block *block, int bad) {
    const akin_leading_use use = {.all = ENOUGH, .tables = 1, .rules = {&none}, .k = {5}};
    const uint64_t live = akin_mem_live();
    for (uint64_t nth = 1;; nth++) {
        akin_leading *leading;
        if (rank == bad) akin_mem_fail_at(nth);
        akin_status status = akin_leading_choose(comm, block, &use, &leading);
        akin_mem_fail_at(0);
        assert_true((status == AKIN_OK) == (leading != NULL));
        assert_int_equal(akin_agree(comm, status), status); /* all of them, or none */
        if (status != AKIN_OK) assert_int_equal(status, AKIN_FAILED);
        akin_leading_free(leading);
        assert_int_equal(akin_mem_live(), live);
        if (status == AKIN_OK) return nth - 1;
    }
}

static void one_rank_without_memory_ends_all(void **unused) {
    (void)unused;
    akin_row_block *block = block_of(512, 256, 30);
    for (int bad = 0; bad < size; bad++)
        assert_true(failures_of(block, bad) >= (bad == 0 ? 14 : 3));
    akin_row_block_free(block);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    rank = akin_comm_rank(comm), size = akin_comm_size(comm);
    const struct CMUnitTest tests[] = {cmocka_unit_test(unequal_dimensions_are_divided),
                                       cmocka_unit_test(others_are_not),
                                       cmocka_unit_test(one_rank_without_memory_ends_all),
                                       cmocka_unit_test(one_matrix_unit_decides_for_all)};
    if (akin_linalg_start() != AKIN_OK) return EXIT_FAILURE;
    /* A CPU with a matrix unit has the level below it, too. */
    if (akin_tile()->format.matrix && akin_cpu_force("vnni") != AKIN_OK) return EXIT_FAILURE;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
