/* Laws of ncfile: reading inverts writing; the file and its digest do not depend on the number of
 * ranks or on which of them wrote which rows; one flipped byte is detected; a leftover part does no
 * harm. */
#include <akin/comm.h>
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/ncfile.h>
#include <akin/shard.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static akin_comm *comm;

enum { ROWS = 37, COLUMNS = 5 };

/* A file name for this number of ranks, so that tests can run at the same time. */
static const char *name_of(const char *what) {
    static char names[4][64];
    static int next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof names[0], "ncfile-%d-%s.nc", akin_comm_size(comm), what);
    return name;
}

static float value_of(size_t row, size_t column) {
    return (float)row * 10 + (float)column;
}

static void define(akin_ncfile *file, size_t rows) {
    akin_ncfile_dimension(file, "item", rows);
    akin_ncfile_dimension(file, "column", COLUMNS);
    akin_ncfile_variable(file, "value", AKIN_NC_FLOAT, "item,column", "a value", "1");
    akin_ncfile_variable(file, "text", AKIN_NC_CHAR, "item,column", "a text", NULL);
    akin_ncfile_variable(file, "step", AKIN_NC_INT64, "", "a scalar", NULL);
    akin_ncfile_attribute(file, NULL, "note", "first");
    akin_ncfile_attribute(file, NULL, "note", "f\xc3\xbcnf");
    akin_ncfile_attribute(file, NULL, "absent", NULL);
}

/* Rank r has the rows of shard (r + turn) % size: other owners, same content. */
static void write_file(const char *path, size_t rows, int turn, char digest[33]) {
    akin_ncfile *file = NULL;
    int size = akin_comm_size(comm), shard = (akin_comm_rank(comm) + turn) % size;
    size_t first = akin_shard_first(rows, size, shard), count = akin_shard_count(rows, size, shard);
    float *values = akin_mem_alloc(count, COLUMNS * sizeof *values);
    char *texts = akin_mem_zalloc(count, COLUMNS);
    int64_t step = 1234567890123;
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < COLUMNS; c++) values[i * COLUMNS + c] = value_of(first + i, c);
        texts[i * COLUMNS] = (char)('a' + (first + i) % 26);
    }
    assert_int_equal(akin_ncfile_create(comm, path, "test", &file), AKIN_OK);
    define(file, rows);
    assert_int_equal(akin_ncfile_begin(file), AKIN_OK);
    akin_ncfile_put(file, "value", first, count, values);
    akin_ncfile_put(file, "step", 0, shard == 0, &step);
    size_t half = count / 2; /* in two calls, the later rows first */
    akin_ncfile_put(file, "text", first + half, count - half, texts + half * COLUMNS);
    akin_ncfile_put(file, "text", first, half, texts);
    assert_int_equal(akin_ncfile_commit(file, digest), AKIN_OK);
    akin_mem_free(values);
    akin_mem_free(texts);
}

