/* jobfile: declared keys are read, and everything else is refused with its line. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <akin/jobfile.h>
#include <akin/mem.h>
#include <stdio.h>
#include <string.h>

static const akin_option job_keys[] = {{.name = "name", .type = AKIN_OPTION_TEXT}, {0}};
static const akin_option ingest_keys[] = {{.name = "fit",
                                           .type = AKIN_OPTION_CHOICE,
                                           .initial = "stretch",
                                           .choices = "stretch|pad|crop"},
                                          {.name = "output", .type = AKIN_OPTION_TEXT},
                                          {0}};
static const akin_option neighbors_keys[] = {
    {.name = "k", .type = AKIN_OPTION_INT, .initial = "20", .minimum = 1, .maximum = 1000},
    {.name = "min-score", .type = AKIN_OPTION_REAL, .minimum = -1, .maximum = 1},
    {.name = "same-category", .type = AKIN_OPTION_FLAG},
    {0}};
static const akin_option publish_keys[] = {{.name = "to", .type = AKIN_OPTION_LIST}, {0}};
static const akin_option *const job_tables[] = {job_keys, NULL},
                                *const ingest_tables[] = {ingest_keys, NULL},
                                *const neighbors_tables[] = {neighbors_keys, NULL},
                                *const publish_tables[] = {publish_keys, NULL};
static const akin_jobfile_refusal refused[] = {{"output", "is set by the run"}, {0}};
static const akin_jobfile_section sections[] = {
    {.name = "job", .tables = job_tables},
    {.name = "ingest", .tables = ingest_tables, .argument_key = "source", .refusals = refused},
    {.name = "neighbors", .tables = neighbors_tables},
    {.name = "publish", .tables = publish_tables},
    {.name = "table", .tables = neighbors_tables, .named = true},
    {0},
};

static akin_status read_text(const char *text, akin_jobfile **job) {
    FILE *file = fopen("a.ini", "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return akin_jobfile_read("a.ini", sections, job);
}

static void everything_declared_is_read(void **state) {
    (void)state;
    akin_jobfile *job = NULL;
    const char *const *values = NULL;
    assert_int_equal(read_text("\xEF\xBB\xBF; first\n"
                               "[job]\n"
                               "name = \"two words\"\n"
                               "[ ingest ] ; second\r\n"
                               "source = a.csv \"b c.tar\" ; third\r\n"
                               "    d.tar ; again\n"
                               "\te:f=g.tar\n"
                               "# fourth\n"
                               "source=h.tar\n"
                               "fit : crop\n"
                               "\n"
                               "  [neighbors]\n"
                               "  k = 7\n"
                               "  min-score = -0.5\n"
                               "  same-category = yes",
                               &job),
                     AKIN_OK);
    assert_string_equal(akin_options_text(akin_jobfile_options(job, "job"), "name"), "two words");
    akin_options *ingest = akin_jobfile_options(job, "ingest");
    assert_int_equal(akin_options_arguments(ingest, &values), 5);
    assert_string_equal(values[1], "b c.tar");
    assert_string_equal(values[3], "e:f=g.tar");
    assert_string_equal(values[4], "h.tar");
    assert_string_equal(akin_options_text(ingest, "fit"), "crop");
    static const char *const places[] = {
        "a.ini:5", "a.ini:5", "a.ini:6",
        "a.ini:7", "a.ini:9", "a.ini:5" /* the key, of what it does not have */};
    for (size_t i = 0; i < 6; i++) {
        char *at = akin_jobfile_place_of(job, "ingest", "source", i);
        assert_string_equal(at, places[i]);
        akin_mem_free(at);
    }
    akin_options *neighbors = akin_jobfile_options(job, "neighbors");
    assert_int_equal(akin_options_int(neighbors, "k"), 7);
    assert_true(akin_options_real(neighbors, "min-score") == -0.5);
    assert_true(akin_options_flag(neighbors, "same-category"));
    assert_true(akin_jobfile_has(job, "neighbors"));
    assert_false(akin_jobfile_has(job, "publish"));
    assert_int_equal(akin_options_list(akin_jobfile_options(job, "publish"), "to", &values), 0);
    char *place = akin_jobfile_place(job, "neighbors", "k");
    assert_string_equal(place, "a.ini:13");
    akin_mem_free(place);
    akin_jobfile_free(job);
}

static void an_empty_file_is_all_defaults(void **state) {
    (void)state;
    akin_jobfile *job = NULL;
    assert_int_equal(read_text("", &job), AKIN_OK);
    assert_int_equal(akin_options_int(akin_jobfile_options(job, "neighbors"), "k"), 20);
    assert_false(akin_jobfile_has(job, "job"));
    akin_jobfile_free(job);
}

