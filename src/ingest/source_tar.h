/* source_tar: the members of a tar archive, with any compression that libarchive supports; the
 * one module with <archive.h>. Not collective. Nothing is ever unpacked to disk: a member's
 * bytes go to memory. A member whose name is absolute or contains ".." is a row with its reason;
 * a link stands for the member that it leads to, or is a row with its reason. */
#ifndef AKIN_SOURCE_TAR_H
#define AKIN_SOURCE_TAR_H

#include "source_file.h"
#include "source_list.h"
#include <akin/error.h>
#include <stdbool.h>

/* Appends a row for every file; *is_tar = false and no row if the file is not an archive at all.
 * AKIN_INPUT: a damaged or truncated archive; AKIN_FAILED: it cannot be read. */
AKIN_MUST_CHECK akin_status akin_source_tar_list(const char *path, akin_source_list *rows,
                                                 bool *is_tar);

/* Members by number, which must not decrease from one call to the next. */
typedef struct akin_source_tar akin_source_tar;
AKIN_MUST_CHECK akin_status akin_source_tar_open(const char *path, akin_source_tar **out);
/* AKIN_INPUT: the member is not available, and the message is the reason. */
AKIN_MUST_CHECK akin_status akin_source_tar_read(akin_source_tar *tar, uint64_t member,
                                                 akin_source_bytes *out);
void akin_source_tar_close(akin_source_tar *tar); /* NULL is fine */

#endif
