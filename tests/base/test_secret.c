/* test_secret: no part of a password remains in an address, however it is written; an address
 * without one stays as it is; and nothing is written outside the buffer. */
#include <akin/text.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_words(void **state) {
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"--to redis://u:PW@h:1/0 no", "--to redis://u:***@h:1/0 no"},
        {"redis://:PW@h", "redis://:***@h"},
        {"\"redis://u:PW@h\": is", "\"redis://u:***@h\": is"},
        {"qdrant://user:PW@", "qdrant://user:***@"},
        {"redis:user:PW@h", "redis:user:***@h"},
        {"redis:PW@h", "redis:***@h"},
        {"https://u:P@W:x/y@h/a.png", "https://u:***@h/a.png"},
        {"redis://u:p@h and redis://v:q@g", "redis://u:***@h and redis://v:***@g"},
        {"https://h/a?X-Amz-Signature=PW&b=1", "https://h/a?X-Amz-Signature=***&b=1"},
        {"redis://h/0?password=PW", "redis://h/0?password=***"},
        {"redis://h/0?catalog=shop", "redis://h/0?catalog=shop"},
        {"me@example.org wrote 12:30 to row 7: x@y", "me@example.org wrote 12:30 to row 7: x@y"},
        {"file:/a/b.csv", "file:/a/b.csv"},
        {"https://TOKEN@h/x", "https://***@h/x"},
        {"https://h/img@2x.png", "https://h/img@2x.png"},
        {"https://h/a:b@2x.png", "https://h/a:b@2x.png"},
        {"redis://", "redis://"},
        {"redis://[user:password@]host", "redis://[user:password@]host"},
        {"", ""},
        {"redis://[::1]:7011/0", "redis://[::1]:7011/0"},
        {"redis://::1:7011 redis://h:1: no", "redis://::1:7011 redis://h:1: no"},
        {"memcached://host:port[,host:port]?catalog=NAME",
         "memcached://host:port[,host:port]?catalog=NAME"},
        {"http://PW:@h", "http://***@h"},
        {"https://user%3APW@h/x", "https://***@h/x"},
        {"https%3A%2F%2Fu%3APW%40h", "https%3A%2F%2F***%40h"},
        {"https://p/?url=https%3a%2f%2fu%3APW%40h&x=1", "https://p/?url=https%3a%2f%2f***%40h&x=1"},
        {"b (http://u:PW PW@h/x): no", "b (http://u:***@h/x): no"},
        {"redis:/u:PW@h", "redis:/u:***@h"},
        {"//u:PW@h/x.png", "//u:***@h/x.png"},
        {"--to u:PW@h:6379/0: no", "--to u:***@h:6379/0: no"},
        {"file:b@2x.csv", "file:b@2x.csv"},
        {"redis://u:PW", "redis://u:***"},
        {"redis:u:PW and", "redis:u:*** and"},
        {"qdrant://u:PW/c", "qdrant://u:***/c"},
        {"redis://u:password@h", "redis://u:***@h"},
        {"https://h/a?x=1;pass=PW#token=PW", "https://h/a?x=1;pass=***#token=***"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s", cases[i].text);
        akin_secret_hide(text, sizeof text);
        assert_string_equal(text, cases[i].shown);
    }
}

static void test_whole_address(void **state) {
    char text[64] = "redis://u:P W@h";
    (void)state;
    akin_secret_hide_address(text, sizeof text);
    assert_string_equal(text, "redis://u:***@h");
    akin_text *shown;
    assert_int_equal(akin_text_create(&shown), AKIN_OK);
    assert_int_equal(akin_text_append_hidden(shown, "qdrant://u:P W@h:1/c"), AKIN_OK);
    assert_string_equal(akin_text_bytes(shown), "qdrant://u:***@h:1/c");
    akin_text_free(shown);
}

/* Every address in a buffer that is just large enough, so that *** may not fit: the result is
 * truncated. */
static void test_room(void **state) {
    (void)state;
    for (size_t length = 0; length < 24; length++) {
        struct {
            char text[32];
            unsigned char guard[32];
        } room;
        memset(&room, 0xA5, sizeof room);
        memcpy(room.text, "redis://u:p@h?key=p&sig=p&token=p", length);
        room.text[length] = '\0';
        size_t size = strlen(room.text) + 1;
        memset(room.text + size, 0xA5, sizeof room.text - size);
        akin_secret_hide(room.text, size);
        assert_true(strlen(room.text) < size);
        for (size_t i = size; i < sizeof room; i++)
            assert_int_equal(((unsigned char *)&room)[i], 0xA5);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_whole_address),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
