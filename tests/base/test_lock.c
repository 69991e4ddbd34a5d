/* lock: one holder at a time, however the holder ends. */
#include <akin/file.h>
#include <akin/mem.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const path = "here.lock";

static void a_process_holds_it_once(void **unused) {
    (void)unused;
    akin_lock *first = NULL, *second = NULL;
    assert_int_equal(akin_lock_take(path, "another akin", "table.nc", NULL, &first), AKIN_OK);
    assert_true(first && akin_lock_works(first));
    assert_int_equal(akin_lock_take(path, "another akin", "table.nc", NULL, &second), AKIN_OK);
    assert_null(second); /* it is already held */
    akin_lock_release(first, true);
    assert_false(akin_file_exists(path));
    assert_int_equal(akin_lock_take(path, "another akin", "table.nc", NULL, &second), AKIN_OK);
    akin_lock_release(second, false);
    assert_true(akin_file_exists(path));
    akin_lock_release(NULL, true);
}

static void another_is_refused_and_told_who_holds_it_until_that_is_killed(void **unused) {
    (void)unused;
    int told[2];
    char number[32];
    char byte;
    akin_lock *lock = NULL;
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        bool taken = akin_lock_take(path, "x", "y", NULL, &lock) == AKIN_OK && lock;
        if (write(told[1], taken ? "t" : "f", 1) == 1) pause();
        _exit(1);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_int_equal(byte, 't');
    assert_int_equal(akin_lock_take(path, "another akin", "table.nc", NULL, &lock), AKIN_FAILED);
    assert_null(lock);
    snprintf(number, sizeof number, "process %ld on ", (long)child);
    assert_non_null(strstr(akin_error_message(), number));
    assert_non_null(strstr(akin_error_message(), "table.nc: another akin"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(akin_lock_take(path, "x", "y", NULL, &lock), AKIN_OK);
    akin_lock_release(lock, true);
}

static void a_place_without_a_folder_is_left_to_who_writes_there(void **unused) {
    (void)unused;
    akin_lock *lock = NULL;
    assert_int_equal(akin_lock_take("no/such/.a.lock", "x", "y", NULL, &lock), AKIN_OK);
    assert_null(lock);
}

static void assert_beside(const char *output, const char *expected) {
    char *name = akin_lock_beside(output), here[4096];
    assert_non_null(name);
    if (*expected == '/' || !realpath(output, here)) assert_string_equal(name, expected);
    assert_true(akin_lock_is_name(akin_file_name(name)));
    akin_mem_free(name);
}

static void names_stand_beside_their_output(void **unused) {
    (void)unused;
    assert_beside("absent.nc", "./.absent.nc.lock");
    assert_beside("no/such/table.nc", "no/such/.table.nc.lock");
    assert_beside("/tmp", "/.tmp.lock");
    assert_false(akin_lock_is_name(".lock") || akin_lock_is_name("a.lock") ||
                 akin_lock_is_name(".a.lock.png"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_holds_it_once),
        cmocka_unit_test(another_is_refused_and_told_who_holds_it_until_that_is_killed),
        cmocka_unit_test(a_place_without_a_folder_is_left_to_who_writes_there),
        cmocka_unit_test(names_stand_beside_their_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