static void read_file(const char *path, size_t rows, const char *digest) {
    akin_ncfile *file = NULL;
    assert_int_equal(akin_ncfile_open(comm, path, "test", &file), AKIN_OK);
    assert_string_equal(akin_ncfile_digest(file), digest);
    assert_string_equal(akin_ncfile_kind(file), "test");
    size_t length = 0;
    assert_int_equal(akin_ncfile_length(file, "item", &length), AKIN_OK);
    assert_int_equal(length, rows);
    assert_int_equal(akin_ncfile_length(file, "nothing", &length), AKIN_INPUT);
    assert_true(akin_ncfile_has(file, "value"));
    assert_false(akin_ncfile_has(file, "item"));
    assert_int_equal(akin_ncfile_expect(file, "value", AKIN_NC_FLOAT, "item,column"), AKIN_OK);
    assert_int_equal(akin_ncfile_expect(file, "value", AKIN_NC_DOUBLE, "item,column"), AKIN_INPUT);
    assert_int_equal(akin_ncfile_expect(file, "value", AKIN_NC_FLOAT, "item"), AKIN_INPUT);
    assert_int_equal(akin_ncfile_expect(file, "nothing", AKIN_NC_FLOAT, "item"), AKIN_INPUT);

    float *values = akin_mem_alloc(rows, COLUMNS * sizeof *values);
    char *texts = akin_mem_alloc(rows, COLUMNS);
    assert_int_equal(akin_ncfile_get(file, "value", 0, rows, values), AKIN_OK);
    assert_int_equal(akin_ncfile_get(file, "text", 0, rows, texts), AKIN_OK);
    for (size_t i = 0; i < rows; i++) {
        for (size_t c = 0; c < COLUMNS; c++) assert_true(values[i * COLUMNS + c] == value_of(i, c));
        char text[COLUMNS] = {(char)('a' + i % 26)};
        assert_memory_equal(texts + i * COLUMNS, text, COLUMNS);
    }
    float one[COLUMNS];
    assert_int_equal(akin_ncfile_get(file, "value", rows - 1, 1, one), AKIN_OK);
    assert_true(one[0] == value_of(rows - 1, 0));
    int64_t step = 0;
    assert_int_equal(akin_ncfile_get(file, "step", 0, 1, &step), AKIN_OK);
    assert_true(step == 1234567890123);
    char *note = NULL, *absent = NULL;
    assert_int_equal(akin_ncfile_get_attribute(file, "note", &note), AKIN_OK);
    assert_string_equal(note, "f\xc3\xbcnf");
    assert_int_equal(akin_ncfile_get_attribute(file, "absent", &absent), AKIN_OK);
    assert_null(absent);
    akin_mem_free(note);
    akin_mem_free(values);
    akin_mem_free(texts);
    akin_ncfile_close(file);
}

static void written_is_read(void **state) {
    (void)state;
    const size_t rows[] = {1, 2, 3, ROWS};
    for (size_t n = 0; n < 4; n++) {
        char digest[33];
        write_file(name_of("read"), rows[n], 0, digest);
        assert_false(akin_file_exists("ncfile.nc.part"));
        read_file(name_of("read"), rows[n], digest);
    }
}

/* (The bytes of the whole file are not: HDF5 leaves uninitialised memory in unused parts of its
 * tables.) */
static void digest_is_the_same_for_any_ranks(void **state) {
    (void)state;
    char digest[33];
    for (int turn = 0; turn < akin_comm_size(comm); turn++) {
        for (size_t bytes = 0; bytes <= 40; bytes += 20) { /* rounds of one row and of two */
            akin_ncfile_round_bytes(bytes);
            write_file(name_of("digest"), ROWS, turn, digest);
            akin_ncfile_round_bytes(0);
            assert_string_equal(digest, "3d159ba79ca00d7d94f7dc17d8999d4f");
        }
    }
}

/* Rank 0 inverts one byte at `offset`. */
static void flip(const char *path, size_t offset) {
    akin_comm_barrier(comm);
    if (akin_comm_rank(comm) == 0) {
        unsigned char byte;
        int file = open(path, O_RDWR);
        assert_true(file >= 0);
        assert_int_equal(pread(file, &byte, 1, (off_t)offset), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(file, &byte, 1, (off_t)offset), 1);
        close(file);
    }
    akin_comm_barrier(comm);
}

/* The position of the four bytes of the float in the file. */
static size_t find_value(const char *path, float value) {
    unsigned char *bytes = NULL;
    size_t count = 0, found = 0;
    assert_int_equal(akin_file_read(path, 1 << 20, &bytes, &count), AKIN_OK);
    for (size_t i = 0; i + sizeof value <= count; i++)
        if (memcmp(bytes + i, &value, sizeof value) == 0) found = i;
    akin_mem_free(bytes);
    assert_int_not_equal(found, 0);
    return found;
}

