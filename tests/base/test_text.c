/* text: appending; UTF-8 exactly as in RFC 3629; the nearest word; numbers without anything else.
 */
#include <akin/mem.h>
#include <akin/text.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void appends_are_concatenation(void **state) {
    (void)state;
    char *expected = calloc(1, 100000);
    size_t length = 0;
    akin_text *text;
    assert_int_equal(akin_text_create(&text), AKIN_OK);
    assert_string_equal(akin_text_bytes(text), "");
    for (int i = 0; i < 300; i++) {
        char piece[400];
        memset(piece, 'a' + i % 26, (size_t)i);
        piece[i] = '\0';
        length += (size_t)sprintf(expected + length, "%d:%s", i, piece);
        assert_int_equal(akin_text_append(text, "%d:%s", i, piece), AKIN_OK);
        assert_int_equal(akin_text_length(text), length);
        assert_string_equal(akin_text_bytes(text), expected);
    }
    akin_text_clear(text);
    assert_int_equal(akin_text_append_bytes(text, "a\0b", 3), AKIN_OK);
    assert_int_equal(akin_text_append_bytes(text, NULL, 0), AKIN_OK);
    assert_int_equal(akin_text_length(text), 3);
    assert_memory_equal(akin_text_bytes(text), "a\0b", 4);
    akin_text_free(text);
    akin_text_free(NULL);
    free(expected);
}

