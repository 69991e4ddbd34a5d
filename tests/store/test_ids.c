/* ids: what is stored is found again; bucket, uuid, lock owner, and addresses without their
 * passwords. */
#include "publish/bucket.h"
#include "publish/lock_owner.h"
#include "publish/uuid.h"
#include <akin/ids.h>
#include <akin/text.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void ids_are_found_again(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    static char names[COUNT][16];
    static const char *texts[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "id %d", i);
        texts[i] = names[i];
    }
    for (size_t count = 1; count <= COUNT; count = 3 * count + 1) {
        akin_ids *ids = NULL;
        assert_int_equal(akin_ids_create(count, texts, &ids), AKIN_OK);
        assert_int_equal(akin_ids_count(ids), count);
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(akin_ids_find(ids, texts[i]), i < count ? (int64_t)i : -1);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(akin_ids_text(ids, i), texts[i]);
            assert_int_equal(akin_ids_length(ids, i), strlen(texts[i]));
        }
        assert_int_equal(akin_ids_find(ids, ""), -1);
        akin_ids_free(ids);
    }
    const char *const twice[] = {"a", "b", "a"};
    akin_ids *ids = NULL;
    assert_int_equal(akin_ids_create(3, twice, &ids), AKIN_OK);
    assert_int_equal(akin_ids_find(ids, "a"), 0); /* the first row with this id */
    akin_ids_free(ids);
}

static void buckets_and_uuids_are_those_of_other_languages(void **state) {
    (void)state;
    char text[AKIN_UUID_SIZE];
    akin_uuid5("https://example.com/",
               text); /* Python: uuid.uuid5(uuid.NAMESPACE_URL, "https://example.com/") */
    assert_string_equal(text, "dd2c1780-811a-5296-81c5-178a0ef488bc");
    assert_int_equal(akin_bucket("123456789", 9, 1000003),
                     0xCBF43926u % 1000003); /* CRC-32's check value */
    assert_int_equal(akin_bucket("123456789", 9, 0), 0);
    assert_int_equal(akin_bucket("123456789", 9, 1), 0);
}

static void a_holder_that_has_ended_is_known(void **state) {
    (void)state;
    int ends[2];
    char mine[AKIN_LOCK_OWNER_SIZE], theirs[AKIN_LOCK_OWNER_SIZE] = "", again[AKIN_LOCK_OWNER_SIZE];
    akin_lock_owner_sign(mine);
    akin_lock_owner_sign(again);
    assert_string_not_equal(mine, again);
    assert_false(akin_lock_owner_has_ended(mine));
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        akin_lock_owner_sign(theirs);
        _exit(write(ends[1], theirs, sizeof theirs) != sizeof theirs);
    }
    assert_int_equal(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(akin_lock_owner_has_ended(theirs));
    *strchr(theirs, '/') = '-'; /* of another machine */
    assert_false(akin_lock_owner_has_ended(theirs));
    assert_false(akin_lock_owner_has_ended("someone, process 1, since long ago"));
    assert_false(akin_lock_owner_has_ended(""));
    assert_int_equal(akin_lock_owner_shown("no bracket"), 10);
    assert_null(memchr(mine, '[', (size_t)akin_lock_owner_shown(mine)));
}

static void a_password_is_hidden(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"redis://host:1/0?catalog=a", "redis://host:1/0?catalog=a"},
        {"redis://u:secret@host:1/0", "redis://u:***@host:1/0"},
        {"redis://:se/cr@et@host/0", "redis://:***@host/0"},
        {"redis://user@host:6379/0", "redis://***@host:6379/0"}, /* it may be a token */
        {"file:a@b.csv", "file:a@b.csv"},
        {"", ""},
    };
    akin_text *text = NULL;
    assert_int_equal(akin_text_create(&text), AKIN_OK);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        akin_text_clear(text);
        assert_int_equal(akin_text_append_hidden(text, pairs[i][0]), AKIN_OK);
        assert_string_equal(akin_text_bytes(text), pairs[i][1]);
    }
    akin_text_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_found_again),
        cmocka_unit_test(buckets_and_uuids_are_those_of_other_languages),
        cmocka_unit_test(a_holder_that_has_ended_is_known),
        cmocka_unit_test(a_password_is_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
