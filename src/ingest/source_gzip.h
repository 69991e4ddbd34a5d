/* source_gzip: the bytes of a gzip file; checks each member's checksum and length, joins
 * consecutive members into one stream, and accepts nothing else after them. Not collective. */
#ifndef AKIN_SOURCE_GZIP_H
#define AKIN_SOURCE_GZIP_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_source_gzip akin_source_gzip;

/* *out = NULL if the file is not gzip; AKIN_FAILED: it cannot be read. */
AKIN_MUST_CHECK akin_status akin_source_gzip_open(const char *path, akin_source_gzip **out);
/* The next bytes, borrowed until the next call; *count = 0 at the end. AKIN_INPUT: damaged,
 * truncated, or other data follows. */
AKIN_MUST_CHECK akin_status akin_source_gzip_read(akin_source_gzip *gzip, const void **bytes,
                                                  size_t *count);
void akin_source_gzip_close(akin_source_gzip *gzip); /* NULL is fine */

#endif
