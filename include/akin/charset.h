/* charset: reads a text file in any encoding as UTF-8; the one module with <iconv.h>. Not
 * collective.
 *
 * A byte order mark selects UTF-8 or UTF-16 and is skipped; without one, the file is in the
 * encoding that the caller names, by default UTF-8. What cannot be converted becomes the byte FF,
 * which is never valid in UTF-8, so that only its row is refused.
 */
#ifndef AKIN_CHARSET_H
#define AKIN_CHARSET_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

#define AKIN_CHARSETS "utf-8, utf-16, utf-16le, utf-16be, windows-1252 or iso-8859-1"

typedef struct akin_charset akin_charset;

/* Whether it is one of AKIN_CHARSETS, in either case, or an alias of one: latin1, cp1252, utf8. */
bool akin_charset_is_known(const char *name);

/* name: a known encoding, or NULL to use the mark. AKIN_FAILED: the file cannot be opened. */
AKIN_MUST_CHECK akin_status akin_charset_open(const char *path, const char *name,
                                              akin_charset **out);
/* Up to `room` (at least 16) bytes of UTF-8; *count = 0 at the end. UTF-8 is passed on unchanged,
 * even if invalid. AKIN_FAILED: the file cannot be read. */
AKIN_MUST_CHECK akin_status akin_charset_read(akin_charset *file, unsigned char *bytes, size_t room,
                                              size_t *count);
void akin_charset_close(akin_charset *file); /* NULL is fine */

#endif
