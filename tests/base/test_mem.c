/* mem: allocations are aligned and checked, and the n-th one can be made to fail. */
#include <akin/error.h>
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void blocks_are_aligned_and_separate(void **state) {
    (void)state;
    unsigned char *blocks[50];
    for (size_t i = 0; i < 50; i++) {
        blocks[i] = akin_mem_alloc(i, 3); /* even of 0 bytes */
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % 64, 0);
        memset(blocks[i], (int)i, i * 3);
    }
    for (size_t i = 0; i < 50; i++) {
        for (size_t j = 0; j < i * 3; j++) assert_int_equal(blocks[i][j], i);
        akin_mem_free(blocks[i]);
    }
    akin_mem_free(NULL);
}

static void zalloc_is_zero_also_where_memory_was_used(void **state) {
    (void)state;
    for (int round = 0; round < 10; round++) {
        unsigned char *block = akin_mem_zalloc(1000, 1);
        for (int i = 0; i < 1000; i++) assert_int_equal(block[i], 0);
        memset(block, 0xFF, 1000);
        akin_mem_free(block);
    }
}

static void resize_keeps_what_fits(void **state) {
    (void)state;
    static const size_t counts[] = {0, 1, 100, 7, 5000, 5000, 3};
    int *block = NULL;
    size_t old = 0, kept = 0;
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        block = akin_mem_resize(block, old, counts[c], sizeof *block);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        kept = kept < counts[c] ? kept : counts[c];
        for (size_t i = 0; i < kept; i++) assert_int_equal(block[i], i);
        for (size_t i = 0; i < counts[c]; i++) block[i] = (int)i;
        old = kept = counts[c];
    }
    akin_mem_free(block);
}

static void a_failed_resize_leaves_the_old_block(void **state) {
    (void)state;
    char *block = akin_mem_text("cheese");
    akin_mem_fail_at(1);
    assert_null(akin_mem_resize(block, 7, 1000, 1));
    assert_string_equal(block, "cheese");
    assert_null(akin_mem_resize(block, 7, SIZE_MAX / 2, 4));
    assert_string_equal(block, "cheese");
    akin_mem_free(block);
}

static void what_cannot_be_had_is_null_with_a_message(void **state) {
    (void)state;
    static const size_t wishes[][2] = {{SIZE_MAX, 2},    {2, SIZE_MAX},      {SIZE_MAX, 1},
                                       {1, PTRDIFF_MAX}, {1, SIZE_MAX - 63}, {(size_t)1 << 62, 4}};
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        akin_error_clear();
        assert_null(akin_mem_alloc(wishes[i][0], wishes[i][1]));
        assert_non_null(strstr(akin_error_message(), "not enough memory"));
        assert_null(akin_mem_zalloc(wishes[i][0], wishes[i][1]));
    }
}

static void exactly_the_nth_allocation_fails(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 6; n++) {
        uint64_t before = akin_mem_calls();
        akin_mem_fail_at(n);
        for (uint64_t i = 1; i <= 8; i++) {
            void *block = i % 2 ? akin_mem_alloc(8, 1) : akin_mem_text("text");
            assert_true((block == NULL) == (i == n));
            akin_mem_free(block);
        }
        assert_int_equal(akin_mem_calls() - before, 8);
    }
    akin_mem_fail_at(2);
    akin_mem_fail_at(0);
    for (int i = 0; i < 4; i++) {
        void *block = akin_mem_alloc(8, 1);
        assert_non_null(block);
        akin_mem_free(block);
    }
}

static void the_peak_grows_with_what_is_touched(void **state) {
    (void)state;
    enum { BYTES = 32 << 20 };
    size_t before = akin_mem_peak();
    assert_true(before > 1 << 18);
    unsigned char *block = akin_mem_alloc(BYTES, 1);
    for (size_t i = 0; i < BYTES; i += 512) ((volatile unsigned char *)block)[i] = 1;
    assert_true(akin_mem_peak() >= BYTES);
    assert_true(akin_mem_peak() >= before);
    akin_mem_free(block);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_separate),
        cmocka_unit_test(zalloc_is_zero_also_where_memory_was_used),
        cmocka_unit_test(resize_keeps_what_fits),
        cmocka_unit_test(a_failed_resize_leaves_the_old_block),
        cmocka_unit_test(what_cannot_be_had_is_null_with_a_message),
        cmocka_unit_test(exactly_the_nth_allocation_fails),
        cmocka_unit_test(the_peak_grows_with_what_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
