/* A damaged file is refused (3), never accepted and never causes a crash: truncated at many
 * lengths, with bits flipped in many places, in the data and in the library's own tables. Each
 * trial opens the file in its own process. */
#include "items.h"
#include <akin/file.h>
#include <akin/mem.h>
#include <akin/table.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static akin_comm *comm;

enum { ITEMS = 30, K = 4, SECONDS = 20 };

static unsigned char *whole;
static size_t whole_bytes;

static int write_whole(void **state) {
    (void)state;
    int32_t neighbor[ITEMS * K], counts[ITEMS];
    float score[ITEMS * K];
    akin_labels *labels = make_items(0, ITEMS, true);
    for (size_t i = 0; i < ITEMS; i++) {
        counts[i] = K;
        for (size_t j = 0; j < K; j++) {
            neighbor[i * K + j] = (int32_t)((i + j + 1) % ITEMS);
            score[i * K + j] = 1.0f / (float)(j + 2);
        }
    }
    const akin_table_origin origin = {"options", "result options", "embeddings", "model"};
    const akin_table_part part = {ITEMS, K, 0, neighbor, score, counts};
    akin_status status = akin_table_write(comm, "damage.nc", &origin, labels, &part, NULL);
    akin_labels_free(labels);
    if (status == AKIN_OK) status = akin_file_read("damage.nc", 1 << 20, &whole, &whole_bytes);
    return (int)status;
}

static int free_whole(void **state) {
    (void)state;
    akin_mem_free(whole);
    return 0;
}

/* The result of opening the file and reading all of it. */
static akin_status read_all(const char *path) {
    akin_table *table = NULL;
    akin_labels *labels = NULL;
    akin_status status = akin_table_open(comm, path, &table);
    if (status != AKIN_OK) return status;
    size_t n = akin_table_items(table);
    int32_t *counts = akin_mem_alloc(n, sizeof *counts);
    status = akin_labels_read(akin_table_file(table), 0, n, &labels);
    if (status == AKIN_OK) status = akin_table_rows(table, 0, n, NULL, NULL, counts);
    akin_labels_free(labels);
    akin_mem_free(counts);
    akin_table_close(table);
    return status;
}

/* The exit code of a process that reads these bytes as a file; 128 + the signal that ended it. */
static int try_bytes(const unsigned char *bytes, size_t count) {
    FILE *file = fopen("damaged.nc", "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(SECONDS);
        _exit(read_all("damaged.nc"));
    }
    int ended = 0;
    assert_int_equal(waitpid(child, &ended, 0), child);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
}

static void undamaged_is_read(void **state) {
    (void)state;
    assert_int_equal(try_bytes(whole, whole_bytes), AKIN_OK);
}

static void cut_is_refused(void **state) {
    (void)state;
    for (size_t length = 0; length < whole_bytes; length += length < 128 ? 1 : 211) {
        int code = try_bytes(whole, length);
        if (code != AKIN_INPUT) fail_msg("cut at %zu of %zu bytes: %d", length, whole_bytes, code);
    }
    assert_int_equal(try_bytes(whole, whole_bytes - 1), AKIN_INPUT);
}

/* A flip in an unused byte of the library's tables does no harm: the file may be read, but its
 * contents must be unchanged. */
static void flipped_is_refused_or_harmless(void **state) {
    (void)state;
    size_t refused = 0;
    for (size_t at = 0; at < whole_bytes; at += at < 64 ? 1 : 37) {
        const unsigned char masks[2] = {0x01, 0xff};
        for (int m = 0; m < 2; m++) {
            whole[at] ^= masks[m];
            int code = try_bytes(whole, whole_bytes);
            whole[at] ^= masks[m];
            if (code != AKIN_OK && code != AKIN_INPUT)
                fail_msg("byte %zu ^ %02x: %d", at, masks[m], code);
            refused += code == AKIN_INPUT;
        }
    }
    assert_true(refused > whole_bytes / 37 / 2);
}

int main(int argc, char **argv) {
    if (akin_comm_start(&argc, &argv, &comm) != AKIN_OK) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(undamaged_is_read),
        cmocka_unit_test(cut_is_refused),
        cmocka_unit_test(flipped_is_refused_or_harmless),
    };
    int failed = cmocka_run_group_tests(tests, write_whole, free_whole);
    akin_comm_finish(comm);
    return failed;
}
