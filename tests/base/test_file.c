/* file: reading inverts writing; an output is complete or absent; paths, folders and trees. */
#include <akin/file.h>
#include <akin/mem.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void put(const char *path, const char *content) {
    akin_outfile *file;
    assert_int_equal(akin_outfile_create(path, &file), AKIN_OK);
    assert_int_equal(fputs(content, akin_outfile_stream(file)) < 0, 0);
    assert_int_equal(akin_outfile_commit(file, false), AKIN_OK);
}

static void assert_content(const char *path, const char *expected) {
    unsigned char *bytes;
    size_t count;
    assert_int_equal(akin_file_read(path, 1 << 20, &bytes, &count), AKIN_OK);
    assert_string_equal((const char *)bytes, expected);
    assert_int_equal(count, strlen(expected));
    akin_mem_free(bytes);
}

static int start_fresh(void **state) {
    (void)state;
    return akin_file_remove_tree("tree") != AKIN_OK || akin_file_make_folders("tree") != AKIN_OK;
}

static void what_is_written_is_read(void **state) {
    (void)state;
    for (size_t n = 0; n < 300000; n = 5 * n + 1) {
        char *content = calloc(n + 1, 1);
        for (size_t i = 0; i < n; i++) content[i] = (char)('a' + i % 26);
        put("tree/file", content);
        unsigned char *bytes;
        size_t count;
        assert_int_equal(akin_file_read("tree/file", n, &bytes, &count), AKIN_OK);
        assert_int_equal(count, n);
        assert_memory_equal(bytes, content, n + 1);
        akin_mem_free(bytes);
        if (n) assert_int_equal(akin_file_read("tree/file", n - 1, &bytes, &count), AKIN_FAILED);
        if (n) assert_null(bytes);
        free(content);
    }
}

static void what_cannot_be_read_is_named(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t count;
    assert_int_equal(mkfifo("tree/pipe", 0600), 0);
    static const char *const paths[] = {"tree/none", "tree", "tree/pipe", "tree/pipe/below", ""};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        akin_error_clear();
        assert_int_equal(akin_file_read(paths[i], 100, &bytes, &count), AKIN_FAILED);
        assert_null(bytes);
        assert_non_null(strstr(akin_error_message(), paths[i]));
        assert_true(strlen(akin_error_message()) > strlen(paths[i]) + 5);
    }
}

static void an_output_is_there_when_it_is_whole(void **state) {
    (void)state;
    akin_outfile *file;
    put("tree/out", "old");
    assert_int_equal(akin_outfile_create("tree/out", &file), AKIN_OK);
    fputs("new", akin_outfile_stream(file));
    fflush(akin_outfile_stream(file));
    assert_content("tree/out", "old");
    akin_outfile_discard(file);
    assert_content("tree/out", "old");
    assert_false(akin_file_exists("tree/out.part"));
    akin_outfile_discard(NULL);
    put("tree/out.part", "leftover");
    put("tree/out", "newer");
    assert_content("tree/out", "newer");
    assert_false(akin_file_exists("tree/out.part"));
}

static void a_write_that_fails_leaves_the_old_file(void **state) {
    (void)state;
    akin_outfile *file;
    struct rlimit before, small;
    char block[4096];
    memset(block, 'x', sizeof block);
    put("tree/out", "old");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 100000, .rlim_max = before.rlim_max};
    assert_int_equal(akin_outfile_create("tree/out", &file), AKIN_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 100; i++) fwrite(block, 1, sizeof block, akin_outfile_stream(file));
    akin_status status = akin_outfile_commit(file, true);
    assert_string_equal(akin_error_message(),
                        "tree/out: cannot be written: File too large; allow larger files (ulimit "
                        "-f), or choose another disk");
    akin_status space = akin_file_check_space("tree/out", 1000000),
                less = akin_file_check_space("tree/out", 50000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, AKIN_FAILED);
    assert_int_equal(space, AKIN_FAILED);
    assert_non_null(strstr(akin_error_message(), "1000000 bytes"));
    assert_int_equal(less, AKIN_OK);
    assert_content("tree/out", "old");
    assert_false(akin_file_exists("tree/out.part") || akin_file_exists("tree/out.prev"));
}

static void the_file_before_is_kept_as_prev(void **state) {
    (void)state;
    static const char *const contents[] = {"1", "2", "3", "3"};
    for (int i = 0; i < 4; i++) {
        akin_outfile *file;
        assert_int_equal(akin_outfile_create("tree/table", &file), AKIN_OK);
        fputs(contents[i], akin_outfile_stream(file));
        assert_int_equal(akin_outfile_commit(file, true), AKIN_OK);
        assert_content("tree/table", contents[i]);
        if (i)
            assert_content("tree/table.prev", contents[i - 1]);
        else
            assert_false(akin_file_exists("tree/table.prev"));
    }
    assert_int_equal(akin_file_swap("tree/table", "tree/table.prev"), AKIN_OK);
    /* A killed run may leave PATH and PATH.prev as two names of one file, and a temporary link. */
    assert_int_equal(unlink("tree/table.prev") || link("tree/table", "tree/table.prev") ||
                         link("tree/table", "tree/table.prev.part"),
                     0);
    akin_outfile *file;
    assert_int_equal(akin_outfile_create("tree/table", &file), AKIN_OK);
    fputs("4", akin_outfile_stream(file));
    assert_int_equal(akin_outfile_commit(file, true), AKIN_OK);
    assert_content("tree/table", "4");
    assert_content("tree/table.prev", "3");
    assert_false(akin_file_exists("tree/table.prev.part"));
}

