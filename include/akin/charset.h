/* charset: a text file read as UTF-8, whatever it is written in; the one module with <iconv.h>. Not
 * collective.
 *
 * A byte order mark says UTF-8 or UTF-16 and is left out; without one a file is UTF-8, or what it is
 * said to be. What cannot be converted becomes the byte FF, which is part of no UTF-8, so that only
 * its row is refused.
 */
#ifndef AKIN_CHARSET_H
#define AKIN_CHARSET_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

#define AKIN_CHARSETS "utf-8, utf-16, utf-16le, utf-16be, windows-1252"

typedef struct akin_charset akin_charset;

/* Whether it is one of AKIN_CHARSETS, in letters of either case, or another name of one. */
bool akin_charset_is_known(const char *name);

/* name: one that is known, or NULL: by the mark. A file that cannot be opened: AKIN_FAILED. */
AKIN_MUST_CHECK akin_status akin_charset_open(const char *path, const char *name,
                                              akin_charset **out);
/* Up to `room` (at least 16) bytes of UTF-8; *count = 0 at the end. UTF-8 is passed on as it is, with
 * its faults. AKIN_FAILED: it cannot be read. */
AKIN_MUST_CHECK akin_status akin_charset_read(akin_charset *file, unsigned char *bytes, size_t room,
                                              size_t *count);
void akin_charset_close(akin_charset *file); /* NULL is fine */

#endif
