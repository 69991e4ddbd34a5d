/* options: declared options are understood, from a command line and from a job file. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <akin/mem.h>
#include <akin/options.h>
#include <string.h>

static const akin_option own[] = {
    {.name = "output",
     .letter = 'o',
     .type = AKIN_OPTION_TEXT,
     .argument = "FILE",
     .help = "where to"},
    {.name = "k",
     .letter = 'k',
     .type = AKIN_OPTION_INT,
     .initial = "20",
     .minimum = 1,
     .maximum = 1000,
     .argument = "N",
     .help = "neighbours",
     .shapes_result = true},
    {.name = "min-score",
     .type = AKIN_OPTION_REAL,
     .minimum = -1,
     .maximum = 1,
     .shapes_result = true},
    {.name = "fit",
     .type = AKIN_OPTION_CHOICE,
     .initial = "stretch",
     .choices = "stretch|pad|crop",
     .shapes_result = true},
    {.name = "to", .type = AKIN_OPTION_LIST},
    {.name = "same-category", .type = AKIN_OPTION_FLAG, .shapes_result = true},
    {0},
};
static const akin_option common[] = {{.name = "json", .type = AKIN_OPTION_FLAG, .unrecorded = true},
                                     {0}};
static const akin_option *const tables[] = {own, common, NULL};

static akin_options *fresh(void) {
    akin_options *options = NULL;
    assert_int_equal(akin_options_create(tables, &options), AKIN_OK);
    return options;
}

#define PARSE(options, ...)                                                                        \
    akin_options_parse(options, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)),           \
                       (char *[]){__VA_ARGS__})

static void assert_resolved(const akin_options *options, bool only_result, const char *expected) {
    char *text = akin_options_resolved(options, only_result);
    assert_string_equal(text, expected);
    akin_mem_free(text);
}

static void defaults_hold(void **state) {
    (void)state;
    akin_options *options = fresh();
    assert_int_equal(PARSE(options, "a.nc", "-"), AKIN_OK);
    const char *const *arguments = NULL;
    assert_int_equal(akin_options_arguments(options, &arguments), 2);
    assert_string_equal(arguments[1], "-");
    assert_int_equal(akin_options_int(options, "k"), 20);
    assert_null(akin_options_text(options, "output"));
    assert_false(akin_options_given(options, "k"));
    assert_false(akin_options_given(options, "min-score"));
    assert_string_equal(akin_options_text(options, "fit"), "stretch");
    assert_resolved(options, true, "k=20 fit=stretch same-category=no");
    akin_options_free(options);
}

static void every_form_of_a_value(void **state) {
    (void)state;
    static char *const forms[][3] = {
        {"--k", "7", NULL}, {"--k=7", NULL}, {"-k", "7", NULL}, {"-k7", NULL}, {"-k=7"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        akin_options *options = fresh();
        assert_int_equal(akin_options_parse(options, forms[i][1] ? 2 : 1, forms[i]), AKIN_OK);
        assert_int_equal(akin_options_int(options, "k"), 7);
        assert_true(akin_options_given(options, "k"));
        akin_options_free(options);
    }
}

static void negative_numbers_are_values(void **state) {
    (void)state;
    akin_options *options = fresh();
    assert_int_equal(PARSE(options, "--min-score", "-0.5", "x", "--", "--k"), AKIN_OK);
    assert_true(akin_options_real(options, "min-score") == -0.5);
    const char *const *arguments = NULL;
    assert_int_equal(akin_options_arguments(options, &arguments), 2);
    assert_string_equal(arguments[1], "--k");
    akin_options_free(options);
}

static void flags_can_be_turned(void **state) {
    (void)state;
    static char *const words[] = {"--same-category",    "--same-category=yes",
                                  "--same-category=1",  "--no-same-category",
                                  "--same-category=no", "--same-category=false"};
    for (size_t i = 0; i < 6; i++) {
        akin_options *options = fresh();
        assert_int_equal(akin_options_parse(options, 1, words + i), AKIN_OK);
        assert_int_equal(akin_options_flag(options, "same-category"), i < 3);
        akin_options_free(options);
    }
}

static void what_is_wrong_is_named(void **state) {
    (void)state;
    static const struct {
        char *words[2];
        const char *message;
    } wrong[] = {
        {{"--outptu", "x"}, "unknown option --outptu; did you mean --output?"},
        {{"--fitt=pad"}, "unknown option --fitt; did you mean --fit?"},
        {{"-json"}, "unknown option -json; did you mean --json?"},
        {{"--no-k"}, "unknown option --no-k"},
        {{"--k"}, "--k needs a value: --k N"},
        {{"-o", "--json"}, "-o needs a value: -o FILE"},
        {{"--k", "0"}, "--k must be a whole number from 1 to 1000, not \"0\""},
        {{"-k", "1.5"}, "-k must be a whole number from 1 to 1000, not \"1.5\""},
        {{"-kx"}, "-k must be a whole number from 1 to 1000, not \"x\""},
        {{"--min-score=nan"}, "--min-score must be a number from -1 to 1, not \"nan\""},
        {{"--min-score", "-2"}, "--min-score must be a number from -1 to 1, not \"-2\""},
        {{"--fit", "cro"}, "--fit must be one of stretch|pad|crop, not \"cro\""},
        {{"--fit="}, "--fit must be one of stretch|pad|crop, not \"\""},
        {{"--output="}, "--output must be a non-empty text, not \"\""},
        {{"--same-category=maybe"}, "--same-category must be yes or no, not \"maybe\""},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        akin_options *options = fresh();
        assert_int_equal(akin_options_parse(options, wrong[i].words[1] ? 2 : 1, wrong[i].words),
                         AKIN_USAGE);
        assert_true(strncmp(akin_error_message(), wrong[i].message, strlen(wrong[i].message)) == 0);
        akin_options_free(options);
    }
}

static void the_command_line_beats_the_job_file(void **state) {
    (void)state;
    akin_options *options = fresh();
    const char *const *to = NULL;
    assert_int_equal(akin_options_set(options, "k", "5", "a.ini:2"), AKIN_OK);
    assert_int_equal(akin_options_set(options, "to", "file:a \"file:b c\" 'd e'", "a.ini:3"),
                     AKIN_OK);
    assert_int_equal(akin_options_set(options, "to", "file:f", "a.ini:4"), AKIN_OK);
    assert_int_equal(akin_options_list(options, "to", &to), 4);
    assert_string_equal(to[1], "file:b c");
    assert_string_equal(to[2], "d e");
    assert_resolved(
        options, false,
        "k=5 fit=stretch to=file:a to=\"file:b c\" to=\"d e\" to=file:f same-category=no");
    assert_int_equal(PARSE(options, "--to", "x", "--k=6", "--to=y"), AKIN_OK);
    assert_int_equal(akin_options_list(options, "to", &to), 2);
    assert_string_equal(to[0], "x");
    assert_int_equal(akin_options_int(options, "k"), 6);
    akin_options_free(options);
}

static void a_job_file_is_told_its_line(void **state) {
    (void)state;
    akin_options *options = fresh();
    assert_int_equal(akin_options_set(options, "same-categroy", "yes", "a.ini:2"), AKIN_USAGE);
    assert_string_equal(akin_error_message(),
                        "a.ini:2: unknown key same-categroy; did you mean same-category?");
    assert_int_equal(akin_options_set(options, "same-category", "si", "a.ini:3"), AKIN_USAGE);
    assert_string_equal(akin_error_message(),
                        "a.ini:3: same-category must be yes or no, not \"si\"");
    assert_int_equal(akin_options_set(options, "to", "\"x", "a.ini:4"), AKIN_USAGE);
    assert_string_equal(akin_error_message(), "a.ini:4: to has an unclosed quote (\")");
    akin_options_free(options);
}

static void resolved_numbers_have_one_form(void **state) {
    (void)state;
    akin_options *options = fresh();
    assert_int_equal(PARSE(options, "--k=+007", "--min-score=0.10", "--json"), AKIN_OK);
    assert_resolved(options, true, "k=7 min-score=0.1 fit=stretch same-category=no");
    assert_resolved(options, false, "k=7 min-score=0.1 fit=stretch same-category=no");
    akin_options_free(options);
}

static void recorded_options_are_words(void **state) {
    (void)state;
    char **words = NULL;
    size_t count = 0;
    assert_int_equal(
        akin_options_recorded("k=20 only=\"category=dry food\" only=brand=Ace", &words, &count),
        AKIN_OK);
    assert_int_equal(count, 3);
    assert_string_equal(akin_options_after(words, count, "only="), "category=dry food");
    assert_string_equal(akin_options_after(words, count, "only=brand="), "Ace");
    assert_null(akin_options_after(words, count, "category="));
    akin_options_free_words(words, count);
    const char *const none[] = {NULL, "", "k=20 \"open"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(akin_options_recorded(none[i], &words, &count), AKIN_OK);
        assert_int_equal(count, 0);
        akin_options_free_words(words, count);
    }
}

static void words_are_split(void **state) {
    (void)state;
    char **words = NULL;
    size_t count = 0;
    assert_int_equal(
        akin_options_split(" it's.csv  \"a \"\"b\"\"\" --x=\"c d\"\t\"\" ", &words, &count),
        AKIN_OK);
    assert_int_equal(count, 4);
    assert_string_equal(words[0], "it's.csv");
    assert_string_equal(words[1], "a \"b\"");
    assert_string_equal(words[2], "--x=c d");
    assert_string_equal(words[3], "");
    akin_options_free_words(words, count);
    assert_int_equal(akin_options_split("  ", &words, &count), AKIN_OK);
    assert_int_equal(count, 0);
}

static void help_names_every_option(void **state) {
    (void)state;
    char *help = akin_options_help(tables);
    for (size_t t = 0; tables[t]; t++)
        for (const akin_option *spec = tables[t]; spec->name; spec++)
            assert_non_null(strstr(help, spec->name));
    assert_non_null(strstr(help, "  -k, --k N                         neighbours [20]\n"));
    akin_mem_free(help);
}

/* If any allocation fails, the call reports it, and nothing leaks or breaks. */
static void failing_memory_is_survived(void **state) {
    (void)state;
    size_t failures = 0;
    for (uint64_t n = 1; n < 200; n++) {
        akin_options *options = NULL;
        akin_mem_fail_at(n);
        akin_status status = akin_options_create(tables, &options);
        if (status == AKIN_OK) status = PARSE(options, "a", "--to", "b", "--to=c", "-k5");
        char *text = status == AKIN_OK ? akin_options_resolved(options, false) : NULL;
        akin_mem_fail_at(0);
        assert_true(status == AKIN_OK || status == AKIN_FAILED);
        failures += !text;
        akin_mem_free(text);
        akin_options_free(options);
    }
    assert_in_range(failures, 10, 198);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold),
        cmocka_unit_test(every_form_of_a_value),
        cmocka_unit_test(negative_numbers_are_values),
        cmocka_unit_test(flags_can_be_turned),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(the_command_line_beats_the_job_file),
        cmocka_unit_test(a_job_file_is_told_its_line),
        cmocka_unit_test(resolved_numbers_have_one_form),
        cmocka_unit_test(words_are_split),
        cmocka_unit_test(recorded_options_are_words),
        cmocka_unit_test(help_names_every_option),
        cmocka_unit_test(failing_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
