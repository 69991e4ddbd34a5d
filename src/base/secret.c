/* secret: see include/akin/secret.h. */
#include <akin/text.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char stars[] = "***";

/* Schemes that are recognised even without "//" after them. */
static const char *const schemes[] = {"redis",   "rediss", "redis+unix", "memcached", "qdrant",
                                      "qdrants", "http",   "https",      "s3"};
static const char *const secret_keys[] = {"password",  "passwd", "pwd",        "secret", "token",
                                          "signature", "sig",    "credential", "auth",   "key"};

/* Replaces the text between two positions by stars; returns by how much the rest has moved. */
static long put_stars(char *text, size_t size, size_t from, size_t to) {
    size_t tail = strlen(text + to), length = sizeof stars - 1;
    if (from + length >= size) {
        text[from] = '\0';
        return (long)from - (long)to;
    }
    if (from + length + tail >= size) tail = size - 1 - from - length;
    memmove(text + from + length, text + to, tail);
    memcpy(text + from, stars, length);
    text[from + length + tail] = '\0';
    return (long)(from + length) - (long)to;
}

static bool is_of_scheme(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '+' || letter == '-' || letter == '.';
}

/* Start of what follows the scheme in text[from..end); 0 = it contains no address. */
static size_t behind_scheme(const char *text, size_t from, size_t end) {
    for (size_t at = from; at < end; at++) {
        if (text[at] != ':') continue;
        size_t begin = at;
        while (begin > from && is_of_scheme(text[begin - 1])) begin--;
        if (at + 2 < end && text[at + 1] == '/' && text[at + 2] == '/' && begin < at) return at + 3;
        for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
            if (strlen(schemes[i]) == at - begin &&
                strncasecmp(text + begin, schemes[i], at - begin) == 0)
                return at + 1;
    }
    return 0;
}

static bool names_secret(const char *key, size_t length) {
    for (size_t i = 0; i < sizeof secret_keys / sizeof *secret_keys; i++) {
        size_t size = strlen(secret_keys[i]);
        for (size_t at = 0; at + size <= length; at++)
            if (strncasecmp(key + at, secret_keys[i], size) == 0) return true;
    }
    return false;
}

/* A place that moved with what stands before it: within the text, which may have been cut. */
static size_t end_after(const char *text, size_t end, long moved) {
    size_t length = strlen(text), now = (size_t)((long)end + moved);
    return now < length ? now : length;
}

/* Masks values of the query in text[from..end). Returns the new end. */
static size_t hide_query(char *text, size_t size, size_t from, size_t end) {
    const char *mark = memchr(text + from, '?', end - from);
    size_t at = mark ? (size_t)(mark - text) + 1 : end;
    while (at < end) {
        size_t equals = at, stop = at;
        while (stop < end && text[stop] != '&') stop++;
        while (equals < stop && text[equals] != '=') equals++;
        if (equals + 1 < stop && names_secret(text + at, equals - at)) {
            long moved = put_stars(text, size, equals + 1, stop);
            stop = end_after(text, stop, moved);
            end = end_after(text, end, moved);
        }
        at = stop + 1;
    }
    return end;
}

/* One word, text[from..end). Returns its new end. */
static size_t hide_word(char *text, size_t size, size_t from, size_t end) {
    size_t begin = behind_scheme(text, from, end), at = end;
    if (begin == 0) return end;
    while (at > begin && text[at - 1] != '@') at--;
    if (at > begin) { /* it begins with a user: the password follows the first colon */
        size_t colon = begin;
        bool slashes = text[begin - 1] == '/';
        while (colon < at - 1 && text[colon] != ':') colon++;
        size_t secret = colon < at - 1 ? colon + 1 : slashes ? at - 1 : begin;
        bool example = at - 1 - secret == 8 && strncmp(text + secret, "password", 8) == 0;
        if (secret < at - 1 && !example)
            end = end_after(text, end, put_stars(text, size, secret, at - 1));
    }
    return hide_query(text, size, begin, end);
}

void akin_secret_hide_address(char *address, size_t size) {
    hide_word(address, size, 0, strlen(address));
}

void akin_secret_hide(char *text, size_t size) {
    for (size_t at = 0; text[at];) {
        size_t end = at + strcspn(text + at, " \t\n\r");
        end = hide_word(text, size, at, end);
        at = end + strspn(text + end, " \t\n\r");
    }
}
