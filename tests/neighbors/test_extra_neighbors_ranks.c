/* The neighbours beyond a table, at 1, 2, 3 and 4 ranks: reading inverts writing, for any range of
 * rows; a file of another table or another number of items is refused, and so is one with a
 * neighbour that is not one of its items. */
#include "neighbors/extra_neighbors.h"
#include <akin/shard.h>
#include <akin/topk.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static akin_comm *comm;
static int rank, size;
static const char path[] = "extra.nc", digest[] = "0123456789abcdef0123456789abcdef";

/* The keys depend on the row: fewer and fewer of them, then none. */
static uint64_t key_of(size_t n, size_t k, size_t row, size_t e) {
    if (e >= (row + 1) % (k + 1)) return 0;
    return akin_topk_key(1.0f / (float)(e + 2), (int32_t)((row + e + 1) % n));
}

static akin_status write_file(size_t n, size_t k, int wrong_row) {
    size_t first = akin_shard_first(n, size, rank), count = akin_shard_count(n, size, rank);
    uint64_t *keys = calloc(count * k + 1, sizeof *keys);
    int8_t *whole = calloc(count + 1, 1);
    for (size_t i = 0; i < count; i++) {
        whole[i] = (int8_t)((first + i) % 3 == 0);
        for (size_t e = 0; e < k; e++) keys[i * k + e] = key_of(n, k, first + i, e);
        if ((int)(first + i) == wrong_row) keys[i * k] = akin_topk_key(0.9f, (int32_t)n);
    }
    const akin_extra_neighbors_part part = {n, k, first, count, keys, whole, false};
    akin_status status = akin_extra_neighbors_write(comm, path, digest, &part);
    free(keys);
    free(whole);
    return status;
}

static void check_rows(const akin_extra_neighbors *extra, size_t n, size_t k, size_t first,
                       size_t count) {
    uint64_t *keys = malloc((count * k + 1) * sizeof *keys);
    int8_t *whole = malloc(count + 1);
    assert_int_equal(akin_extra_neighbors_rows(extra, first, count, keys, whole), AKIN_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(whole[i], (first + i) % 3 == 0);
        for (size_t e = 0; e < k; e++)
            assert_int_equal(keys[i * k + e], key_of(n, k, first + i, e));
    }
    free(keys);
    free(whole);
}

static akin_status open_file(const char *name, const char *of, size_t n, bool by_product,
                             akin_extra_neighbors **out) {
    const akin_extra_neighbors_claim claim = {of, n, n, by_product};
    return akin_extra_neighbors_open(comm, name, &claim, out);
}

static void what_is_written_is_read(void **unused) {
    (void)unused;
    static const size_t sizes[][2] = {{1, 1}, {3, 4}, {50, 2}, {333, 9}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        akin_extra_neighbors *extra;
        size_t n = sizes[s][0], k = sizes[s][1];
        assert_int_equal(write_file(n, k, -1), AKIN_OK);
        assert_int_equal(open_file(path, digest, n, false, &extra), AKIN_OK);
        assert_int_equal(akin_extra_neighbors_k(extra), k);
        check_rows(extra, n, k, 0, n);
        check_rows(extra, n, k, n / 2, n - n / 2);
        check_rows(extra, n, k, n, 0);
        akin_extra_neighbors_close(extra);
    }
}

static void those_of_another_table_are_refused(void **unused) {
    (void)unused;
    akin_extra_neighbors *extra;
    assert_int_equal(write_file(20, 3, -1), AKIN_OK);
    assert_int_equal(open_file(path, "ffffffffffffffffffffffffffffffff", 20, false, &extra),
                     AKIN_INPUT);
    assert_int_equal(open_file(path, digest, 21, false, &extra), AKIN_INPUT);
    assert_int_equal(open_file(path, digest, 20, true, &extra), AKIN_INPUT);
    assert_int_equal(open_file("none.nc", digest, 20, false, &extra), AKIN_FAILED);
}

static void a_neighbour_outside_the_table_is_refused(void **unused) {
    (void)unused;
    akin_extra_neighbors *extra;
    uint64_t keys[20 * 3];
    int8_t whole[20];
    assert_int_equal(write_file(20, 3, 7), AKIN_OK);
    assert_int_equal(open_file(path, digest, 20, false, &extra), AKIN_OK);
    assert_int_equal(akin_extra_neighbors_rows(extra, 0, 7, keys, whole), AKIN_OK);
    assert_int_equal(akin_extra_neighbors_rows(extra, 7, 1, keys, whole), AKIN_INPUT);
    assert_int_equal(akin_extra_neighbors_rows(extra, 0, 20, keys, whole), AKIN_INPUT);
    akin_extra_neighbors_close(extra);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    rank = akin_comm_rank(comm), size = akin_comm_size(comm);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(those_of_another_table_are_refused),
        cmocka_unit_test(a_neighbour_outside_the_table_is_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
