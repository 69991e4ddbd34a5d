/* text: growing strings and common checks on text. Not collective. */
#ifndef AKIN_TEXT_H
#define AKIN_TEXT_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_text akin_text;

AKIN_MUST_CHECK akin_status akin_text_create(akin_text **out);
AKIN_MUST_CHECK akin_status akin_text_append(akin_text *text, const char *format, ...)
    AKIN_PRINTF(2, 3);
AKIN_MUST_CHECK akin_status akin_text_append_bytes(akin_text *text, const char *bytes,
                                                   size_t count);
/* Reserves room after the text for `count` bytes that the caller writes in place; NULL: out of
 * memory. extend: how many were written. */
char *akin_text_room(akin_text *text, size_t count);
void akin_text_extend(akin_text *text, size_t count);
/* As a JSON string (RFC 8259): quoted, with escapes where required; UTF-8 is kept. */
AKIN_MUST_CHECK akin_status akin_text_append_json(akin_text *text, const char *value);
/* The same for `length` bytes without a NUL, into out [AKIN_TEXT_JSON_MAX(length)]; returns how
 * many were written. */
#define AKIN_TEXT_JSON_MAX(length) (6 * (length) + 2)
size_t akin_text_json(char *out, const char *value, size_t length);
/* An address without its password: "redis://user:***@host". */
AKIN_MUST_CHECK akin_status akin_text_append_hidden(akin_text *text, const char *url);
const char *
akin_text_bytes(const akin_text *text);         /* NUL-terminated, borrowed until the next append */
size_t akin_text_length(const akin_text *text); /* without the NUL */
void akin_text_clear(akin_text *text);
void akin_text_free(akin_text *text);

/* Whether the bytes are valid UTF-8 (RFC 3629: no overlong forms, no surrogates) without a NUL. */
bool akin_text_is_utf8(const char *bytes, size_t count);

/* The place of `name` among names in ascending order (bytewise), -1 = none. */
int64_t akin_text_search(const char *name, const char *(*name_at)(const void *names, size_t at),
                         const void *names, size_t count);

/* The one of `candidates` (ends with NULL) nearest to the word by edit distance (Levenshtein
 * 1966), whatever its case; NULL if none is close. */
const char *akin_text_nearest(const char *word, const char *const *candidates);
/* Whether `part` is one of the parts of "a|b". */
bool akin_text_has_part(const char *parts, const char *part);
/* Whether at most one in every `letters` letters of the longer word differs. */
bool akin_text_is_near(const char *word, const char *other, size_t letters);

/* "s" if the count takes the plural. */
#define AKIN_PLURAL(count) ((count) == 1 ? "" : "s")

/* Conversions of a whole text: false if it is not exactly one number (blank, trailing letters,
 * overflow, not finite). */
bool akin_text_to_int(const char *text, long long *out);
bool akin_text_to_real(const char *text, double *out);

/* "1234567.8" -> "1,234,568"; invalid counts (negative, 1e18 or more, NaN) give "0". */
enum { AKIN_TEXT_COMMAS = 32 };
const char *akin_text_commas(double value, char out[AKIN_TEXT_COMMAS]);

/* Secrets: hides passwords in addresses from messages, files and process lists. Not collective. */

/* For message text, with words separated by blanks: in every word that is or contains an address,
 * well formed or not, replaces everything between the user and the last @ by ***, and also the
 * values of query keys that name a secret (token, signature ...). In place; what no longer fits
 * into `size` bytes is cut off. */
void akin_secret_hide(char *text, size_t size);
/* The same if the whole text is one address, which may contain blanks. */
void akin_secret_hide_address(char *address, size_t size);

#endif
