/* cpu: a level can be forced and released again; an unknown one is refused; the levels in
 * $AKIN_TEST_CPU exist. */
#include "levels.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_force(void **state) {
    (void)state;
    const akin_cpu_level best = akin_cpu_active();
    for (int level = 0; level < AKIN_CPU_LEVELS; level++) {
        akin_status status = akin_cpu_force(akin_cpu_name((akin_cpu_level)level));
        assert_int_equal(status, level <= (int)best ? AKIN_OK : AKIN_USAGE);
        if (status == AKIN_OK)
            assert_int_equal(akin_cpu_active(), level);
        else
            for (int other = 0; other <= (int)best; other++) /* what can be used instead */
                assert_non_null(strstr(akin_error_message(), akin_cpu_name((akin_cpu_level)other)));
    }
    assert_int_equal(akin_cpu_force("portable"), AKIN_OK);
    assert_int_equal(akin_cpu_force("pentium"), AKIN_USAGE);
    assert_non_null(strstr(akin_error_message(), "pentium"));
    assert_int_equal(akin_cpu_active(), AKIN_CPU_PORTABLE); /* a refused level changes nothing */
    assert_int_equal(akin_cpu_force("auto"), AKIN_OK);
    assert_int_equal(akin_cpu_active(), best);
}

/* The levels that other tests are to run exist: if any were named, there is at least one. */
static void test_named(void **state) {
    (void)state;
    int tried = 0;
    FOR_EACH_LEVEL(level) tried++;
    assert_true(tried > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_force), cmocka_unit_test(test_named)};
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
