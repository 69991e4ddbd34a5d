/* The seal of a file: reading inverts writing; the sum is the same however blocks are distributed
 * over ranks, and differs after any change of a byte, a swap of blocks or a cut; a sealed file that
 * was truncated, or to which something was appended, is refused; a file that never had a seal is
 * not. */
#include "store/seal.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { BLOCK = 1 << 20, BYTES = 3 * BLOCK + 12345 };

static const char path[] = "sealed.bin";

/* Bytes that begin like HDF5's superblock of version 2, which has the end of the file. */
static unsigned char *bytes_of(size_t count) {
    unsigned char *bytes = malloc(count);
    uint32_t state = 7;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(state >> 24);
    }
    memcpy(bytes, "\x89HDF\r\n\x1a\n\x02\x08\x08\x00", 12);
    for (int i = 0; i < 8; i++) bytes[28 + i] = (unsigned char)((uint64_t)count >> 8 * i);
    return bytes;
}

static void write_file(const unsigned char *bytes, size_t count) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, count), count);
    close(file);
}

static akin_seal_sum sum_of(uint64_t bytes, int size) {
    akin_seal_sum sum = {0, 0};
    for (int rank = 0; rank < size; rank++)
        assert_int_equal(akin_seal_add(path, path, bytes, size, rank, &sum), AKIN_OK);
    return sum;
}

static bool same(akin_seal_sum a, akin_seal_sum b) {
    return a.low == b.low && a.high == b.high;
}

static void the_sum_does_not_depend_on_the_ranks(void **unused) {
    (void)unused;
    unsigned char *bytes = bytes_of(BYTES);
    write_file(bytes, BYTES);
    akin_seal_sum sum = sum_of(BYTES, 1);
    for (int size = 2; size <= 9; size++) assert_true(same(sum, sum_of(BYTES, size)));
    free(bytes);
}

static void any_change_changes_the_sum(void **unused) {
    (void)unused;
    static const size_t places[] = {0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 77, BYTES - 1};
    unsigned char *bytes = bytes_of(BYTES);
    write_file(bytes, BYTES);
    akin_seal_sum sum = sum_of(BYTES, 2);
    assert_false(same(sum, sum_of(BYTES - 1, 2)));
    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        bytes[places[p]] ^= 1;
        write_file(bytes, BYTES);
        assert_false(same(sum, sum_of(BYTES, 2)));
        bytes[places[p]] ^= 1;
    }
    unsigned char *first = malloc(BLOCK);
    memcpy(first, bytes, BLOCK);
    memmove(bytes, bytes + BLOCK, BLOCK);
    memcpy(bytes + BLOCK, first, BLOCK);
    write_file(bytes, BYTES);
    assert_false(same(sum, sum_of(BYTES, 2)));
    free(first);
    free(bytes);
}

static void what_is_written_is_read(void **unused) {
    (void)unused;
    static const size_t sizes[] = {36, 1000, BLOCK, BLOCK + 1, BYTES};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        unsigned char *bytes = bytes_of(sizes[s]);
        bool sealed = true;
        uint64_t length = 0;
        akin_seal_sum sum, read;
        write_file(bytes, sizes[s]);
        assert_int_equal(akin_seal_read(path, &sealed, &length, &read), AKIN_OK);
        assert_false(sealed); /* not yet */
        sum = sum_of(sizes[s], 3);
        assert_int_equal(akin_seal_write(path, path, sizes[s], sum), AKIN_OK);
        assert_int_equal(akin_seal_read(path, &sealed, &length, &read), AKIN_OK);
        assert_true(sealed && length == sizes[s] && same(sum, read));
        free(bytes);
    }
}

static void a_cut_or_lengthened_file_is_refused(void **unused) {
    (void)unused;
    unsigned char *bytes = bytes_of(BYTES);
    bool sealed;
    uint64_t length;
    akin_seal_sum sum;
    for (int cut = 1; cut <= AKIN_SEAL_BYTES + 500; cut += 7) {
        write_file(bytes, BYTES);
        assert_int_equal(akin_seal_write(path, path, BYTES, sum_of(BYTES, 1)), AKIN_OK);
        assert_int_equal(truncate(path, BYTES + AKIN_SEAL_BYTES - cut), 0);
        akin_status status = akin_seal_read(path, &sealed, &length, &sum);
        if (cut == AKIN_SEAL_BYTES) /* as if another program had rewritten it */
            assert_true(status == AKIN_OK && !sealed);
        else
            assert_int_equal(status, AKIN_INPUT);
    }
    write_file(bytes, BYTES);
    assert_int_equal(akin_seal_write(path, path, BYTES, sum_of(BYTES, 1)), AKIN_OK);
    int file = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(file, "more", 4), 4);
    close(file);
    assert_int_equal(akin_seal_read(path, &sealed, &length, &sum), AKIN_INPUT);
    free(bytes);
}

static void a_missing_file_is_a_failure(void **unused) {
    (void)unused;
    bool sealed;
    uint64_t length;
    akin_seal_sum sum = {0, 0};
    unlink(path);
    assert_int_equal(akin_seal_read(path, &sealed, &length, &sum), AKIN_FAILED);
    assert_int_equal(akin_seal_add(path, path, 10, 1, 0, &sum), AKIN_FAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_does_not_depend_on_the_ranks),
        cmocka_unit_test(any_change_changes_the_sum),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_cut_or_lengthened_file_is_refused),
        cmocka_unit_test(a_missing_file_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
