/* json: what is set is read back, one line stays one line, and the output is always valid JSON. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <akin/json.h>
#include <akin/mem.h>
#include <math.h>
#include <string.h>

static void assert_printed(const akin_json *json, const char *expected) {
    char *text = akin_json_print(json, false);
    assert_string_equal(text, expected);
    akin_mem_free(text);
}

static akin_json *example(void) {
    akin_json *object = akin_json_object(), *list = akin_json_array();
    akin_json_append_text(list, "a");
    akin_json_append_number(list, 0.5);
    akin_json_set_text(object, "text", "one\ntwo \"q\" \xC3\xA4");
    akin_json_set_integer(object, "whole", 3000000000);
    akin_json_set_number(object, "nan", NAN);
    akin_json_set_number(object, "inf", -INFINITY);
    akin_json_set_bool(object, "yes", true);
    akin_json_set_null(object, "none");
    akin_json_set_node(object, "list", &list);
    return object;
}

static const char example_text[] =
    "{\"text\":\"one\\ntwo \\\"q\\\" \xC3\xA4\",\"whole\":3000000000,\"nan\":null,"
    "\"inf\":null,\"yes\":true,\"none\":null,\"list\":[\"a\",0.5]}";

static void print_then_parse_is_identity(void **state) {
    (void)state;
    akin_json *object = example(), *back = NULL, *copy = NULL;
    assert_printed(object, example_text);
    assert_int_equal(akin_json_parse(example_text, strlen(example_text), &back), AKIN_OK);
    assert_printed(back, example_text);
    char *indented = akin_json_print(object, true);
    akin_json_free(back);
    assert_int_equal(akin_json_parse(indented, strlen(indented), &back), AKIN_OK);
    copy = akin_json_copy(back);
    assert_printed(copy, example_text);
    akin_mem_free(indented);
    akin_json_free(copy);
    akin_json_free(back);
    akin_json_free(object);
}

static void what_is_set_is_read(void **state) {
    (void)state;
    akin_json *object = example();
    assert_string_equal(akin_json_text(object, "text"), "one\ntwo \"q\" \xC3\xA4");
    assert_null(akin_json_text(object, "whole"));
    assert_true(akin_json_number(object, "whole", 0) == 3e9);
    assert_true(akin_json_number(object, "nan", -7) == -7);
    assert_true(akin_json_number(object, "absent", -7) == -7);
    assert_int_equal(akin_json_count(akin_json_get(object, "list")), 2);
    assert_string_equal(akin_json_key(akin_json_at(object, 1)), "whole");
    assert_null(akin_json_get(NULL, "x"));
    akin_json_free(object);
}

static void the_last_value_of_a_key_holds(void **state) {
    (void)state;
    akin_json *object = akin_json_object();
    akin_json_set_text(object, "a", "x");
    akin_json_set_text(object, "b", "x");
    akin_json_set_integer(object, "a", 3);
    akin_json_set_integer(object, "A", 4);
    assert_printed(object, "{\"a\":3,\"b\":\"x\",\"A\":4}");
    akin_json_free(object);
}

static void whole_numbers_are_exact(void **state) {
    (void)state;
    akin_json *object = akin_json_object();
    akin_json_set_integer(object, "a", 9007199254740991);
    akin_json_set_integer(object, "b", -1000000000000001);
    assert_printed(object, "{\"a\":9007199254740991,\"b\":-1000000000000001}");
    assert_true(akin_json_number(object, "a", 0) == 9007199254740991.0);
    akin_json_free(object);
}

static void bytes_that_are_no_utf8_are_mended(void **state) {
    (void)state;
    akin_json *object = akin_json_object();
    akin_json_set_text(object, "a", "f\xFFo\xC3\xA4\xC3");
    assert_printed(object, "{\"a\":\"f\xEF\xBF\xBDo\xC3\xA4\xEF\xBF\xBD\"}");
    akin_json_free(object);
}

static void what_is_no_json_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"", "{", "{\"a\":}", "{} x", "nope"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        akin_json *json = NULL;
        assert_int_equal(akin_json_parse(wrong[i], strlen(wrong[i]), &json), AKIN_INPUT);
        assert_null(json);
    }
}

/* If any allocation fails, parsing reports that, and does not blame the text. */
static void failing_memory_is_no_wrong_text(void **state) {
    (void)state;
    size_t failures = 0;
    for (uint64_t n = 1; n < 60; n++) {
        akin_json *json = NULL;
        akin_mem_fail_at(n);
        akin_status status = akin_json_parse(example_text, strlen(example_text), &json);
        akin_mem_fail_at(0);
        assert_true(status == AKIN_OK || status == AKIN_FAILED);
        failures += status != AKIN_OK;
        akin_json_free(json);
    }
    assert_in_range(failures, 10, 58);
}

/* If any allocation fails, the object is marked as incomplete, and so is its copy. */
static void a_failure_sticks(void **state) {
    (void)state;
    uint64_t failed = 0;
    for (uint64_t n = 1;; n++) {
        uint64_t before = akin_mem_failures();
        akin_mem_fail_at(n);
        akin_json *object = example();
        akin_mem_fail_at(0);
        akin_json *whole = akin_json_object();
        if (akin_mem_failures() == before) { /* everything succeeded */
            assert_int_equal(akin_json_check(object), AKIN_OK);
            akin_json_free(object);
            akin_json_free(whole);
            break;
        }
        akin_json *copy = akin_json_copy(object);
        akin_json_set_node(whole, "object", &object);
        assert_int_equal(akin_json_check(whole), AKIN_FAILED);
        if (copy) assert_int_equal(akin_json_check(copy), AKIN_FAILED);
        akin_json_free(copy);
        akin_json_free(whole);
        failed++;
    }
    assert_true(failed > 10);
    assert_int_equal(akin_json_check(NULL), AKIN_FAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(print_then_parse_is_identity),
        cmocka_unit_test(what_is_set_is_read),
        cmocka_unit_test(a_failure_sticks),
        cmocka_unit_test(the_last_value_of_a_key_holds),
        cmocka_unit_test(whole_numbers_are_exact),
        cmocka_unit_test(bytes_that_are_no_utf8_are_mended),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(failing_memory_is_no_wrong_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
