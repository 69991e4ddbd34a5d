/* rolled_back: the list of tables that were rolled back at a target. */
#include <akin/rolled_back.h>
#include <stdio.h>
#include <string.h>

#define DIGEST ((size_t)AKIN_HASH_TEXT_SIZE - 1)
#define BLANKS " \n"

static bool is_digest(const char *word, size_t length) {
    return length == DIGEST && strspn(word, "0123456789abcdef") >= DIGEST;
}

bool akin_rolled_back_read(char list[AKIN_ROLLED_BACK_SIZE], const char *text) {
    bool all = true;
    list[0] = '\0';
    for (const char *word = text ? text : ""; *(word += strspn(word, BLANKS));) {
        char digest[AKIN_HASH_TEXT_SIZE];
        size_t length = strcspn(word, BLANKS);
        if (is_digest(word, length)) {
            snprintf(digest, sizeof digest, "%.*s", (int)length, word);
            akin_rolled_back_add(list, digest);
        } else
            all = false;
        word += length;
    }
    return all;
}

bool akin_rolled_back_has(const char *list, const char *digest) {
    return strlen(digest) == DIGEST && strstr(list, digest) != NULL;
}

/* Removes the digest here, and the blank beside it. */
static void cut(char *list, char *at) {
    char *next = at + DIGEST;
    if (*next)
        memmove(at, next + 1, strlen(next + 1) + 1);
    else
        *(at > list ? at - 1 : at) = '\0';
}

void akin_rolled_back_add(char list[AKIN_ROLLED_BACK_SIZE], const char *digest) {
    if (strlen(digest) != DIGEST) return;
    akin_rolled_back_remove(list, digest);
    size_t length = strlen(list);
    if (length + 1 + DIGEST >= AKIN_ROLLED_BACK_SIZE) cut(list, list);
    length = strlen(list);
    snprintf(list + length, AKIN_ROLLED_BACK_SIZE - length, "%s%s", length > 0 ? " " : "", digest);
}

void akin_rolled_back_remove(char list[AKIN_ROLLED_BACK_SIZE], const char *digest) {
    if (akin_rolled_back_has(list, digest)) cut(list, strstr(list, digest));
}
