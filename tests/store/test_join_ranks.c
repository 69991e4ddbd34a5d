/* Join: matches equal those of a naive search, whichever ranks have the rows; rows with the same id
 * but different contents do not match; a repeated id refers to its lowest row; empty inputs are
 * allowed. */
#include <akin/ids.h>
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 500 };
static akin_comm *comm;

/* Rows of two files; every third id is in the second file only, and every 7th row differs. */
static size_t deal(int turn, akin_join_row *out) {
    size_t count = 0, size = (size_t)akin_comm_size(comm), rank = (size_t)akin_comm_rank(comm);
    for (size_t i = 0; i < 2 * (size_t)N; i++) {
        char id[32];
        akin_join_side side = i < N ? AKIN_JOIN_FIRST : AKIN_JOIN_SECOND;
        size_t row = i % N,
               number = side == AKIN_JOIN_FIRST ? row / 2 * 3 : row; /* each id twice */
        snprintf(id, sizeof id, "item %zu", number);
        if ((i * 7919 + (size_t)turn) % size != rank) continue;
        out[count] = akin_join_row_of(id, row, side);
        out[count++].content.low = side == AKIN_JOIN_SECOND && row % 7 == 0;
    }
    return count;
}

static void matches_are_those_of_the_twin(void **state) {
    (void)state;
    static akin_join_row rows[2 * N];
    for (int turn = 0; turn < 3; turn++) {
        akin_join_match *matches;
        size_t found, expected = 0;
        int32_t first_of[N];
        assert_int_equal(akin_join(comm, rows, deal(turn, rows), &matches, &found), AKIN_OK);
        for (size_t i = 0; i < N; i++) first_of[i] = -1;
        for (size_t m = 0; m < found; m++) {
            assert_int_equal(first_of[matches[m].second], -1);
            first_of[matches[m].second] = matches[m].first;
        }
        for (size_t row = 0; row < N; row++) {
            bool there = row % 3 == 0 && row / 3 * 2 < N && row % 7 != 0;
            assert_int_equal(first_of[row], there ? (int32_t)(row / 3 * 2) : -1);
            expected += there;
        }
        assert_int_equal(found, expected);
        akin_mem_free(matches);
    }
}

static void no_rows_have_no_matches(void **state) {
    (void)state;
    akin_join_match *matches;
    size_t found = 1;
    assert_int_equal(akin_join(comm, NULL, 0, &matches, &found), AKIN_OK);
    assert_int_equal(found, 0);
    akin_mem_free(matches);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(matches_are_those_of_the_twin),
                                       cmocka_unit_test(no_rows_have_no_matches)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
