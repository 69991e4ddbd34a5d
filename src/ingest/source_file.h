/* source_file: the bytes of one file that may be anything: a pipe, a folder, too large, outside of
 * where it should be. Not collective. */
#ifndef AKIN_SOURCE_FILE_H
#define AKIN_SOURCE_FILE_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_SOURCE_FILE_LIMIT                                                                     \
    ((size_t)1 << 29) /* bytes; a larger file is no picture of an item  \
                                                  */

/* Bytes that come one file after the other: the block is kept and grows. */
typedef struct {
    uint8_t *bytes;
    size_t count, room;
} akin_source_bytes;

/* Room for `room` bytes; what is in it stays. */
AKIN_MUST_CHECK akin_status akin_source_bytes_reserve(akin_source_bytes *bytes, size_t room);
void akin_source_bytes_free(akin_source_bytes *bytes);

/* The file at `path` below `base` ("" = none; an absolute path stands alone). confined: also by
 * links it may not lie outside base. AKIN_INPUT: it cannot be had, and the message is the reason;
 * AKIN_FAILED: no memory, no descriptors. */
AKIN_MUST_CHECK akin_status akin_source_file_read(const char *base, const char *path, bool confined,
                                                  akin_source_bytes *out);

/* Its size, bytes, and the time of its last change, ns since 1970; false and zeros where there is
 * no such file. */
bool akin_source_file_stat(const char *base, const char *path, uint64_t *size, int64_t *changed);

/* Whether `path` is `folder` or below it, both absolute and without links. */
bool akin_source_file_is_below(const char *path, const char *folder);

#endif