static void named_sections_have_options_of_their_own(void **state) {
    (void)state;
    akin_jobfile *job = NULL;
    assert_int_equal(read_text("[table  a_1-B ] ; a comment\nk = 7\n[neighbors]\nk = 3\n"
                               "[table z]\nk = 9\n",
                               &job),
                     AKIN_OK);
    assert_string_equal(akin_jobfile_named(job, "table", 0), "table a_1-B");
    assert_string_equal(akin_jobfile_named(job, "table", 1), "table z");
    assert_null(akin_jobfile_named(job, "table", 2));
    assert_int_equal(akin_options_int(akin_jobfile_options(job, "table a_1-B"), "k"), 7);
    assert_int_equal(akin_options_int(akin_jobfile_options(job, "table z"), "k"), 9);
    assert_int_equal(akin_options_int(akin_jobfile_options(job, "neighbors"), "k"), 3);
    char *place = akin_jobfile_place(job, "table z", "k");
    assert_string_equal(place, "a.ini:6");
    akin_mem_free(place);
    akin_jobfile_free(job);
}

static void what_is_wrong_has_its_line(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"[job]\nname = x\n[neigbors]\nk = 3\n",
         "a.ini:3: unknown section [neigbors]; did you mean [neighbors]?"},
        {"[job]\nname = x\n[publihs]\n",
         "a.ini:3: unknown section [publihs]; did you mean [publish]?"},
        {"[neighbors]\n\nsame-categry = yes\n",
         "a.ini:3: [neighbors] unknown key same-categry; did you mean same-category?"},
        {"[publish]\nto = a\n[ingest]\nk = 3\n",
         "a.ini:4: [ingest] unknown key k; it belongs to [neighbors] or [table NAME]"},
        {"[table a]\nsource = a.csv\n",
         "a.ini:2: [table a] unknown key source; it belongs to [ingest]"},
        {"[publish]\noutput = a\n", "a.ini:2: [publish] unknown key output; did you mean to?"},
        {"[neighbors]\nk = ten\n",
         "a.ini:2: [neighbors] k must be a whole number from 1 to 1000, not \"ten\""},
        {"[neighbors]\nk =\n",
         "a.ini:2: [neighbors] k must be a whole number from 1 to 1000, not \"\""},
        {"[neighbors]\nk = 1\nmin-score = 1\nk = 2\n",
         "a.ini:4: [neighbors] k is given twice, first on line 2"},
        {"[neighbors]\nk = 1\n[job]\nname=a\n[neighbors]\nk = 2\n",
         "a.ini:6: [neighbors] k is given twice, first on line 2"},
        {"[neighbors]\nk = 1\n  2\n",
         "a.ini:3: [neighbors] a line that begins with a blank continues the "
         "key above, but k takes one value"},
        {"[neighbors]\nk 1\n",
         "a.ini:2: [neighbors] a line that is neither [section] nor key = value"},
        {"[neighbors]\nsame-category\n[job]\nname = x\n",
         "a.ini:2: [neighbors] a line that is neither [section] nor key = value"},
        {"[neighbors]\nk = 2\n[job]\nname = x\n[neighbors]\nsame-category\n[publish]\n",
         "a.ini:6: [neighbors] a line that is neither [section] nor key = value"},
        {"[job]\n[neighbors]\nsame-category\n",
         "a.ini:1: [job] has no key; it needs at least one, such as enabled = yes\n"
         "a.ini:3: [neighbors] a line that is neither [section] nor key = value"},
        {"[tabel a]\nk = 0\n[publsh]\n[neighbors]\nk = 0\n",
         "a.ini:1: unknown section [tabel a]; did you mean [table]?\n"
         "a.ini:3: unknown section [publsh]; did you mean [publish]?\n"
         "a.ini:5: [neighbors] k must be a whole number from 1 to 1000, not \"0\""},
        {"same-category\n[job]\nname = x\n", "a.ini:1: neither [section] nor key = value"},
        {"[neighbors\nk = 1\n", "a.ini:1: a section is written as [name]"},
        {"[neighbors] k = 1\n", "a.ini:1: a section is written as [name]"},
        {"k = 1\n[job]\nname = x\n", "a.ini:1: k stands before the first [section]"},
        {"[job]\nname = x\n[neighbors]\n\n[publish]\nto = a\n",
         "a.ini:3: [neighbors] has no key; it needs at least one, such as enabled = yes"},
        {"[job]\nname = x\n[publish]\n",
         "a.ini:3: [publish] has no key; it needs at least one, such as enabled = yes"},
        {"[ingest]\noutput = x.nc\n", "a.ini:2: [ingest] output is set by the run"},
        {"[ingest]\nsource = \"a\n", "a.ini:2: [ingest] source has an unclosed quote (\")"},
        {"[ingest]\nsource = a \"\"\n", "a.ini:2: [ingest] source contains an empty name"},
        {"[job]\nname = \"a\n", "a.ini:2: [job] name has an unclosed quote (\")"},
        {"[job]\nname =\n", "a.ini:2: [job] name must be a non-empty text, not \"\""},
        {"[neighbors]\nk 1\nq = 2\n",
         "a.ini:2: [neighbors] a line that is neither [section] nor key = value"},
        {"[table]\nk = 1\n", "a.ini:1: [table] needs a name of letters, digits, - and _ (at "
                             "most 64): [table NAME]"},
        {"[table a/b]\nk = 1\n", "a.ini:1: [table a/b] needs a name of letters, digits, - "
                                 "and _ (at most 64): [table NAME]"},
        {"[table main]\nk = 1\n",
         "a.ini:1: [table main]: main is the table without a name; choose another"},
        {"[table a]\nk = 1\n[table b]\nk = 2\n[table a]\nk = 3\n",
         "a.ini:5: [table a] is given twice, first on line 1"},
        {"[table a]\nk = 1\n[table b]\nk = 0\n",
         "a.ini:4: [table b] k must be a whole number from 1 to 1000, not \"0\""},
        {"[table a]\n[job]\nname = x\n",
         "a.ini:1: [table a] has no key; it needs at least one, such as enabled = yes"},
        {"[tabel a]\nk = 1\n", "a.ini:1: unknown section [tabel a]; did you mean [table]?"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        akin_jobfile *job = NULL;
        assert_int_equal(read_text(wrong[i].text, &job), AKIN_USAGE);
        assert_null(job);
        assert_string_equal(akin_error_message(), wrong[i].message);
    }
}

