/* row_rules: whoever passes the rule that rows are ordered by is in reach, and where a band is all that
 * the rules ask, hardly anybody else is. */
#include "allpairs/row_summary.h"
#include "levels.h"
#include <akin/row_rules.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { VALUES = 40 };

static akin_row_values value_of(bool number, uint32_t seed) {
    akin_row_values v = {.value = {-1}};
    float drawn = seed % 9 == 0 ? NAN : ((float)(mix(seed) % 4001) - 2000) / 7;
    if (number)
        memcpy(v.value, &drawn, sizeof drawn);
    else
        v.value[0] = (int32_t)(mix(seed) % 8) - 1;
    return v;
}

static bool reaches(const akin_row_rules *rules, const akin_row_values *a,
                    const akin_row_values *b) {
    akin_row_span span = akin_row_span_none();
    akin_row_span_add(&span, rules->number[0], b->value[0]);
    return akin_row_reaches(akin_row_rules_reach(rules, a), akin_row_rules_reached(rules, &span));
}

/* Returns how many more are in reach than pass. */
static size_t check(const akin_row_rule *rule) {
    akin_row_rules rules = {.slots = 1, .count = 1, .number = {rule->number}, .orders = 1};
    size_t more = 0;
    rules.rule[0] = *rule;
    for (uint32_t i = 0; i < VALUES; i++)
        for (uint32_t j = 0; j < VALUES; j++) {
            akin_row_values a = value_of(rule->number, i), b = value_of(rule->number, VALUES + j);
            bool passes = akin_row_rules_allow(&rules, 0, &a, 1, &b);
            assert_true(reaches(&rules, &a, &b) || !passes);
            more += reaches(&rules, &a, &b) && !passes;
        }
    return more;
}

static void bands_are_reach(void **unused) {
    (void)unused;
    static const akin_row_rule bands[] = {
        {.kind = AKIN_ROW_RULE_SAME, .number = true},
        {.kind = AKIN_ROW_RULE_SAME},
        {.kind = AKIN_ROW_RULE_RATIO, .number = true, .low = 0.8, .high = 1.2},
        {.kind = AKIN_ROW_RULE_RATIO, .number = true, .low = -0.1, .high = 3},
        {.kind = AKIN_ROW_RULE_DIFFERENCE, .number = true, .low = -10.1, .high = 0.3}};
    for (size_t r = 0; r < sizeof bands / sizeof *bands; r++) assert_int_equal(check(&bands[r]), 0);
}

static void others_reach_all(void **unused) {
    (void)unused;
    static const uint32_t first[] = {0, 1, 2, 3, 4, 5, 6, 8};
    static const int32_t parts[] = {0, 1, 2, 3, 4, 5, 0, 1};
    static const uint8_t allowed[49] = {[3] = 1, [10] = 1, [25] = 1};
    static const akin_row_rule others[] = {
        {.kind = AKIN_ROW_RULE_DIFFERENT},
        {.kind = AKIN_ROW_RULE_DIFFERENT, .number = true},
        {.kind = AKIN_ROW_RULE_SAME, .parts_first = first, .parts = parts},
        {.kind = AKIN_ROW_RULE_PAIRS, .allowed = allowed, .values = 7}};
    for (size_t r = 0; r < sizeof others / sizeof *others; r++) {
        const akin_row_rules rules = {.count = 1, .orders = 1, .rule = {others[r]}};
        assert_false(akin_row_rules_are_reach(&rules));
        (void)check(&others[r]);
    }
}

static void only_a_band_alone_is_all(void **unused) {
    (void)unused;
    akin_row_rules rules = {.count = 1, .orders = 1};
    assert_true(akin_row_rules_are_reach(&rules));
    rules.both = true;
    assert_false(akin_row_rules_are_reach(&rules));
    rules.both = false, rules.reversed = true;
    assert_false(akin_row_rules_are_reach(&rules));
    rules.reversed = false, rules.orders = 0;
    assert_false(akin_row_rules_are_reach(&rules));
    rules.orders = 1, rules.count = 2;
    assert_false(akin_row_rules_are_reach(&rules));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(bands_are_reach),
                                       cmocka_unit_test(others_reach_all),
                                       cmocka_unit_test(only_a_band_alone_is_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
