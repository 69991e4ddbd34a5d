/* source_gzip: the bytes of a gzip file, each member's checksum and length checked, members behind
 * one another as one stream, nothing else behind them. Not collective.
 */
#ifndef AKIN_SOURCE_GZIP_H
#define AKIN_SOURCE_GZIP_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_source_gzip akin_source_gzip;

/* *out = NULL where the file is not gzip; AKIN_FAILED: it cannot be read. */
AKIN_MUST_CHECK akin_status akin_source_gzip_open(const char *path, akin_source_gzip **out);
/* The next bytes, borrowed until the next call; *count = 0 at the end. AKIN_INPUT: damaged, cut, or
 * something else lies behind it. */
AKIN_MUST_CHECK akin_status akin_source_gzip_read(akin_source_gzip *gzip, const void **bytes,
                                                  size_t *count);
void akin_source_gzip_close(akin_source_gzip *gzip); /* NULL is fine */

#endif
