/* shard: shards cover all items once, in order and evenly, for up to 10,000 ranks; the owner is
 * consistent. */
#include <akin/shard.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const size_t counts[] = {0, 1, 2, 3, 7, 10, 100, 999, 9999, 10000, 10001, 123457};
static const int sizes[] = {1, 2, 3, 4, 7, 16, 100, 1000, 9999, 10000};
enum { COUNTS = sizeof counts / sizeof counts[0], SIZES = sizeof sizes / sizeof sizes[0] };

static void shards_cover_all_items_once_and_evenly(void **state) {
    (void)state;
    for (int c = 0; c < COUNTS; c++)
        for (int s = 0; s < SIZES; s++) {
            size_t n = counts[c], next = 0;
            for (int rank = 0; rank < sizes[s]; rank++) {
                size_t count = akin_shard_count(n, sizes[s], rank), even = n / (size_t)sizes[s];
                assert_int_equal(akin_shard_first(n, sizes[s], rank), next);
                assert_true(count == even || count == even + 1);
                next += count;
            }
            assert_int_equal(next, n);
            assert_int_equal(akin_shard_first(n, sizes[s], sizes[s]), n);
        }
}

static void the_owner_is_the_rank_whose_shard_holds_the_item(void **state) {
    (void)state;
    for (int c = 0; c < COUNTS; c++)
        for (int s = 0; s < SIZES; s++)
            for (int rank = 0; rank < sizes[s]; rank++) {
                size_t first = akin_shard_first(counts[c], sizes[s], rank);
                size_t count = akin_shard_count(counts[c], sizes[s], rank);
                for (size_t i = 0; i < count; i++)
                    if (akin_shard_owner(counts[c], sizes[s], first + i) != rank)
                        fail_msg("item %zu of %zu at %d ranks", first + i, counts[c], sizes[s]);
            }
}

static void large_numbers_do_not_overflow(void **state) {
    (void)state;
    size_t n = (size_t)1 << 60;
    for (int rank = 0; rank < 10000; rank += 777) {
        size_t first = akin_shard_first(n + 1, 10000, rank),
               count = akin_shard_count(n + 1, 10000, rank);
        assert_int_equal(akin_shard_owner(n + 1, 10000, first), rank);
        assert_int_equal(akin_shard_owner(n + 1, 10000, first + count - 1), rank);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_cover_all_items_once_and_evenly),
        cmocka_unit_test(the_owner_is_the_rank_whose_shard_holds_the_item),
        cmocka_unit_test(large_numbers_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
