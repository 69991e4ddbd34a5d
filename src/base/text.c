/* text: see text.h. */
#include <akin/mem.h>
#include <akin/text.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct akin_text {
    char *bytes; /* always NUL-terminated at `length` */
    size_t length, capacity;
};

akin_status akin_text_create(akin_text **out) {
    *out = NULL;
    akin_text *text = akin_mem_alloc(1, sizeof *text);
    if (!text) return AKIN_FAILED;
    *text = (akin_text){.capacity = 64};
    text->bytes = akin_mem_alloc(text->capacity, 1);
    if (!text->bytes) {
        akin_mem_free(text);
        return AKIN_FAILED;
    }
    text->bytes[0] = '\0';
    *out = text;
    return AKIN_OK;
}

/* Room for `more` bytes and the NUL. */
static akin_status reserve(akin_text *text, size_t more) {
    if (more < text->capacity - text->length) return AKIN_OK;
    size_t capacity =
        2 * text->capacity > text->length + more + 1 ? 2 * text->capacity : text->length + more + 1;
    char *grown = akin_mem_resize(text->bytes, text->length + 1, capacity, 1);
    if (!grown) return AKIN_FAILED;
    text->bytes = grown;
    text->capacity = capacity;
    return AKIN_OK;
}

akin_status akin_text_append(akin_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t room = text->capacity - text->length;
    int needed = vsnprintf(text->bytes + text->length, room, format, arguments);
    va_end(arguments);
    text->bytes[text->length] =
        needed < 0 || (size_t)needed >= room ? '\0' : text->bytes[text->length];
    if (needed < 0)
        return akin_error_set(AKIN_FAILED, "a text cannot be formatted: %s", strerror(errno));
    if ((size_t)needed >= room) {
        if (reserve(text, (size_t)needed) != AKIN_OK) return AKIN_FAILED;
        va_start(arguments, format);
        vsnprintf(text->bytes + text->length, text->capacity - text->length, format, arguments);
        va_end(arguments);
    }
    text->length += (size_t)needed;
    return AKIN_OK;
}

akin_status akin_text_append_bytes(akin_text *text, const char *bytes, size_t count) {
    if (reserve(text, count) != AKIN_OK) return AKIN_FAILED;
    if (count) memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
    text->bytes[text->length] = '\0';
    return AKIN_OK;
}

char *akin_text_room(akin_text *text, size_t count) {
    return reserve(text, count) == AKIN_OK ? text->bytes + text->length : NULL;
}

void akin_text_extend(akin_text *text, size_t count) {
    text->length += count;
    text->bytes[text->length] = '\0';
}

/* Whether any of eight bytes is below 0x20, a quote or a backslash; the high bit of each lane
 * indicates it (Mycroft 1987). */
