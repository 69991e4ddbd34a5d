/* file: whole files in, atomic files out, and paths. Not collective: one rank calls, others hear of
 * it by akin_agree.
 *
 * An output is written beside its name (PATH.part), synced, and renamed over it; a leftover .part
 * is overwritten.
 */
#ifndef AKIN_FILE_H
#define AKIN_FILE_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The whole file in memory, owned, with a NUL behind the last byte that *count does not count.
 * AKIN_FAILED if it cannot be read or holds more than `limit` bytes. */
AKIN_MUST_CHECK akin_status akin_file_read(const char *path, size_t limit, unsigned char **bytes,
                                           size_t *count);

typedef struct akin_outfile akin_outfile;
AKIN_MUST_CHECK akin_status akin_outfile_create(const char *path, akin_outfile **out);
FILE *akin_outfile_stream(akin_outfile *file); /* write here; errors are found by commit */
/* Flushes, syncs, renames; where keep_previous, a file of that name is kept as PATH.prev (by hard
 * link, so PATH never lacks a file). Frees in every case; on failure the old file is as it was. */
AKIN_MUST_CHECK akin_status akin_outfile_commit(akin_outfile *file, bool keep_previous);
void akin_outfile_discard(akin_outfile *file); /* removes the part; NULL is fine */

/* What the path is in the end: where it is a symbolic link, the file that this leads to, which need
 * not be there. An output is written there, so that the link stays. Owned; NULL: no memory. */
AKIN_MUST_CHECK char *akin_file_resolved(const char *path);

/* The steps of the above for files that a library writes by name. */
AKIN_MUST_CHECK char *akin_file_part_name(const char *path); /* owned; NULL: no memory */
AKIN_MUST_CHECK akin_status akin_file_sync_rename(const char *part, const char *path);
/* Removes the file, and what a killed run left of making it; none is fine. */
void akin_file_remove(const char *path);
/* Whether the disk of `path` takes `bytes` more: a file of that size is allocated beside it and
 * removed. */
AKIN_MUST_CHECK akin_status akin_file_check_space(const char *path, uint64_t bytes);
/* Whether an output of that name could be created: its folder exists and can be written, it is no
 * folder itself. */
AKIN_MUST_CHECK akin_status akin_file_check_output(const char *path);

/* `to`, which does not exist, becomes the same file as `from`, or a copy where there are no hard
 * links. */
AKIN_MUST_CHECK akin_status akin_file_link(const char *from, const char *to);

/* Why a file cannot be opened (code: errno's) and what to do about it: sets the message, returns
 * AKIN_FAILED. */
AKIN_MUST_CHECK akin_status akin_file_cannot_open(const char *path, int code);

bool akin_file_exists(const char *path);
bool akin_file_is_folder(const char *path);
AKIN_MUST_CHECK akin_status akin_file_make_folders(const char *path); /* like mkdir -p */
AKIN_MUST_CHECK akin_status
akin_file_remove_tree(const char *path); /* like rm -rf, but never follows a link */
AKIN_MUST_CHECK akin_status
akin_file_swap(const char *a, const char *b); /* both exist; atomically where the kernel can */

char *akin_file_join(const char *folder,
                     const char *name); /* owned; an absolute name stands alone */
char *akin_file_with_ending(const char *path,
                            const char *ending); /* both behind each other; owned */
char *akin_file_folder(const char *path);        /* owned; "." where there is none */
const char *akin_file_name(const char *path);    /* what is behind the last slash */
const char *akin_file_ending(const char *path);  /* ".csv", as written; "" where there is none */

#endif
