/* topk: a list keeps what would come first if all were sorted; merging is union, in any order. */
#include "levels.h"
#include <akin/rng.h>
#include <akin/topk.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ITEMS = 300, LARGEST = 400, WORDS = LARGEST + LARGEST / 4 + 2 };

/* Scores with many ties: multiples of 1/8 in [-1, 1]. */
static float tied_score(uint32_t stream, uint32_t item) {
    return (float)(akin_rng_bits(1, AKIN_RNG_TEST, stream, item) % 17) / 8 - 1;
}

static int better_first(const void *x, const void *y) {
    uint64_t a, b;
    memcpy(&a, x, sizeof a);
    memcpy(&b, y, sizeof b);
    return a < b ? 1 : a > b ? -1 : 0;
}

/* A sorted list of the items whose bit in `chosen` (a random word each) is set. */
static void list_of(uint32_t stream, uint64_t chosen, size_t k, uint64_t *list) {
    assert_true(akin_topk_words(k) <= WORDS);
    memset(list, 0, akin_topk_words(k) * sizeof *list);
    for (uint32_t i = 0; i < ITEMS; i++)
        if (akin_rng_bits(2, AKIN_RNG_TEST, stream, i) & chosen)
            akin_topk_push(list, k, akin_topk_key(tied_score(stream, i), (int32_t)i));
    akin_topk_sort(list, k);
}

static void keys_order_by_score_then_row(void **unused) {
    (void)unused;
    static const float ascending[] = {-1, -0.5f, -1e-30f, 0, 1e-40f, 1e-30f, 0.5f, 0.99999994f, 1};
    static const int32_t rows[] = {0, 1, 77, INT32_MAX - 1};
    for (size_t i = 0; i < sizeof ascending / sizeof *ascending; i++)
        for (size_t r = 0; r < 4; r++) {
            uint64_t key = akin_topk_key(ascending[i], rows[r]);
            assert_true(key > 0);
            assert_true(akin_topk_score(key) == ascending[i]);
            assert_int_equal(akin_topk_row(key), rows[r]);
            if (r > 0) assert_true(key < akin_topk_key(ascending[i], rows[r - 1]));
            if (i > 0) assert_true(key > akin_topk_key(ascending[i - 1], rows[0]));
        }
}

static void list_equals_sorting_all(void **unused) {
    (void)unused;
    static const size_t sizes[] = {1,  2,  3,  7,   20,        63,    64,
                                   65, 66, 67, 100, ITEMS - 1, ITEMS, LARGEST};
    for (uint32_t stream = 0; stream < 20; stream++) {
        uint64_t all[LARGEST] = {0}, list[WORDS];
        for (uint32_t i = 0; i < ITEMS; i++)
            all[i] = akin_topk_key(tied_score(stream, i), (int32_t)i);
        qsort(all, LARGEST, sizeof *all, better_first);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            list_of(stream, UINT64_MAX, sizes[s], list);
            assert_memory_equal(list, all,
                                sizes[s] * sizeof *all); /* so a top-10 is the head of a top-100 */
        }
    }
}

/* Keys in orders that are bad for a careless selection: ascending, descending, and both ways from
 * the middle. */
static void order_of_pushes_does_not_matter(void **unused) {
    (void)unused;
    enum { K = 100, N = 20000 };
    for (int order = 0; order < 4; order++) {
        uint64_t list[WORDS] = {0};
        for (int32_t i = 0; i < N; i++) {
            int32_t half = i / 2, row = order == 0   ? i
                                        : order == 1 ? N - 1 - i
                                        : order == 2 ? (i % 2 ? N - 1 - half : half)
                                                     : (i % 2 ? N / 2 + half : N / 2 - 1 - half);
            akin_topk_push(list, K, akin_topk_key(0.5f, row));
            if (i + 1 < K) assert_true(akin_topk_bar(list) == 0); /* no bar until there are k */
        }
        akin_topk_sort(list, K);
        for (int32_t e = 0; e < K; e++) assert_int_equal(akin_topk_row(list[e]), e);
    }
}

