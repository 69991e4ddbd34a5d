/* csv: reading inverts writing; a byte order mark, blanks, quotes and line ends of every kind. */
#include <akin/csv.h>
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Rows as one text: fields between | and rows between newlines. */
typedef struct {
    char seen[4096];
    size_t rows, stop_at, last; /* last: the number of the last row */
} seen_rows;

static akin_status see(void *context, size_t row, size_t count, const char *const *fields,
                       const size_t *lengths) {
    seen_rows *seen = context;
    seen->rows++;
    assert_true(row > seen->last);
    seen->last = row;
    if (seen->stop_at == row) return akin_error_set(AKIN_GATE, "stop");
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(lengths[i], strlen(fields[i]));
        strcat(seen->seen, i > 0 ? "|" : "");
        strcat(seen->seen, fields[i]);
    }
    strcat(seen->seen, "\n");
    return AKIN_OK;
}

static void put(const char *path, const char *bytes) {
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    fputs(bytes, stream);
    fclose(stream);
}

static void reads_rows(void **unused) {
    (void)unused;
    static const struct {
        const char *file, *rows;
        char separator;
    } cases[] = {
        {"id,path\na,b\n", "id|path\na|b\n", ','},
        {"\xEF\xBB\xBFid,path\r\na,b\r\n", "id|path\na|b\n", ','},
        {"a,\"b \"\"c\"\", d\"\n", "a|b \"c\", d\n", ','},
        {" a , b\n", " a | b\n", ','},
        {"a,\n,b", "a|\n|b\n", ','},
        {"a,b\n\n\nc,d", "a|b\nc|d\n", ','},
        {"\"a\nb\",c", "a\nb|c\n", ','},
        {"5\" nail,x\n", "5\" nail|x\n", ','},
        {"a\tb,c\n", "a|b,c\n", '\t'},
        {"", "", ','},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seen_rows seen = {0};
        put("rows.csv", cases[i].file);
        assert_int_equal(akin_csv_read("rows.csv", cases[i].separator, see, &seen), AKIN_OK);
        assert_string_equal(seen.seen, cases[i].rows);
    }
}

/* Blank rows are counted, as in a program that shows the file; a line end counts once, whatever its
 * kind. */
static void counts_rows_as_they_are_shown(void **unused) {
    (void)unused;
    static const struct {
        const char *file;
        size_t rows, last;
    } cases[] = {{"a,b\nc,d\n", 2, 2},         {"a,b\r\nc,d\r\n", 2, 2}, {"a,b\n\n\nc,d", 2, 4},
                 {"a,b\r\n\r\nc,d\r\n", 2, 3}, {"\n\na,b\nc,d", 2, 4},   {"\"a\n1\",b\nc,d", 2, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        seen_rows seen = {0};
        put("rows.csv", cases[i].file);
        assert_int_equal(akin_csv_read("rows.csv", ',', see, &seen), AKIN_OK);
        assert_int_equal(seen.rows, cases[i].rows);
        assert_int_equal(seen.last, cases[i].last);
    }
}

static void refuses_open_quote_and_missing_file(void **unused) {
    (void)unused;
    seen_rows seen = {0};
    put("rows.csv", "id,path\n\"a,b\nc,d\n");
    assert_int_equal(akin_csv_read("rows.csv", ',', see, &seen), AKIN_INPUT);
    assert_non_null(strstr(akin_error_message(), "row 2"));
    assert_int_equal(akin_csv_read("no such file.csv", ',', see, &seen), AKIN_FAILED);
}

static void passes_on_what_the_caller_returns(void **unused) {
    (void)unused;
    seen_rows seen = {.stop_at = 2};
    put("rows.csv", "1\n2\n3\n4\n");
    assert_int_equal(akin_csv_read("rows.csv", ',', see, &seen), AKIN_GATE);
    assert_int_equal(seen.rows, 2);
}

static void reads_fields_of_any_length_up_to_the_limit(void **unused) {
    (void)unused;
    FILE *stream = fopen("rows.csv", "wb");
    fputs("a,\"", stream);
    for (size_t i = 0; i < AKIN_CSV_FIELD_LIMIT + 4096; i++) fputc('x', stream);
    fclose(stream);
    seen_rows seen = {0};
    assert_int_equal(akin_csv_read("rows.csv", ',', see, &seen), AKIN_INPUT);
}

static void writing_and_reading_is_identity(void **unused) {
    (void)unused;
    static const char *fields[] = {"plain",        "with,comma",  "with \"quotes\"",   "",
                                   " blank first", "blank last ", "\xC3\xA9t\xC3\xA9", "two\nlines",
                                   "\"",           "a\tb"};
    akin_text *text = NULL;
    char expected[4096] = "";
    assert_int_equal(akin_text_create(&text), AKIN_OK);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (i > 0) assert_int_equal(akin_text_append(text, ","), AKIN_OK);
        assert_int_equal(akin_csv_append(text, fields[i]), AKIN_OK);
        strcat(expected, i > 0 ? "|" : "");
        strcat(expected, fields[i]);
    }
    strcat(expected, "\n");
    assert_int_equal(strncmp(akin_text_bytes(text), "plain,\"with,comma\",", 19), 0);
    put("rows.csv", akin_text_bytes(text));
    akin_text_free(text);
    seen_rows seen = {0};
    assert_int_equal(akin_csv_read("rows.csv", ',', see, &seen), AKIN_OK);
    assert_string_equal(seen.seen, expected);
}

static void formulas_are_marked_on_demand_alone(void **unused) {
    (void)unused;
    static const char *fields[][3] = {{"=1+1", "=1+1", "'=1+1"},
                                      {"+49", "+49", "'+49"},
                                      {"-3", "-3", "'-3"},
                                      {"@home", "@home", "'@home"},
                                      {"=a,b", "\"=a,b\"", "\"'=a,b\""},
                                      {"a=b", "a=b", "a=b"},
                                      {"", "", ""},
                                      {"'quoted", "'quoted", "'quoted"}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (int safe = 0; safe < 2; safe++) {
            akin_text *text = NULL;
            akin_csv_make_safe(safe);
            assert_int_equal(akin_text_create(&text), AKIN_OK);
            assert_int_equal(akin_csv_append(text, fields[i][0]), AKIN_OK);
            assert_string_equal(akin_text_bytes(text), fields[i][1 + safe]);
            if (text && !strchr(fields[i][0], ','))
                assert_string_equal(akin_csv_unsafe(akin_text_bytes(text)), fields[i][0]);
            akin_text_free(text);
        }
    akin_csv_make_safe(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_are_marked_on_demand_alone),
        cmocka_unit_test(reads_rows),
        cmocka_unit_test(counts_rows_as_they_are_shown),
        cmocka_unit_test(refuses_open_quote_and_missing_file),
        cmocka_unit_test(passes_on_what_the_caller_returns),
        cmocka_unit_test(reads_fields_of_any_length_up_to_the_limit),
        cmocka_unit_test(writing_and_reading_is_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
