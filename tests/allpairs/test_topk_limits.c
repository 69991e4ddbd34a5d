/* A list with limits is the result of going through all keys, best first, in whatever order they
 * come and over however many lists they are distributed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <akin/rng.h>
#include <akin/topk.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 600, KINDS = 12, LISTS = 3, TRIALS = 300, LONGEST = 200 };

static uint64_t draw(uint32_t trial, uint32_t what, uint64_t below) {
    return akin_rng_bits(trial, AKIN_RNG_TEST, what, trial) % below;
}

static int best_first(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return (a < b) - (a > b);
}

static void greedy(const akin_topk_limits *limits, const uint64_t *keys, size_t count, size_t k,
                   uint64_t *out) {
    int32_t used[KINDS] = {0};
    size_t held = 0;
    memset(out, 0, k * sizeof *out);
    for (size_t e = 0; e < count && held < k; e++) {
        int32_t kind = limits->kind[akin_topk_row(keys[e])];
        if (kind >= 0 && used[kind]++ >= limits->most[kind]) continue;
        out[held++] = keys[e];
    }
}

static void lists_are_those_of_who_goes_through_all(void **unused) {
    (void)unused;
    static uint64_t lists[LISTS][2 + LONGEST + LONGEST / 4];
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        size_t k = 1 + draw(trial, 1, trial % 5 == 0 ? LONGEST : 24), count = draw(trial, 2, ROWS);
        int32_t kind[ROWS], most[KINDS];
        uint64_t keys[ROWS], sorted[ROWS], wanted[LONGEST], merged[LONGEST], more[LONGEST];
        const akin_topk_limits limits = {kind, most};
        for (uint32_t i = 0; i < KINDS; i++) most[i] = 1 + (int32_t)draw(trial, 10 + i, 6);
        for (uint32_t i = 0; i < ROWS; i++) kind[i] = (int32_t)draw(trial, 100 + i, KINDS + 2) - 2;
        memset(lists, 0, sizeof lists);
        for (uint32_t i = 0; i < count; i++) {
            keys[i] = akin_topk_key((float)draw(trial, 1000 + i, 50) / 50, (int32_t)i);
            uint64_t other = draw(trial, 2000 + i, i + 1), key = keys[other];
            keys[other] = keys[i], keys[i] = key; /* in any order */
        }
        for (uint32_t i = 0; i < count; i++) /* some keys to several lists */
            for (uint32_t l = 0; l < LISTS; l++)
                if (l == i % LISTS || draw(trial, 3000 + LISTS * i + l, 3) == 0)
                    akin_topk_limits_push(&limits, lists[l], k, keys[i]);
        memcpy(sorted, keys, count * sizeof *keys);
        qsort(sorted, count, sizeof *sorted, best_first);
        greedy(&limits, sorted, count, k, wanted);
        memset(merged, 0, sizeof merged);
        for (uint32_t l = 0; l < LISTS; l++) {
            if (lists[l][0] != 0) assert_true(lists[l][1] == k); /* has a bar: the list is full */
            akin_topk_sort(lists[l], k);
            akin_topk_limits_merge(&limits, merged, lists[l], k, more);
            memcpy(merged, more, k * sizeof *more);
        }
        assert_memory_equal(merged, wanted, k * sizeof *wanted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_are_those_of_who_goes_through_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
