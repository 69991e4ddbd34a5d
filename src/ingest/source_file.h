/* source_file: the bytes of one file that may be anything: a pipe, a folder, too large, outside
 * the allowed folder. Not collective. */
#ifndef AKIN_SOURCE_FILE_H
#define AKIN_SOURCE_FILE_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_SOURCE_FILE_LIMIT                                                                     \
    ((size_t)1 << 29) /* bytes; a larger file is not a picture of an item */

/* The bytes of one file after another: the block is reused and grows. */
typedef struct {
    uint8_t *bytes;
    size_t count, room;
} akin_source_bytes;

/* Makes room for `room` bytes; keeps what is in it. */
AKIN_MUST_CHECK akin_status akin_source_bytes_reserve(akin_source_bytes *bytes, size_t room);
void akin_source_bytes_free(akin_source_bytes *bytes);

/* The file at `path` below `base` ("" = none; an absolute path is used as is). confined: it must
 * not be outside base, even through links. AKIN_INPUT: not available, and the message is the
 * reason; AKIN_FAILED: out of memory or descriptors. */
AKIN_MUST_CHECK akin_status akin_source_file_read(const char *base, const char *path, bool confined,
                                                  akin_source_bytes *out);

/* Its size in bytes, and the time of its last change, ns since 1970; false and zeros if there is
 * no such file. */
bool akin_source_file_stat(const char *base, const char *path, uint64_t *size, int64_t *changed);

/* Whether `path` is `folder` or inside it, both absolute and without links. */
bool akin_source_file_is_below(const char *path, const char *folder);

#endif