static void damage_is_found(void **state) {
    (void)state;
    char digest[33];
    akin_ncfile *file = NULL;
    write_file(name_of("damage"), ROWS, 0, digest);
    for (size_t row = 1; row < ROWS; row += 7) {
        size_t offset = find_value(name_of("damage"), value_of(row, 3));
        flip(name_of("damage"), offset);
        assert_int_equal(akin_ncfile_open(comm, name_of("damage"), "test", &file), AKIN_INPUT);
        assert_null(file);
        assert_non_null(strstr(akin_error_message(), "damaged"));
        flip(name_of("damage"), offset);
        read_file(name_of("damage"), ROWS, digest);
    }
}

static void others_are_refused(void **state) {
    (void)state;
    char digest[33];
    akin_ncfile *file = NULL;
    write_file(name_of("kind"), ROWS, 0, digest);
    assert_int_equal(akin_ncfile_open(comm, name_of("kind"), "table", &file), AKIN_INPUT);
    assert_non_null(strstr(akin_error_message(), "'test'"));
    assert_int_equal(akin_ncfile_open(comm, "nothing-here.nc", "test", &file), AKIN_FAILED);
    assert_int_equal(akin_ncfile_open(comm, ".", "test", &file), AKIN_INPUT);
    if (akin_comm_rank(comm) == 0) {
        FILE *text = fopen(name_of("text"), "w");
        fputs("id,path\n1,a.png\n", text);
        fclose(text);
        fclose(fopen(name_of("empty"), "w"));
    }
    akin_comm_barrier(comm);
    assert_int_equal(akin_ncfile_open(comm, name_of("text"), "test", &file), AKIN_INPUT);
    assert_int_equal(akin_ncfile_open(comm, name_of("empty"), "test", &file), AKIN_INPUT);
    assert_null(file);
    assert_int_equal(akin_ncfile_create(comm, "no-such-folder/x.nc", "test", &file), AKIN_FAILED);
    assert_null(file);
}

static void old_file_stays_until_commit(void **state) {
    (void)state;
    char digest[33];
    const char *path = name_of("old");
    char part[80];
    snprintf(part, sizeof part, "%s.part", path);
    write_file(path, 3, 0, digest);
    if (akin_comm_rank(comm) == 0) { /* left by a killed run */
        FILE *leftover = fopen(part, "w");
        for (int i = 0; i < 100000; i++) fputs("leftover ", leftover);
        fclose(leftover);
    }
    akin_comm_barrier(comm);
    akin_ncfile *file = NULL;
    assert_int_equal(akin_ncfile_create(comm, path, "test", &file), AKIN_OK);
    define(file, ROWS);
    assert_int_equal(akin_ncfile_begin(file), AKIN_OK);
    assert_true(akin_file_exists(part));
    akin_ncfile_discard(file);
    akin_comm_barrier(comm);
    assert_false(akin_file_exists(part));
    read_file(path, 3, digest);
    write_file(path, ROWS, 0, digest);
    read_file(path, ROWS, digest);
}

/* One rank alone runs out of memory in a definition: all ranks learn of it in begin. */
static void a_defect_is_agreed_on(void **state) {
    (void)state;
    akin_ncfile *file = NULL;
    for (uint64_t n = 1; n < 12; n++) {
        assert_int_equal(akin_ncfile_create(comm, name_of("defect"), "test", &file), AKIN_OK);
        if (akin_comm_rank(comm) == akin_comm_size(comm) - 1) akin_mem_fail_at(n);
        define(file, ROWS);
        akin_status status = akin_ncfile_begin(file);
        akin_mem_fail_at(0);
        assert_int_equal(status, AKIN_FAILED);
        akin_ncfile_discard(file);
        assert_false(akin_file_exists(name_of("defect")));
    }
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read),
        cmocka_unit_test(digest_is_the_same_for_any_ranks),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(old_file_stays_until_commit),
        cmocka_unit_test(a_defect_is_agreed_on),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    akin_comm_finish(comm);
    return failed;
}
