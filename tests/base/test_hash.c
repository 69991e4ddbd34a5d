/* hash: the published values of XXH3; hashing in pieces equals hashing at once; texts keep their
 * boundaries. */
#include <akin/hash.h>
#include <akin/mem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* As in xxhsum's own sanity check: the empty input, seed 0. */
static void empty_input_has_the_published_values(void **state) {
    (void)state;
    char text[AKIN_HASH_TEXT_SIZE];
    assert_true(akin_hash_64("", 0) == UINT64_C(0x2D06800538D394C2));
    akin_hash_text(akin_hash_128("", 0, 0), text);
    assert_string_equal(text, "99aa06d3014798d86001c324468d497f");
}

static void pieces_are_the_whole(void **state) {
    (void)state;
    unsigned char bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * i + i / 7);
    for (size_t piece = 1; piece < 3000; piece = 3 * piece + 1) {
        akin_hasher *hasher;
        assert_int_equal(akin_hasher_create(&hasher), AKIN_OK);
        for (size_t at = 0; at < sizeof bytes; at += piece)
            akin_hasher_add(hasher, bytes + at,
                            at + piece < sizeof bytes ? piece : sizeof bytes - at);
        akin_hash128 pieces = akin_hasher_result(hasher),
                     whole = akin_hash_128(bytes, sizeof bytes, 0);
        assert_true(pieces.low == whole.low && pieces.high == whole.high);
        akin_hasher_free(hasher);
    }
    akin_hasher_free(NULL);
}

static akin_hash128 of_texts(const char *a, const char *b) {
    akin_hasher *hasher;
    assert_int_equal(akin_hasher_create(&hasher), AKIN_OK);
    akin_hasher_add_text(hasher, a);
    akin_hasher_add_text(hasher, b);
    akin_hash128 hash = akin_hasher_result(hasher);
    akin_hasher_free(hasher);
    return hash;
}

static void texts_keep_their_borders(void **state) {
    (void)state;
    assert_true(of_texts("a", "b").low == of_texts("a", "b").low);
    assert_true(of_texts("a", "b").low != of_texts("ab", "").low);
    assert_true(of_texts("a", "b").low != of_texts("", "ab").low);
}

static void a_seed_makes_another_hash(void **state) {
    (void)state;
    assert_true(akin_hash_128("cheese", 6, 1).low != akin_hash_128("cheese", 6, 2).low);
}

static void no_memory_is_said(void **state) {
    (void)state;
    akin_hasher *hasher;
    akin_mem_fail_at(1);
    assert_int_equal(akin_hasher_create(&hasher), AKIN_FAILED);
    assert_null(hasher);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_input_has_the_published_values),
        cmocka_unit_test(pieces_are_the_whole),
        cmocka_unit_test(texts_keep_their_borders),
        cmocka_unit_test(a_seed_makes_another_hash),
        cmocka_unit_test(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
