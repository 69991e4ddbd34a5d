/* Laws of fixed: it is the exact sum of values rounded to even, whatever the order and the
 * instructions; a value that does not fit is reported and adds nothing. At every level of this CPU.
 */
#include <akin/fixed.h>
#include <akin/rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "levels.h"

enum { COUNT = 1003, PARTS = 9, BITS = 48 };

/* Magnitudes from 2^-60 to 2^(most - 1), mixed signs, some exactly between two multiples of the
 * unit. */
static void draw(uint32_t stream, int most, float *values) {
    for (size_t i = 0; i < COUNT; i++) {
        double uniform = 2 * akin_rng_uniform(7, AKIN_RNG_TEST, stream, 2 * i) - 1;
        int exponent =
            -60 + (int)(akin_rng_bits(7, AKIN_RNG_TEST, stream, 2 * i + 1) % (uint64_t)(60 + most));
        values[i] = (float)ldexp(uniform, exponent);
        if (i % 10 == 0) values[i] = (float)ldexp((double)(i % 7) + 0.5, -BITS);
        if (i % 100 == 0) values[i] = 0;
    }
}

static void adds_the_nearest_whole_numbers(void **state) {
    (void)state;
    for (int most = 2; most <= 12;
         most += 10) { /* the fast path for small values, and the other one */
        static float values[COUNT];
        static int64_t sums[COUNT];
        draw((uint32_t)most, most, values);
        for (size_t i = 0; i < COUNT; i++) sums[i] = (int64_t)i - 500;
        float peak = akin_fixed_add(values, COUNT, BITS, 4096, sums), largest = 0;
        for (size_t i = 0; i < COUNT; i++) {
            long double exact = ldexpl((long double)values[i], BITS);
            assert_true(sums[i] == (int64_t)i - 500 + (int64_t)rintl(exact));
            largest = fmaxf(largest, fabsf(values[i]));
        }
        assert_true(peak == largest && peak > ldexp(1, most - 2));
    }
}

static void does_not_depend_on_order(void **state) {
    (void)state;
    static float values[PARTS][COUNT];
    static int64_t forward[COUNT], backward[COUNT], in_two[2][COUNT];
    memset(forward, 0, sizeof forward);
    memset(backward, 0, sizeof backward);
    memset(in_two, 0, sizeof in_two);
    for (uint32_t p = 0; p < PARTS; p++) draw(p, 10, values[p]);
    for (size_t p = 0; p < PARTS; p++) {
        akin_fixed_add(values[p], COUNT, BITS, 1024, forward);
        akin_fixed_add(values[PARTS - 1 - p], COUNT, BITS, 1024, backward);
        akin_fixed_add(values[p], COUNT, BITS, 1024, in_two[p % 2]);
    }
    assert_memory_equal(forward, backward, sizeof forward);
    for (size_t i = 0; i < COUNT; i++) assert_true(forward[i] == in_two[0][i] + in_two[1][i]);
    static float sums[COUNT];
    akin_fixed_get(forward, COUNT, BITS, sums);
    for (size_t i = 0; i < COUNT; i++) {
        double exact = 0;
        for (size_t p = 0; p < PARTS; p++) exact += (double)values[p][i];
        assert_true(fabs((double)sums[i] - exact) <= PARTS * ldexp(1, -BITS) + fabs(exact) * 1e-7);
    }
}

static void tells_what_has_no_place(void **state) {
    (void)state;
    static const float bad[] = {NAN, -NAN, INFINITY, -INFINITY, 4, -4, 1e30F};
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
        float values[37] = {1, -2, 3};
        int64_t sums[37] = {0};
        values[31] = bad[b];
        float peak = akin_fixed_add(values, 37, BITS, 4, sums);
        assert_false(peak < 4);
        assert_true(isnan(bad[b]) ? isnan(peak) : peak == fabsf(bad[b]));
        for (size_t i = 0; i < 37; i++) assert_true(sums[i] == 0);
    }
    assert_true(akin_fixed_peak(NULL, 0) == 0);
}

/* Also if much of a long array was added before it is found, with large and small numbers. */
static void what_has_no_place_leaves_long_sums_alone(void **state) {
    (void)state;
    enum { LONG = 7 * COUNT };
    static float values[LONG];
    static int64_t sums[LONG];
    for (size_t part = 0; part < 7; part++)
        draw((uint32_t)part, part % 2 ? 2 : 11, values + part * COUNT);
    for (size_t i = 0; i < LONG; i++) sums[i] = (int64_t)i;
    for (size_t at = 0; at < LONG; at += LONG - 1) {
        float kept = values[at];
        values[at] = 5000;
        assert_true(akin_fixed_add(values, LONG, BITS, 4096, sums) == 5000);
        values[at] = kept;
        for (size_t i = 0; i < LONG; i++) assert_true(sums[i] == (int64_t)i);
    }
    assert_true(akin_fixed_add(values, LONG, BITS, 4096, sums) < 4096);
    for (size_t i = 0; i < LONG; i++)
        assert_true(sums[i] == (int64_t)i + (int64_t)rintl(ldexpl((long double)values[i], BITS)));
}

static void one_value_goes_there_and_back(void **state) {
    (void)state;
    assert_true(akin_fixed_from(2.5, 0) == 2 && akin_fixed_from(-3.5, 0) == -4);
    assert_true(akin_fixed_to(akin_fixed_from(-1234.5678, 40), 40) ==
                ldexp(rint(ldexp(-1234.5678, 40)), -40));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_the_nearest_whole_numbers),
        cmocka_unit_test(does_not_depend_on_order),
        cmocka_unit_test(tells_what_has_no_place),
        cmocka_unit_test(what_has_no_place_leaves_long_sums_alone),
        cmocka_unit_test(one_value_goes_there_and_back),
    };
    int failed = 0;
    FOR_EACH_LEVEL(level) failed += cmocka_run_group_tests(tests, NULL, NULL);
    return failed;
}