static bool must_escape(uint64_t bytes) {
    const uint64_t ones = UINT64_MAX / 255, highs = ones << 7;
    uint64_t quote = bytes ^ ones * '"', backslash = bytes ^ ones * '\\';
    uint64_t low = (bytes - ones * 0x20) & ~bytes;
    return ((low | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs) != 0;
}

static size_t escape(char *out, unsigned char byte) {
    static const char short_forms[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    out[0] = '\\';
    out[1] = (char)(byte >= 0x20 ? byte : short_forms[byte] ? short_forms[byte] : 'u');
    return out[1] == 'u' && byte < 0x20 ? 2 + (size_t)sprintf(out + 2, "%04x", byte) : 2;
}

size_t akin_text_json(char *out, const char *value, size_t length) {
    char *at = out;
    size_t done = 0;
    *at++ = '"';
    while (done < length) {
        uint64_t bytes;
        if (length - done >= sizeof bytes) {
            memcpy(&bytes, value + done, sizeof bytes);
            if (!must_escape(bytes)) {
                memcpy(at, &bytes, sizeof bytes);
                at += sizeof bytes;
                done += sizeof bytes;
                continue;
            }
        }
        unsigned char byte = (unsigned char)value[done++];
        if (byte < 0x20 || byte == '"' || byte == '\\')
            at += escape(at, byte);
        else
            *at++ = (char)byte;
    }
    *at++ = '"';
    return (size_t)(at - out);
}

akin_status akin_text_append_json(akin_text *text, const char *value) {
    size_t length = strlen(value);
    char *out = akin_text_room(text, AKIN_TEXT_JSON_MAX(length));
    if (!out) return AKIN_FAILED;
    akin_text_extend(text, akin_text_json(out, value, length));
    return AKIN_OK;
}

akin_status akin_text_append_hidden(akin_text *text, const char *url) {
    size_t size = 4 * strlen(url) + 1; /* *** for each byte at most */
    char *copy = akin_mem_alloc(size, 1);
    if (!copy) return AKIN_FAILED;
    memcpy(copy, url, strlen(url) + 1);
    akin_secret_hide_address(copy, size);
    akin_status status = akin_text_append_bytes(text, copy, strlen(copy));
    akin_mem_free(copy);
    return status;
}

const char *akin_text_bytes(const akin_text *text) {
    return text->bytes;
}

size_t akin_text_length(const akin_text *text) {
    return text->length;
}

void akin_text_clear(akin_text *text) {
    text->length = 0;
    text->bytes[0] = '\0';
}

void akin_text_free(akin_text *text) {
    if (!text) return;
    akin_mem_free(text->bytes);
    akin_mem_free(text);
}

/* Well-formed sequences (Unicode 15, table 3-7): the range of the second byte depends on the
 * first, the others are 80..BF. */
static const struct {
    unsigned char first_low, first_high, second_low, second_high, length;
} sequences[] = {
    {0x01, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};
enum { SEQUENCES = sizeof sequences / sizeof sequences[0] };

/* Length in bytes of the well-formed sequence at the start of the text; 0 if there is none. */
static size_t sequence_length(const unsigned char *bytes, size_t count) {
    for (int s = 0; s < SEQUENCES; s++) {
        if (bytes[0] < sequences[s].first_low || bytes[0] > sequences[s].first_high) continue;
        size_t length = sequences[s].length;
        if (length > count) return 0;
        if (length > 1 &&
            (bytes[1] < sequences[s].second_low || bytes[1] > sequences[s].second_high))
            return 0;
        for (size_t i = 2; i < length; i++)
            if (bytes[i] < 0x80 || bytes[i] > 0xBF) return 0;
        return length;
    }
    return 0;
}

bool akin_text_is_utf8(const char *bytes, size_t count) {
    const unsigned char *at = (const unsigned char *)bytes;
    while (count) {
        size_t length = sequence_length(at, count);
        if (!length) return false;
        at += length;
        count -= length;
    }
    return true;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

enum { WORD_MAX = 63 };

static bool same_letter(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Levenshtein 1966, one row at a time; of words longer than WORD_MAX only the beginning is
 * compared. Case makes no difference. */
static size_t edit_distance(const char *a, const char *b) {
    size_t row[WORD_MAX + 1], a_length = strnlen(a, WORD_MAX), b_length = strnlen(b, WORD_MAX);
    for (size_t j = 0; j <= b_length; j++) row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = diagonal + !same_letter(a[i - 1], b[j - 1]);
            diagonal = row[j];
            row[j] = least(replaced, least(row[j] + 1, row[j - 1] + 1));
        }
    }
    return row[b_length];
}

int64_t akin_text_search(const char *name, const char *(*name_at)(const void *names, size_t at),
                         const void *names, size_t count) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name_at(names, middle), name);
        if (order == 0) return (int64_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

const char *akin_text_nearest(const char *word, const char *const *candidates) {
    const char *nearest = NULL;
    size_t nearest_distance = SIZE_MAX;
    for (; *candidates; candidates++) {
        size_t distance = edit_distance(word, *candidates);
        size_t longer = strlen(word) > strlen(*candidates) ? strlen(word) : strlen(*candidates);
        /* A distance equal to the longer word's length means no letter in common. */
        if (distance < nearest_distance && distance < least(longer, WORD_MAX)) {
            nearest = *candidates;
            nearest_distance = distance;
        }
    }
    return nearest;
}

bool akin_text_is_near(const char *word, const char *other, size_t letters) {
    size_t a = strnlen(word, WORD_MAX), b = strnlen(other, WORD_MAX);
    return letters * edit_distance(word, other) <= (a > b ? a : b);
}

bool akin_text_to_int(const char *text, long long *out) {
    if (!*text || strspn(text, "+-0123456789") != strlen(text)) return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (*end || errno) return false;
    *out = value;
    return true;
}

bool akin_text_to_real(const char *text, double *out) {
    if (!*text || strspn(text, "+-.0123456789eE") != strlen(text))
        return false; /* no "inf", no hexadecimal */
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value)) return false; /* an underflow is as good as 0 */
    *out = value;
    return true;
}

const char *akin_text_commas(double value, char out[AKIN_TEXT_COMMAS]) {
    char digits[AKIN_TEXT_COMMAS];
    int used = 0,
        length = snprintf(digits, sizeof digits, "%.0f", value > 0 && value < 1e18 ? value : 0);
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

bool akin_text_has_part(const char *parts, const char *part) {
    size_t length = strlen(part);
    while (parts != NULL) {
        const char *end = strchr(parts, '|');
        size_t own = end ? (size_t)(end - parts) : strlen(parts);
        if (own == length && memcmp(parts, part, length) == 0) return true;
        parts = end ? end + 1 : NULL;
    }
    return false;
}