static void a_failed_append_changes_nothing(void **state) {
    (void)state;
    char big[1000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    for (uint64_t n = 1; n <= 2; n++) {
        akin_text *text;
        akin_mem_fail_at(n);
        assert_int_equal(akin_text_create(&text), AKIN_FAILED);
        assert_null(text);
    }
    akin_text *text;
    assert_int_equal(akin_text_create(&text), AKIN_OK);
    assert_int_equal(akin_text_append(text, "cheese"), AKIN_OK);
    akin_mem_fail_at(1);
    assert_int_equal(akin_text_append(text, "%s", big), AKIN_FAILED);
    assert_string_equal(akin_text_bytes(text), "cheese");
    akin_mem_fail_at(1);
    assert_int_equal(akin_text_append_bytes(text, big, sizeof big), AKIN_FAILED);
    assert_string_equal(akin_text_bytes(text), "cheese");
    akin_text_free(text);
}

/* The reference decodes by arithmetic and refuses overlong forms, surrogates, and values past
 * U+10FFFF. */
static bool decodes(const unsigned char *s, size_t n) {
    for (size_t i = 0; i < n;) {
        size_t more = s[i] < 0x80       ? 0
                      : s[i] >> 5 == 6  ? 1
                      : s[i] >> 4 == 14 ? 2
                      : s[i] >> 3 == 30 ? 3
                                        : 9;
        if (more == 9 || i + more >= n) return false;
        unsigned long point = more == 0 ? s[i] : s[i] & (0x3F >> more);
        for (size_t j = 1; j <= more; j++) {
            if (s[i + j] >> 6 != 2) return false;
            point = point << 6 | (s[i + j] & 0x3F);
        }
        static const unsigned long least[] = {1, 0x80, 0x800, 0x10000};
        if (point < least[more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
            return false;
        i += more + 1;
    }
    return true;
}

/* All sequences of one, two and three bytes, and those of four around every limit. */
static void utf8_is_what_decodes(void **state) {
    (void)state;
    static const unsigned char edges[] = {0x01, 0x41, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x9F, 0xA0,
                                          0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
                                          0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
    enum { EDGES = sizeof edges };
    size_t valid = 0;
    unsigned char s[4];
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (unsigned c = 0; c < 256; c++) {
                s[0] = (unsigned char)a, s[1] = (unsigned char)b, s[2] = (unsigned char)c;
                for (size_t n = c ? 3 : b ? 2 : 1; n <= 3; n++)
                    if (akin_text_is_utf8((char *)s, n) != decodes(s, n))
                        fail_msg("%02x %02x %02x of %zu", a, b, c, n);
            }
    for (int i = 0; i < EDGES * EDGES * EDGES * EDGES; i++) {
        s[0] = edges[i % EDGES], s[1] = edges[i / EDGES % EDGES];
        s[2] = edges[i / EDGES / EDGES % EDGES], s[3] = edges[i / EDGES / EDGES / EDGES];
        bool is = akin_text_is_utf8((char *)s, 4);
        valid += is;
        if (is != decodes(s, 4)) fail_msg("%02x %02x %02x %02x", s[0], s[1], s[2], s[3]);
    }
    assert_true(valid > 100);
    assert_true(akin_text_is_utf8("", 0));
    assert_true(akin_text_is_utf8("Schn\xC3\xBCrschuh \xE2\x82\xAC \xF0\x9F\xA7\x80", 21));
    assert_false(akin_text_is_utf8("a\0b", 3));
}

static void the_nearest_word_is_the_one_meant(void **state) {
    (void)state;
    static const char *const verbs[] = {"ingest",   "train",   "embed", "neighbors",
                                        "evaluate", "publish", "run",   NULL};
    static const char *const pairs[][2] = {{"trian", "train"},    {"neighbours", "neighbors"},
                                           {"INGEST", "ingest"},  {"Trian", "train"},
                                           {"embedd", "embed"},   {"run", "run"},
                                           {"publsh", "publish"}, {"evaluat", "evaluate"},
                                           {"xyzzy", NULL},       {"", NULL}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *nearest = akin_text_nearest(pairs[i][0], verbs);
        if (!pairs[i][1])
            assert_null(nearest);
        else
            assert_string_equal(nearest, pairs[i][1]);
    }
    assert_null(akin_text_nearest("train", (const char *const[]){NULL}));
    char big[3000];
    memset(big, 'e', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    akin_text_nearest(big, verbs); /* must only not crash */
}

static void whole_numbers_are_nothing_else(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool is;
        long long value;
    } cases[] = {{"0", 1, 0},
                 {"-7", 1, -7},
                 {"+7", 1, 7},
                 {"007", 1, 7},
                 {"9223372036854775807", 1, 9223372036854775807},
                 {"9223372036854775808", 0, 0},
                 {"-9223372036854775809", 0, 0},
                 {"", 0, 0},
                 {" 7", 0, 0},
                 {"7 ", 0, 0},
                 {"7.0", 0, 0},
                 {"0x7", 0, 0},
                 {"7a", 0, 0},
                 {"-", 0, 0},
                 {"--7", 0, 0},
                 {"7-", 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        long long value = 0;
        if (akin_text_to_int(cases[i].text, &value) != cases[i].is) fail_msg("'%s'", cases[i].text);
        assert_int_equal(value, cases[i].value);
    }
}

static void real_numbers_are_finite_and_nothing_else(void **state) {
    (void)state;
    static const char *const good[] = {"0", "-1.5", "1e-3", ".5", "5.", "+2E+2", "1e-320"};
    static const char *const bad[] = {"",          " 1",    "1 ",    "nan",   "inf",
                                      "-infinity", "1e999", "0x1p3", "1,5",   "1e",
                                      "e5",        ".",     "-",     "1.2.3", "1f"};
    double value;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(akin_text_to_real(good[i], &value));
        assert_true(value == strtod(good[i], NULL));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (akin_text_to_real(bad[i], &value)) fail_msg("'%s' is %g", bad[i], value);
}

static const char *name_at(const void *names, size_t at) {
    return ((const char *const *)names)[at];
}

static void a_name_is_found_where_it_stands(void **state) {
    (void)state;
    static const char *const names[] = {"", "a", "ab", "b", "\xc3\xa9"};
    enum { COUNT = sizeof names / sizeof *names };
    for (size_t count = 0; count <= COUNT; count++)
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(akin_text_search(names[i], name_at, names, count),
                             i < count ? (int64_t)i : -1);
    assert_int_equal(akin_text_search("aa", name_at, names, COUNT), -1);
    assert_int_equal(akin_text_search("z", name_at, names, COUNT), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_are_concatenation),
        cmocka_unit_test(a_failed_append_changes_nothing),
        cmocka_unit_test(utf8_is_what_decodes),
        cmocka_unit_test(the_nearest_word_is_the_one_meant),
        cmocka_unit_test(a_name_is_found_where_it_stands),
        cmocka_unit_test(whole_numbers_are_nothing_else),
        cmocka_unit_test(real_numbers_are_finite_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