static void merge_is_union(void **unused) {
    (void)unused;
    static const size_t sizes[] = {1, 2, 5, 20, 70, LARGEST};
    for (uint32_t stream = 0; stream < 20; stream++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            size_t k = sizes[s], bytes = k * sizeof(uint64_t);
            uint64_t a[WORDS], b[WORDS], c[WORDS], ab[LARGEST], ba[LARGEST], bc[LARGEST], x[WORDS],
                y[WORDS];
            list_of(stream, 5, k, a); /* they overlap */
            list_of(stream, 6, k, b);
            list_of(stream, 8, k, c);
            akin_topk_merge(a, b, k, ab);
            akin_topk_merge(b, a, k, ba);
            assert_memory_equal(ab, ba, bytes);
            list_of(stream, 5 | 6, k, x);
            assert_memory_equal(ab, x, bytes);
            akin_topk_merge(b, c, k, bc);
            akin_topk_merge(ab, c, k, x);
            akin_topk_merge(a, bc, k, y);
            assert_memory_equal(x, y, bytes);
            akin_topk_merge(a, a, k, x);
            assert_memory_equal(x, a, bytes);
        }
}

/* At every level: the result of sorting the keys and the new one, without the last. */
static void a_sorted_array_stays_sorted(void **unused) {
    (void)unused;
    uint64_t keys[AKIN_TOPK_SHORT + 2], naive[AKIN_TOPK_SHORT + 1];
    FOR_EACH_LEVEL(level)
    for (size_t count = 1; count <= AKIN_TOPK_SHORT; count++) {
        memset(keys, 0, sizeof keys);
        memset(naive, 0, sizeof naive);
        keys[count] = keys[count + 1] = 42; /* not its own */
        for (uint64_t i = 0; i < 3 * count + 5; i++) {
            uint64_t bits = akin_rng_bits(5, AKIN_RNG_TEST, (uint32_t)count, i),
                     key = bits % 5 ? bits : bits % 64;
            if (i % 7 == 6) key = keys[i % count]; /* an existing key */
            akin_topk_kernel()->insert(keys, count, key);
            naive[count] = key;
            qsort(naive, count + 1, sizeof *naive, better_first);
            naive[count] = 0;
            assert_memory_equal(keys, naive, count * sizeof *keys);
            assert_true(keys[count] == 42 && keys[count + 1] == 42);
        }
    }
}

static void a_list_knows_what_it_holds(void **unused) {
    (void)unused;
    static const size_t sizes[] = {1, 20, AKIN_TOPK_SHORT + 1};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint64_t list[WORDS] = {0};
        for (int32_t row = 0; row < ITEMS; row++)
            akin_topk_push(list, sizes[s], akin_topk_key(0.5f, row));
        for (int32_t row = 0; row < (int32_t)sizes[s]; row++)
            assert_true(akin_topk_holds(list, akin_topk_key(0.5f, row)));
        assert_false(akin_topk_holds(list, akin_topk_key(0.5f, ITEMS)));
        assert_false(akin_topk_holds(list, akin_topk_key(0.25f, 0)));
    }
}

/* A bar that was raised too high: the list is broken, unless it has k keys or was never full. */
static void a_list_knows_that_it_is_broken(void **unused) {
    (void)unused;
    static const size_t sizes[] = {1, 20, AKIN_TOPK_SHORT, AKIN_TOPK_SHORT + 1, 200};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int32_t reach = 0; reach < ITEMS;
             reach += 1 + reach / 8) { /* number of keys above the bar */
            size_t k = sizes[s];
            uint64_t list[WORDS] = {0}, keys[WORDS],
                     bar = akin_topk_key(0.5f, reach - 1 < 0 ? 0 : reach - 1);
            assert_false(akin_topk_broken(list, k));
            akin_topk_raise(list, reach == 0 ? bar + 1 : bar - 1);
            bar = akin_topk_bar(list);
            for (int32_t row = 0; row < ITEMS; row++)
                akin_topk_push(list, k, akin_topk_key(0.5f, row));
            bool broken = (size_t)reach < k;
            assert_int_equal(akin_topk_broken(list, k), broken);
            memcpy(keys, list, sizeof keys);
            akin_topk_sort(keys, k);
            akin_topk_restore(list, k, keys, bar);
            assert_int_equal(akin_topk_broken(list, k), broken);
            for (int32_t row = ITEMS; row < 2 * ITEMS; row++)
                akin_topk_push(list, k, akin_topk_key(0.75f, row));
            assert_int_equal(akin_topk_broken(list, k), (size_t)reach + ITEMS < k);
            akin_topk_restore(list, k, keys, 0);
            assert_false(akin_topk_broken(list, k));
            akin_topk_sort(list, k);
            assert_memory_equal(list, keys, k * sizeof *keys);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_order_by_score_then_row),
        cmocka_unit_test(list_equals_sorting_all),
        cmocka_unit_test(order_of_pushes_does_not_matter),
        cmocka_unit_test(merge_is_union),
        cmocka_unit_test(a_sorted_array_stays_sorted),
        cmocka_unit_test(a_list_knows_what_it_holds),
        cmocka_unit_test(a_list_knows_that_it_is_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