static void a_line_has_under_200_bytes(void **state) {
    (void)state;
    char text[300];
    akin_jobfile *job = NULL;
    for (int length = 198; length <= 202; length++) {
        int head = snprintf(text, sizeof text, "[job]\nname = ");
        memset(text + head, 'x', (size_t)length);
        snprintf(text + 6 + length, sizeof text - (size_t)length - 6, "\n[neighbors]\nk = 3\n");
        akin_status status = read_text(text, &job);
        assert_int_equal(status, length < 200 ? AKIN_OK : AKIN_USAGE);
        if (status == AKIN_OK) {
            assert_int_equal(strlen(akin_options_text(akin_jobfile_options(job, "job"), "name")),
                             length - 7);
            assert_int_equal(akin_options_int(akin_jobfile_options(job, "neighbors"), "k"), 3);
        } else
            assert_non_null(strstr(akin_error_message(), "a.ini:2: has 200 bytes or more"));
        akin_jobfile_free(job);
    }
}

static void a_missing_file_is_a_failure(void **state) {
    (void)state;
    akin_jobfile *job = NULL;
    assert_int_equal(akin_jobfile_read("absent.ini", sections, &job), AKIN_FAILED);
    assert_non_null(strstr(akin_error_message(), "absent.ini"));
    assert_int_equal(akin_jobfile_read(".", sections, &job), AKIN_FAILED);
}

static void failing_memory_is_survived(void **state) {
    (void)state;
    size_t failures = 0;
    for (uint64_t n = 1; n < 200; n++) {
        akin_jobfile *job = NULL;
        akin_mem_fail_at(n);
        akin_status status =
            read_text("[ingest]\nsource = a b\n[publish]\nto = c d\n[table x]\nk = 2\n", &job);
        akin_mem_fail_at(0);
        assert_true(status == AKIN_OK || status == AKIN_FAILED);
        failures += status != AKIN_OK;
        akin_jobfile_free(job);
    }
    assert_in_range(failures, 10, 198);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_declared_is_read),
        cmocka_unit_test(an_empty_file_is_all_defaults),
        cmocka_unit_test(named_sections_have_options_of_their_own),
        cmocka_unit_test(what_is_wrong_has_its_line),
        cmocka_unit_test(a_line_has_under_200_bytes),
        cmocka_unit_test(a_missing_file_is_a_failure),
        cmocka_unit_test(failing_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