static void swapping_swaps(void **state) {
    (void)state;
    put("tree/a", "1");
    put("tree/b", "2");
    assert_int_equal(akin_file_swap("tree/a", "tree/b"), AKIN_OK);
    assert_content("tree/a", "2");
    assert_content("tree/b", "1");
    assert_int_equal(akin_file_swap("tree/a", "tree/none"), AKIN_FAILED);
    assert_content("tree/a", "2");
}

static void an_output_that_cannot_be_is_refused_beforehand(void **state) {
    (void)state;
    put("tree/file", "");
    assert_int_equal(mkdir("tree/taken.part", 0700), 0);
    char deep[400] = "tree/";
    memset(deep + 5, 'x', 300);
    const char *const bad[] = {"",           "tree",      "tree/", "tree/none/out", "tree/file/out",
                               "tree/taken", "/proc/out", deep};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        akin_outfile *file;
        if (akin_file_check_output(bad[i]) != AKIN_FAILED) fail_msg("'%s' is no output", bad[i]);
        assert_non_null(strstr(akin_error_message(), bad[i]));
        assert_int_equal(akin_outfile_create(bad[i], &file), AKIN_FAILED);
        assert_null(file);
    }
    assert_int_equal(akin_file_check_space("tree/none/out", 1), AKIN_FAILED);
    assert_int_equal(akin_file_check_space("tree/file/out", 1), AKIN_FAILED);
    static const char *const good[] = {"tree/file", "tree/new", "new"};
    put("tree/new.part", "a leftover");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(akin_file_check_output(good[i]), AKIN_OK);
    assert_content("tree/file", "");
    assert_false(akin_file_exists("tree/new") || akin_file_exists("new") ||
                 akin_file_exists("new.part"));
}

/* Of the part that is written first only where it is the trouble. */
static void messages_name_the_output(void **state) {
    (void)state;
    akin_outfile *file;
    assert_int_equal(akin_outfile_create("tree/none/out", &file), AKIN_FAILED);
    assert_string_equal(akin_error_message(),
                        "tree/none/out: cannot be written: No such file or directory; create its "
                        "folder, or choose another");
    akin_file_cannot_write("tree/out", ENOSPC);
    assert_string_equal(akin_error_message(),
                        "tree/out: cannot be written: No space left on device; free some space on "
                        "its disk, or choose another place");
    assert_int_equal(mkdir("tree/taken.part", 0700), 0);
    assert_int_equal(akin_outfile_create("tree/taken", &file), AKIN_FAILED);
    assert_string_equal(akin_error_message(),
                        "tree/taken: cannot be written: tree/taken.part is in "
                        "the way (Is a directory); remove it");
    akin_file_cannot_write_part("tree/taken.part", "tree/taken", EMFILE); /* not its fault */
    assert_string_equal(akin_error_message(),
                        "tree/taken: cannot be written: Too many open files; allow more open files "
                        "(ulimit -n)");
    put("tree/kept", "");
    assert_int_equal(mkdir("tree/kept.prev.part", 0700), 0);
    assert_int_equal(akin_outfile_create("tree/kept", &file), AKIN_OK);
    assert_int_equal(akin_outfile_commit(file, true), AKIN_FAILED);
    assert_string_equal(
        akin_error_message(),
        "tree/kept.prev: cannot be written: tree/kept.prev.part is in the way (Is a "
        "directory); remove it");
    put("tree/file", "");
    assert_int_equal(akin_file_make_folders("tree/file"), AKIN_FAILED);
    assert_string_equal(akin_error_message(),
                        "tree/file: the folder cannot be created: File exists; remove the file of "
                        "that name, or choose another place");
    assert_int_equal(mkdir("tree/out", 0700) || mkdir("tree/out/below", 0700), 0);
    assert_int_equal(akin_file_sync_rename("tree/file", "tree/out"), AKIN_FAILED);
    assert_null(strstr(akin_error_message(), "tree/file"));
    assert_int_equal(akin_file_make_folders("/sys/akin/below"), AKIN_FAILED);
    assert_null(strstr(akin_error_message(), strerror(ENOENT))); /* what is missing is the right */
}

