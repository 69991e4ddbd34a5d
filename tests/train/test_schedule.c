/* Laws of schedule: the rate rises in even steps to its peak, never above it, then stays or falls
 * towards zero without rising again; the larger the batch, the longer it rises, but never for more
 * than a tenth of the run. */
#include "train/schedule.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void it_rises_and_falls(void **state) {
    (void)state;
    for (size_t steps = 1; steps < 400; steps += 7)
        for (size_t warmup = 0; warmup < 60; warmup += 19) {
            const akin_schedule s = akin_schedule_make(0.5, steps, warmup, 256, true);
            assert_true(s.warmup <= steps / 10 && s.warmup <= warmup);
            assert_true(akin_schedule_rate(&s, s.warmup) == 0.5);
            for (size_t i = 0; i < steps; i++) {
                const double rate = akin_schedule_rate(&s, i);
                assert_true(rate > 0 && rate <= 0.5);
                if (i > 0 && i <= s.warmup) {
                    const double before = akin_schedule_rate(&s, i - 1),
                                 first = akin_schedule_rate(&s, 0);
                    assert_true(fabs(rate - before - first) < 1e-12);
                }
                if (i > s.warmup) assert_true(rate < akin_schedule_rate(&s, i - 1));
            }
            if (steps > 300) assert_true(akin_schedule_rate(&s, steps - 1) < 1e-4);
        }
}

static void it_stays_where_it_shall(void **state) {
    (void)state;
    const akin_schedule s = akin_schedule_make(2, 1000, 50, 256, false);
    assert_true(s.warmup == 50 && akin_schedule_rate(&s, 49) < 2);
    for (size_t i = 50; i < 1000; i++) assert_true(akin_schedule_rate(&s, i) == 2);
}

static void halfway_down_is_half(void **state) {
    (void)state;
    const akin_schedule s = akin_schedule_make(1, 1000, 100, 256, true);
    assert_true(fabs(akin_schedule_rate(&s, 550) - 0.5) < 1e-12);
}

static void a_larger_batch_rises_longer(void **state) {
    (void)state;
    assert_true(akin_schedule_make(1, 100000, 50, 256, true).warmup == 50);
    assert_true(akin_schedule_make(1, 100000, 50, 1024, true).warmup == 200);
    assert_true(akin_schedule_make(1, 100000, 50, 1, true).warmup == 1);
    assert_true(akin_schedule_make(1, 1000, 50, 1000000, true).warmup == 100);
    assert_true(akin_schedule_make(1, 9, 50, 256, true).warmup == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_rises_and_falls),
        cmocka_unit_test(it_stays_where_it_shall),
        cmocka_unit_test(halfway_down_is_half),
        cmocka_unit_test(a_larger_batch_rises_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
