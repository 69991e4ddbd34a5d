/* error: a message is kept per thread, gets its context as a prefix, and stays on one line. */
#include <akin/error.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void set_and_context_return_the_status(void **state) {
    (void)state;
    assert_int_equal(akin_error_set(AKIN_INPUT, "row %d: %s", 7, "no id"), AKIN_INPUT);
    assert_string_equal(akin_error_message(), "row 7: no id");
    assert_int_equal(akin_error_context(AKIN_GATE, "%s: ", "catalog.csv"), AKIN_GATE);
    assert_string_equal(akin_error_message(), "catalog.csv: row 7: no id");
    akin_error_clear();
    assert_string_equal(akin_error_message(), "");
}

static void the_kept_message_may_be_an_argument(void **state) {
    (void)state;
    akin_error_set(AKIN_FAILED, "inner");
    akin_error_set(AKIN_FAILED, "outer (%s)", akin_error_message());
    assert_string_equal(akin_error_message(), "outer (inner)");
    akin_error_context(AKIN_FAILED, "<%s> ", akin_error_message());
    assert_string_equal(akin_error_message(), "<outer (inner)> outer (inner)");
}

static void a_message_is_one_line(void **state) {
    (void)state;
    akin_error_set(AKIN_FAILED, "a\nb\r\nc");
    akin_error_context(AKIN_FAILED, "x\ny: ");
    assert_string_equal(akin_error_message(), "x y: a b  c");
    akin_error_set(AKIN_FAILED, "%s", "a\r\n");
    assert_string_equal(akin_error_message(), "a");
}

static void a_long_message_is_cut_and_nothing_else(void **state) {
    (void)state;
    char text[10000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    akin_error_set(AKIN_FAILED, "%s", text);
    size_t length = strlen(akin_error_message());
    assert_true(length > 1000 && length < sizeof text);
    for (int i = 0; i < 100; i++) akin_error_context(AKIN_FAILED, "%.100s", text);
    assert_int_equal(strlen(akin_error_message()), length);
    akin_error_context(AKIN_FAILED, "%s", text);
    assert_int_equal(strlen(akin_error_message()), length);
}

static void what_was_kept_comes_back(void **state) {
    (void)state;
    akin_error_kept first, none;
    akin_error_clear();
    akin_error_keep(&none);
    akin_error_set(AKIN_GATE, "first");
    akin_error_keep(&first);
    akin_error_set(AKIN_FAILED, "and then a longer one");
    akin_error_restore(&first);
    assert_string_equal(akin_error_message(), "first");
    akin_error_restore(&none);
    assert_string_equal(akin_error_message(), "");
}

static void *set_in_thread(void *seen_empty) {
    *(bool *)seen_empty = !*akin_error_message();
    akin_error_set(AKIN_FAILED, "theirs");
    return NULL;
}

static void each_thread_has_its_own(void **state) {
    (void)state;
    pthread_t thread;
    bool seen_empty = false;
    akin_error_set(AKIN_FAILED, "mine");
    assert_int_equal(pthread_create(&thread, NULL, set_in_thread, &seen_empty), 0);
    pthread_join(thread, NULL);
    assert_true(seen_empty);
    assert_string_equal(akin_error_message(), "mine");
}

static void leave_with_77(void) {
    _exit(77);
}

/* Runs in a child process whose stderr is read: what an assert prints, and that it calls the
 * handler. */
static void a_failed_assert_names_its_place_and_ends_all(void **state) {
    (void)state;
    int ends[2], code;
    char said[1000] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        akin_error_on_assert(leave_with_77);
        AKIN_ASSERT(1 + 1 == 2);
        AKIN_ASSERT(1 + 1 == 3);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 77);
    assert_true(read(ends[0], said, sizeof said - 1) > 0);
    assert_non_null(strstr(said, "1 + 1 == 3"));
    assert_non_null(strstr(said, "test_error.c"));
    close(ends[0]);
    close(ends[1]);
}