static void space_is_checked_without_a_trace(void **state) {
    (void)state;
    assert_int_equal(akin_file_check_space("tree/out", 0), AKIN_OK);
    assert_int_equal(akin_file_check_space("tree/out", 1 << 20), AKIN_OK);
    assert_int_equal(akin_file_check_space("tree/out", UINT64_C(1) << 60), AKIN_FAILED);
    assert_non_null(strstr(akin_error_message(), "1152921504606846976 bytes"));
    assert_int_equal(akin_file_check_space("tree/out", UINT64_MAX), AKIN_FAILED);
    assert_int_equal(rmdir("tree"), 0); /* nothing is in it */
}

static void trees_are_made_and_removed_and_links_not_followed(void **state) {
    (void)state;
    assert_int_equal(akin_file_make_folders("tree/a/b//c/"), AKIN_OK);
    assert_int_equal(akin_file_make_folders("tree/a/b/c"), AKIN_OK);
    assert_true(akin_file_is_folder("tree/a/b/c"));
    assert_int_equal(akin_file_make_folders("tree/kept"), AKIN_OK);
    put("tree/kept/file", "kept");
    put("tree/a/b/file", "");
    assert_int_equal(symlink("../kept", "tree/a/link") || symlink("nowhere", "tree/a/loose"), 0);
    assert_int_equal(akin_file_make_folders("tree/kept/file/x"), AKIN_FAILED);
    assert_non_null(strstr(akin_error_message(), "tree/kept/file"));
    assert_int_equal(akin_file_remove_tree("tree/a"), AKIN_OK);
    assert_false(akin_file_exists("tree/a"));
    assert_content("tree/kept/file", "kept");
    assert_int_equal(akin_file_remove_tree("tree/none"), AKIN_OK);
    assert_int_equal(symlink("kept", "tree/link"), 0);
    assert_int_equal(akin_file_remove_tree("tree/link"), AKIN_OK);
    assert_content("tree/kept/file", "kept");
    assert_int_equal(akin_file_remove_tree("tree/kept/file"), AKIN_OK);
    assert_false(akin_file_exists("tree/kept/file"));
}

static void paths_come_apart_and_together(void **state) {
    (void)state;
    static const char *const cases[][4] = {/* path, folder, name, ending */
                                           {"a/b.csv", "a", "b.csv", ".csv"},
                                           {"b.tar.gz", ".", "b.tar.gz", ".gz"},
                                           {"/b", "/", "b", ""},
                                           {"a.b/c", "a.b", "c", ""},
                                           {"a//b.", "a", "b.", "."},
                                           {".hidden", ".", ".hidden", ""},
                                           {"/a/.x.PNG", "/a", ".x.PNG", ".PNG"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *folder = akin_file_folder(cases[i][0]);
        assert_string_equal(folder, cases[i][1]);
        assert_string_equal(akin_file_name(cases[i][0]), cases[i][2]);
        assert_string_equal(akin_file_ending(cases[i][0]), cases[i][3]);
        akin_mem_free(folder);
    }
    static const char *const joins[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"}, {"", "b", "b"}, {"/", "b", "/b"}};
    for (size_t i = 0; i < sizeof joins / sizeof joins[0]; i++) {
        char *path = akin_file_join(joins[i][0], joins[i][1]);
        assert_string_equal(path, joins[i][2]);
        akin_mem_free(path);
    }
}

/* Until nothing fails: each allocation of a write that keeps the previous file. */
static void no_memory_leaves_the_old_file(void **state) {
    (void)state;
    put("tree/out", "old");
    akin_status status = AKIN_FAILED;
    for (uint64_t n = 1; status != AKIN_OK; n++) {
        akin_outfile *file;
        assert_true(n < 20);
        assert_content("tree/out", "old");
        akin_mem_fail_at(n);
        status = akin_outfile_create("tree/out", &file);
        if (status != AKIN_OK) continue;
        fputs("new", akin_outfile_stream(file));
        status = akin_outfile_commit(file, true);
        akin_mem_fail_at(0);
        assert_false(akin_file_exists("tree/out.part"));
    }
    assert_content("tree/out", "new");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_written_is_read, start_fresh),
        cmocka_unit_test_setup(what_cannot_be_read_is_named, start_fresh),
        cmocka_unit_test_setup(an_output_is_there_when_it_is_whole, start_fresh),
        cmocka_unit_test_setup(a_write_that_fails_leaves_the_old_file, start_fresh),
        cmocka_unit_test_setup(the_file_before_is_kept_as_prev, start_fresh),
        cmocka_unit_test_setup(swapping_swaps, start_fresh),
        cmocka_unit_test_setup(an_output_that_cannot_be_is_refused_beforehand, start_fresh),
        cmocka_unit_test_setup(messages_name_the_output, start_fresh),
        cmocka_unit_test_setup(space_is_checked_without_a_trace, start_fresh),
        cmocka_unit_test_setup(trees_are_made_and_removed_and_links_not_followed, start_fresh),
        cmocka_unit_test_setup(paths_come_apart_and_together, start_fresh),
        cmocka_unit_test_setup(no_memory_leaves_the_old_file, start_fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
