/* log: what is written to stderr, on a terminal and elsewhere, and to the log file. */
#include <akin/comm.h>
#include <akin/file.h>
#include <akin/log.h>
#include <akin/mem.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

static akin_comm *comm;
static int stderr_kept, terminal = -1;
static char seen[100000];

/* From here until release(), stderr is a file, or a terminal whose other end the test has. */
static void catch_stderr(bool on_terminal, bool quiet) {
    fflush(stderr);
    stderr_kept = dup(STDERR_FILENO);
    terminal = -1;
    int end;
    struct winsize narrow = {.ws_row = 24, .ws_col = 90};
    if (on_terminal) {
        terminal = posix_openpt(O_RDWR | O_NOCTTY);
        assert_int_equal(grantpt(terminal) || unlockpt(terminal), 0);
        ioctl(terminal, TIOCSWINSZ, &narrow);
        end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    } else
        end = open("stderr.txt", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(end >= 0);
    dup2(end, STDERR_FILENO);
    close(end);
    akin_log_start(comm, quiet);
}

static const char *release(void) {
    akin_log_stop();
    fflush(stderr);
    memset(seen, 0, sizeof seen);
    if (terminal >= 0)
        tcdrain(STDERR_FILENO);
    else
        lseek(STDERR_FILENO, 0, SEEK_SET);
    if (terminal >= 0) fcntl(terminal, F_SETFL, O_NONBLOCK);
    size_t used = 0;
    for (ssize_t got; (got = read(terminal >= 0 ? terminal : STDERR_FILENO, seen + used,
                                  sizeof seen - 1 - used)) > 0;)
        used += (size_t)got;
    dup2(stderr_kept, STDERR_FILENO);
    close(stderr_kept);
    if (terminal >= 0) close(terminal);
    return seen;
}

static void lines_have_the_program_in_front(void **state) {
    (void)state;
    catch_stderr(false, false);
    akin_log_info("read %d rows", 7);
    akin_log_warning("old checkpoint");
    akin_log_error("no such file");
    assert_string_equal(release(), "akin: read 7 rows\nakin: old checkpoint\nakin: no such file\n");
}

static void quiet_keeps_warnings_and_errors(void **state) {
    (void)state;
    catch_stderr(false, true);
    akin_log_info("read %d rows", 7);
    akin_log_progress("train", "images", 1, 2);
    akin_log_warning("old checkpoint");
    akin_log_error("no such file");
    assert_string_equal(release(), "akin: old checkpoint\nakin: no such file\n");
}

static void without_a_terminal_progress_is_rare(void **state) {
    (void)state;
    catch_stderr(false, false);
    for (int i = 0; i < 1000; i++) akin_log_progress("train", "images", i, 1000);
    akin_log_progress_end();
    assert_string_equal(release(), "");
}

static void on_a_terminal_there_is_a_bar_with_rate_and_time_left(void **state) {
    (void)state;
    catch_stderr(true, false);
    for (int i = 0; i <= 3; i++) {
        akin_log_progress("train", "images", 1000 * i, 1234567);
        usleep(120000);
    }
    akin_log_info("done");
    const char *text = release();
    assert_non_null(strstr(text, "train: "));
    assert_non_null(strstr(text, " of 1,234,567 images, "));
    assert_non_null(strstr(text, " images/s, "));
    assert_non_null(strstr(text, " left"));
    for (const char *bar = strchr(text, '\r'); bar; bar = strchr(bar + 1, '\r'))
        assert_true(strcspn(bar + 1, "\r\n") < 90 + strlen("\033[K"));
    /* Bars overwrite one another; the line after them has its own line. */
    assert_int_equal(strncmp(text, "\r\033[K[", 5), 0);
    const char *end = strstr(text, "\r\033[Kakin: done");
    assert_non_null(end);
    assert_ptr_equal(strchr(text, '\n'), strchr(end, '\n'));
}

static void a_rate_has_the_unit_alone(void **state) {
    (void)state;
    catch_stderr(true, false);
    for (int i = 0; i <= 3; i++) {
        akin_log_progress("embed", "images of rank 0", 1000 * i, 9000);
        usleep(120000);
    }
    akin_log_progress_end();
    const char *text = release();
    assert_non_null(strstr(text, " of 9,000 images of rank 0, "));
    assert_non_null(strstr(text, " images/s, "));
    assert_null(strstr(text, "rank 0/s"));
}

static void lines_also_go_to_a_file_with_the_time(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t count;
    remove("log.txt");
    for (int night = 0; night < 2; night++) {
        catch_stderr(false, true);
        assert_int_equal(akin_log_also_to("log.txt"), AKIN_OK);
        akin_log_info("night %d", night);
        akin_log_error("no cheese");
        assert_string_equal(release(), "akin: no cheese\n");
    }
    assert_int_equal(akin_file_read("log.txt", 10000, &bytes, &count), AKIN_OK);
    int lines = 0;
    for (char *line = strtok((char *)bytes, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        int year, month, day, hour, minute, second, at;
        assert_int_equal(
            sscanf(line, "%d-%d-%d %d:%d:%d %n", &year, &month, &day, &hour, &minute, &second, &at),
            6);
        static const char *const expected[] = {"night 0", "no cheese", "night 1", "no cheese"};
        assert_string_equal(line + at, expected[lines]);
    }
    assert_int_equal(lines, 4);
    akin_mem_free(bytes);
    assert_int_equal(akin_log_also_to("no/such/log.txt"), AKIN_FAILED);
    assert_non_null(strstr(akin_error_message(), "no/such/log.txt"));
    assert_int_equal(akin_log_also_to(NULL), AKIN_OK);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_the_program_in_front),
        cmocka_unit_test(quiet_keeps_warnings_and_errors),
        cmocka_unit_test(without_a_terminal_progress_is_rare),
        cmocka_unit_test(on_a_terminal_there_is_a_bar_with_rate_and_time_left),
        cmocka_unit_test(a_rate_has_the_unit_alone),
        cmocka_unit_test(lines_also_go_to_a_file_with_the_time),
    };
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return EXIT_FAILURE;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
