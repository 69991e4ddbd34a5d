/* listing: scores are restored as the same float, and texts as the same ids. */
#include "publish/listing.h"
#include <akin/rng.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_score(akin_text *text, float score) {
    char expected[64];
    snprintf(expected, sizeof expected, "%.9g", (double)score);
    akin_text_clear(text);
    assert_int_equal(akin_listing_score(text, score), AKIN_OK);
    assert_string_equal(akin_text_bytes(text), expected);
    float back = strtof(akin_text_bytes(text), NULL);
    assert_memory_equal(&back, &score, sizeof score);
}

static void scores_are_printed_as_by_printf(void **unused) {
    (void)unused;
    akin_text *text = NULL;
    assert_int_equal(akin_text_create(&text), AKIN_OK);
    static const float edges[] = {0.0f,  -0.0f,  1.0f,    -1.0f,    0.5f,   -0.5f,           0.1f,
                                  0.01f, 0.001f, 0.0001f, 0.00001f, 1e-30f, 1.17549435e-38f, 0.25f,
                                  0.9f,  0.93f};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        assert_score(text, edges[i]);
        assert_score(text, nextafterf(edges[i], 0));
        if (fabsf(edges[i]) < 1) assert_score(text, nextafterf(edges[i], 1));
    }
    for (uint64_t i = 0; i < 200000; i++) {
        double value = 2 * akin_rng_uniform(1, AKIN_RNG_TEST, 0, i) - 1;
        assert_score(text, (float)value);
        assert_score(text, (float)(value * value * value * value * value));
    }
    akin_text_free(text);
}

static const char *const names[] = {"a", "quote \" and \\", "comma,semi;",
                                    "\xC3\xA4rmel \xF0\x9F\x91\x95", "e"};

static void lists_become_lines(void **unused) {
    (void)unused;
    akin_ids *ids = NULL;
    assert_int_equal(akin_ids_create(5, names, &ids), AKIN_OK);
    akin_text *text = NULL;
    assert_int_equal(akin_text_create(&text), AKIN_OK);
    akin_list list = {1, 3, (const int32_t[]){3, 2, 0}, (const float[]){1, 0.875f, -0.5f}};
    assert_int_equal(akin_listing_json(text, ids, &list), AKIN_OK);
    assert_string_equal(
        akin_text_bytes(text),
        "{\"id\": \"quote \\\" and \\\\\", \"neighbors\": [[\"\xC3\xA4rmel \xF0\x9F\x91\x95\", 1], "
        "[\"comma,semi;\", 0.875], [\"a\", -0.5]]}\n");
    akin_text_clear(text);
    assert_int_equal(akin_listing_csv(text, ids, &list), AKIN_OK);
    assert_string_equal(akin_text_bytes(text),
                        "\"quote \"\" and \\\",1,\xC3\xA4rmel \xF0\x9F\x91\x95,1\n"
                        "\"quote \"\" and \\\",2,\"comma,semi;\",0.875\n"
                        "\"quote \"\" and \\\",3,a,-0.5\n");
    akin_text_clear(text);
    assert_int_equal(akin_listing_pairs(text, ids, &list), AKIN_OK);
    assert_string_equal(
        akin_text_bytes(text),
        "[[\"\xC3\xA4rmel \xF0\x9F\x91\x95\",1],[\"comma,semi;\",0.875],[\"a\",-0.5]]");
    akin_text_clear(text);
    assert_int_equal(akin_listing_ids(text, ids, &list), AKIN_INPUT);
    assert_non_null(strstr(akin_error_message(), "\"\xC3\xA4rmel"));
    list = (akin_list){1, 2, (const int32_t[]){2, 0}, (const float[]){1, 0.875f}};
    akin_text_clear(text);
    assert_int_equal(akin_listing_ids(text, ids, &list), AKIN_OK);
    assert_string_equal(akin_text_bytes(text), "comma,semi; a");
    list = (akin_list){4, 0, NULL, NULL};
    akin_text_clear(text);
    assert_int_equal(akin_listing_pairs(text, ids, &list), AKIN_OK);
    assert_string_equal(akin_text_bytes(text), "[]");
    akin_text_clear(text);
    assert_int_equal(akin_listing_csv(text, ids, &list), AKIN_OK);
    assert_string_equal(akin_text_bytes(text), "");
    assert_int_equal(akin_listing_json(text, ids, &list), AKIN_OK);
    assert_string_equal(akin_text_bytes(text), "{\"id\": \"e\", \"neighbors\": []}\n");
    akin_text_free(text);
    akin_ids_free(ids);
}

/* Eight bytes are checked at once: each byte in each place among plain ones. */
static void every_byte_at_every_place(void **unused) {
    (void)unused;
    char value[21], out[AKIN_TEXT_JSON_MAX(20)], expected[AKIN_TEXT_JSON_MAX(20) + 1];
    for (int byte = 1; byte < 256; byte++)
        for (int place = 0; place < 20; place++) {
            memset(value, 'a' + place, 20);
            value[place] = (char)byte;
            const char *found = byte < 0x20 ? strchr("\bb\ff\nn\rr\tt", byte) : NULL;
            bool escaped = byte < 0x20 || byte == '"' || byte == '\\';
            int at = sprintf(expected, "\"%.*s", place, value);
            if (!escaped) expected[at++] = (char)byte;
            if (escaped && byte >= 0x20) at += sprintf(expected + at, "\\%c", byte);
            if (found) at += sprintf(expected + at, "\\%c", found[1]);
            if (escaped && byte < 0x20 && !found)
                at += sprintf(expected + at, "\\u%04x", (unsigned)byte);
            at += sprintf(expected + at, "%.*s\"", 19 - place, value + place + 1);
            assert_int_equal(akin_text_json(out, value, 20), at);
            assert_memory_equal(out, expected, (size_t)at);
        }
}

static void control_bytes_are_escaped(void **unused) {
    (void)unused;
    akin_text *text = NULL;
    assert_int_equal(akin_text_create(&text), AKIN_OK);
    assert_int_equal(akin_text_append_json(text, "a\001\b\f\n\r\t\x1f\x7f/"), AKIN_OK);
    assert_string_equal(akin_text_bytes(text), "\"a\\u0001\\b\\f\\n\\r\\t\\u001f\x7f/\"");
    akin_text_clear(text);
    assert_int_equal(akin_text_append_json(text, ""), AKIN_OK);
    assert_string_equal(akin_text_bytes(text), "\"\"");
    akin_text_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_printed_as_by_printf),
        cmocka_unit_test(lists_become_lines),
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(control_bytes_are_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