static akin_status three_steps(int failing, int *cleaned) {
    akin_status status = AKIN_OK;
    for (int step = 1; step <= 3; step++) AKIN_TRY(step == failing ? AKIN_INPUT : AKIN_OK);
done:
    ++*cleaned;
    return status;
}

static void try_leaves_by_the_one_way_out(void **state) {
    (void)state;
    for (int failing = 0; failing <= 3; failing++) {
        int cleaned = 0;
        assert_int_equal(three_steps(failing, &cleaned), failing ? AKIN_INPUT : AKIN_OK);
        assert_int_equal(cleaned, 1);
    }
}

static void an_option_is_known_until_the_next_message(void **state) {
    (void)state;
    akin_error_kept kept;
    assert_int_equal(akin_error_option("pool", "--pool needs %s", "--diversity"), AKIN_USAGE);
    assert_int_equal(akin_error_context(AKIN_USAGE, "night.ini:7: "), AKIN_USAGE);
    assert_string_equal(akin_error_about(), "pool");
    assert_string_equal(akin_error_message(), "night.ini:7: --pool needs --diversity");
    akin_error_keep(&kept);
    akin_error_set(AKIN_FAILED, "another");
    assert_null(akin_error_about());
    akin_error_restore(&kept);
    assert_string_equal(akin_error_about(), "pool");
    akin_error_clear();
    assert_null(akin_error_about());
}

static size_t count_lines(const char *text) {
    size_t count = 1;
    for (; (text = strchr(text, '\n')); text++) count++;
    return count;
}

static void lines_without_room_are_counted(void **state) {
    (void)state;
    enum { LINES = 160 };
    akin_error_kept kept = {.message = ""}, outer = {.message = ""};
    char last[100], *end;
    size_t more = 0;
    for (int pass = 0; pass < 2; pass++) /* a line that is known is no other one */
        for (int i = 0; i < (pass ? 9 : LINES); i++) {
            akin_error_set(AKIN_USAGE, "night.ini:%d: [train] unknown key number-%060d", i + 7, i);
            akin_error_gather(&kept);
        }
    end = strrchr(kept.message, '\n');
    assert_int_equal(sscanf(end, "\nand %zu more", &more), 1);
    assert_true(more > 90 && count_lines(kept.message) - 1 + more == LINES);
    snprintf(last, sizeof last, "number-%060d", (int)(LINES - more - 1));
    assert_memory_equal(end - strlen(last), last, strlen(last)); /* no line is cut */
    akin_error_set(AKIN_USAGE, "another one");
    akin_error_gather(&outer);
    akin_error_restore(&kept);
    akin_error_gather(&outer); /* what was gathered is gathered on */
    assert_int_equal(sscanf(strrchr(outer.message, '\n'), "\nand %zu more", &more), 1);
    assert_int_equal(count_lines(outer.message) - 1 + more, LINES + 1);
}

static void a_gathered_line_without_end_is_cut(void **state) {
    (void)state;
    akin_error_kept kept = {.message = ""};
    char text[AKIN_ERROR_SIZE];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 3; i++) {
        akin_error_set(AKIN_USAGE, "%d%s", i, text);
        akin_error_gather(&kept);
    }
    assert_true(strncmp(kept.message, "0xxx", 4) == 0);
    assert_string_equal(strchr(kept.message, '\n'), "\nand 2 more");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_and_context_return_the_status),
        cmocka_unit_test(the_kept_message_may_be_an_argument),
        cmocka_unit_test(a_message_is_one_line),
        cmocka_unit_test(what_was_kept_comes_back),
        cmocka_unit_test(a_long_message_is_cut_and_nothing_else),
        cmocka_unit_test(lines_without_room_are_counted),
        cmocka_unit_test(a_gathered_line_without_end_is_cut),
        cmocka_unit_test(an_option_is_known_until_the_next_message),
        cmocka_unit_test(each_thread_has_its_own),
        cmocka_unit_test(a_failed_assert_names_its_place_and_ends_all),
        cmocka_unit_test(try_leaves_by_the_one_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
