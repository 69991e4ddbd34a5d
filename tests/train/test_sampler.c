/* Laws of sampler: holdout and training items together are all items, each once; batches contain
 * all training items once per epoch; the order differs between epochs and seeds, and the split
 * between seeds. */
#include "train/sampler.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void check_cover(const akin_sampler *sampler, size_t epoch) {
    bool *seen = calloc(sampler->items, sizeof *seen);
    for (size_t i = 0; i < sampler->holdout; i++) {
        size_t item = akin_sampler_holdout(sampler, i);
        assert_true(item < sampler->items && !seen[item]);
        seen[item] = true;
    }
    size_t place = 0;
    for (size_t step = 0; step < akin_sampler_steps(sampler); step++) {
        size_t count = akin_sampler_batch_items(sampler, step);
        assert_true(count >= 1 && count <= sampler->batch);
        for (size_t end = place + count; place < end; place++) {
            size_t item = akin_sampler_train(sampler, epoch, place);
            assert_true(item < sampler->items && !seen[item]);
            seen[item] = true;
        }
    }
    assert_true(place == akin_sampler_train_items(sampler) &&
                place + sampler->holdout == sampler->items);
    free(seen);
}

static void every_item_has_one_place(void **state) {
    (void)state;
    for (size_t n = 1; n < 70; n++)
        for (int holdout = 0; holdout < 100; holdout += 33) {
            akin_sampler sampler = akin_sampler_make(3, n, holdout / 100.0, 1 + n % 9);
            check_cover(&sampler, n % 3);
        }
    akin_sampler large = akin_sampler_make(1, 10007, 0.02, 256);
    assert_true(large.holdout == 200);
    check_cover(&large, 0);
    check_cover(&large, 19);
}

static void one_item_trains_at_least(void **state) {
    (void)state;
    akin_sampler sampler = akin_sampler_make(1, 1, 0.99, 256);
    assert_true(akin_sampler_train_items(&sampler) == 1 && akin_sampler_steps(&sampler) == 1);
    assert_true(akin_sampler_train(&sampler, 0, 0) == 0);
}

/* How many of the first places have the same item. */
static size_t same(const akin_sampler *a, size_t epoch_a, const akin_sampler *b, size_t epoch_b) {
    size_t count = 0;
    for (size_t i = 0; i < 900; i++)
        count += akin_sampler_train(a, epoch_a, i) == akin_sampler_train(b, epoch_b, i);
    return count;
}

static void orders_differ(void **state) {
    (void)state;
    akin_sampler one = akin_sampler_make(1, 1000, 0.1, 64), again = one,
                 two = akin_sampler_make(2, 1000, 0.1, 64);
    assert_true(same(&one, 4, &again, 4) == 900);
    assert_true(same(&one, 4, &one, 5) < 20); /* one is expected */
    assert_true(same(&one, 4, &two, 4) < 20);
    size_t both = 0;
    for (size_t i = 0; i < 100; i++)
        for (size_t j = 0; j < 100; j++)
            both += akin_sampler_holdout(&one, i) == akin_sampler_holdout(&two, j);
    assert_true(both < 40); /* ten are */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_has_one_place),
        cmocka_unit_test(one_item_trains_at_least),
        cmocka_unit_test(orders_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
