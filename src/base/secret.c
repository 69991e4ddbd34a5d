/* secret: see include/akin/secret.h. */
#include <akin/text.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const char stars[] = "***";

/* Schemes that are recognised even without "//" after them. */
static const char *const schemes[] = {"redis",   "rediss", "redis+unix", "memcached", "qdrant",
                                      "qdrants", "http",   "https",      "s3"};
static const char *const secret_keys[] = {"pass", "pwd", "pw",   "secret", "token", "signature",
                                          "sig",  "jwt", "hmac", "auth",   "key",   "credential"};

/* Replaces the text between two positions by stars; returns how far the rest has moved. */
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

/* Start of the part after the scheme in text[from..end); 0 = it contains no address. */
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

/* A position after the text before it has moved; clamped to the text, which may have been cut. */
static size_t end_after(const char *text, size_t end, long moved) {
    size_t length = strlen(text), now = (size_t)((long)end + moved);
    return now < length ? now : length;
}

/* Masks values of the query, and of the fragment, in text[from..end). Returns the new end. */
static size_t hide_query(char *text, size_t size, size_t from, size_t end) {
    size_t at = from;
    while (at < end && !strchr("?#", text[at])) at++;
    for (at++; at < end;) {
        size_t equals = at, stop = at;
        while (stop < end && !strchr("&;#", text[stop])) stop++;
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

static size_t find_any(const char *text, size_t from, size_t end, const char *letters) {
    while (from < end && !strchr(letters, text[from])) from++;
    return from;
}

/* Whether text[from..end), up to the first byte that cannot belong to it, is host[:port] (or IPv6,
 * with or without brackets), so that the part after the colon is not a password. */
static bool is_port(const char *text, size_t colon, size_t end) {
    size_t at = colon + 1;
    while (at < end && text[at] >= '0' && text[at] <= '9') at++;
    if (at == colon + 1 && end - at >= 4 && strncmp(text + at, "port", 4) == 0)
        at += 4; /* a hint */
    return at == end || !is_of_scheme(text[at]);
}

static bool is_ipv6(const char *text, size_t from, size_t end) {
    size_t hex = from + strspn(text + from, "0123456789abcdefABCDEF:.[]");
    size_t colon = find_any(text, from, end, ":");
    return hex >= end && colon < end && find_any(text, colon + 1, end, ":") < end;
}

/* The password of user:password without @ and host: after the first colon in text[begin..end) that
 * is not followed by a port; `end` = none. *stop: where it ends. */
static size_t find_hostless(const char *text, size_t begin, size_t end, size_t *stop) {
    *stop = find_any(text, begin, end, "/?#");
    if (begin < *stop && text[begin] == '[') begin = find_any(text, begin, *stop, "]");
    if (is_ipv6(text, begin, *stop)) return end;
    for (size_t at = begin; at < *stop; at++)
        if (text[at] == ':' && !is_port(text, at, *stop)) return at + 1;
    return end;
}

/* The bytes [*secret, *stop) to hide of text[begin..end), the part after a scheme; false: none. The
 * part before the last @ is a user with a password, or a token. */
static bool find_secret(const char *text, size_t begin, size_t end, bool slashes, size_t *secret,
                        size_t *stop) {
    size_t at = end, colon, path = find_any(text, begin, end, "/?#");
    while (at > begin && text[at - 1] != '@') at--;
    if (at == begin) {
        *secret = find_hostless(text, begin, end, stop);
        return *secret < *stop;
    }
    *stop = at - 1;
    colon = find_any(text, begin, *stop, ":");
    if (colon > path) return false; /* as in https://host/picture@2x.png */
    /* Without a password the user may be a token. */
    *secret = colon + 1 < *stop && (slashes || colon > begin) ? colon + 1 : begin;
    if (colon == *stop && !slashes) *secret = begin;
    bool example = text[begin] == '[' && strncmp(text + *secret, "password@]", 10) == 0;
    return *secret < *stop && !example;
}

/* Start of a user with a password in a word without a scheme, user:password@host; `end` = none. */
static size_t find_bare_user(const char *text, size_t from, size_t end) {
    static const char file[] = "file:";
    from += strspn(text + from, "'\"(=/");
    if (end - from > strlen(file) && strncmp(text + from, file, strlen(file)) == 0)
        from += strlen(file);
    size_t colon = find_any(text, from, end, ":/"), at = find_any(text, colon, end, "@/\"");
    bool whole = colon > from && colon + 1 < at && at + 1 < end;
    return whole && text[colon] == ':' && text[at] == '@' ? from : end;
}

/* An address with %3A for a colon, as in a parameter of another one. Returns the new end. */
static size_t hide_encoded(char *text, size_t size, size_t from, size_t end) {
    static const char scheme[] = "%3a%2f%2f", at_sign[] = "%40";
    size_t begin = from, last = end;
    while (begin < end && strncasecmp(text + begin, scheme, strlen(scheme)) != 0) begin++;
    if (begin + strlen(scheme) >= end) return end;
    begin += strlen(scheme);
    while (last > begin && strncmp(text + last, at_sign, strlen(at_sign)) != 0) last--;
    return last > begin ? end_after(text, end, put_stars(text, size, begin, last)) : end;
}

/* One word, text[from..end). Returns its new end. */
static size_t hide_word(char *text, size_t size, size_t from, size_t end) {
    size_t begin = behind_scheme(text, from, end), secret, stop;
    if (begin > 0) begin += strspn(text + begin, "/\\");
    bool slashes = begin > 0 && text[begin - 1] == '/';
    if (begin == 0) begin = find_bare_user(text, from, end);
    if (begin < end && find_secret(text, begin, end, slashes, &secret, &stop))
        end = end_after(text, end, put_stars(text, size, secret, stop));
    if (begin < end) end = hide_query(text, size, begin, end);
    return hide_encoded(text, size, from, end);
}

/* The end of a word that starts with an address: a password may contain blanks, and then extends to
 * the word with the @. */
static size_t end_of_word(const char *text, size_t from) {
    size_t end = from + strcspn(text + from, " \t\n\r"), stop;
    size_t begin = behind_scheme(text, from, end);
    if (begin == 0 || memchr(text + begin, '@', end - begin)) return end;
    if (find_hostless(text, begin, end, &stop) >= stop) return end;
    const char *next = strstr(text + end, "://");
    size_t at = end + strcspn(text + end, "@\n\r");
    if (text[at] != '@' || (next && next < text + at)) return end;
    return at + strcspn(text + at, " \t\n\r");
}

void akin_secret_hide_address(char *address, size_t size) {
    hide_word(address, size, 0, strlen(address));
}

void akin_secret_hide(char *text, size_t size) {
    for (size_t at = 0; text[at];) {
        size_t end = hide_word(text, size, at, end_of_word(text, at));
        at = end + strspn(text + end, " \t\n\r");
    }
}
