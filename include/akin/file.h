/* file: reads whole files, writes files atomically, and handles paths. Not collective: one rank
 * calls, the others learn of it through akin_agree. An output is written next to its final name
 * (PATH.part), synced, and renamed; a leftover .part is overwritten. */
#ifndef AKIN_FILE_H
#define AKIN_FILE_H

#include <akin/error.h>
#include <akin/hash.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* XXH3-128 of its bytes. AKIN_FAILED if it cannot be read. */
AKIN_MUST_CHECK akin_status akin_file_digest(const char *path, char digest[AKIN_HASH_TEXT_SIZE]);
/* Reads the whole file into memory, owned, followed by a NUL that *count does not include.
 * AKIN_FAILED if it cannot be read or is larger than `limit` bytes. */
AKIN_MUST_CHECK akin_status akin_file_read(const char *path, size_t limit, unsigned char **bytes,
                                           size_t *count);

typedef struct akin_outfile akin_outfile;
AKIN_MUST_CHECK akin_status akin_outfile_create(const char *path, akin_outfile **out);
FILE *akin_outfile_stream(akin_outfile *file); /* write here; commit reports errors */
/* Flushes, syncs, renames; with keep_previous, an existing file is kept as PATH.prev (by hard
 * link, so that PATH always exists). Frees in every case; on failure the old file is unchanged. */
AKIN_MUST_CHECK akin_status akin_outfile_commit(akin_outfile *file, bool keep_previous);
void akin_outfile_discard(akin_outfile *file); /* removes the part; NULL is fine */

/* The path with a symbolic link at its end followed; the target need not exist. Outputs are written
 * to the target, so that the link stays. Owned; NULL: out of memory. */
AKIN_MUST_CHECK char *akin_file_resolved(const char *path);

/* The individual steps, for files that a library writes by name. */
AKIN_MUST_CHECK char *akin_file_part_name(const char *path); /* owned; NULL: out of memory */
AKIN_MUST_CHECK akin_status akin_file_sync_rename(const char *part, const char *path);
/* Removes the file, and what a killed run left while writing it; no error if there is none. */
void akin_file_remove(const char *path);
/* Whether the disk of `path` has room for `bytes` more: allocates a file of that size next to it
 * and removes it. */
AKIN_MUST_CHECK akin_status akin_file_check_space(const char *path, uint64_t bytes);
/* The same of a folder that exists, for files in it. */
AKIN_MUST_CHECK akin_status akin_file_check_space_in(const char *folder, uint64_t bytes);
/* Whether an output of that name could be created: its folder exists and is writable, and it is
 * not itself a folder. */
AKIN_MUST_CHECK akin_status akin_file_check_output(const char *path);
/* Whether a file could be created in the folder. */
AKIN_MUST_CHECK akin_status akin_file_check_output_in(const char *folder);

/* Makes `to`, which does not exist, the same file as `from`, or a copy on file systems without
 * hard links. */
AKIN_MUST_CHECK akin_status akin_file_link(const char *from, const char *to);

/* Why a file cannot be opened (code: errno) and what to do about it: sets the message, returns
 * AKIN_FAILED. */
AKIN_MUST_CHECK akin_status akin_file_cannot_open(const char *path, int code);
/* The same of an output that cannot be written, */
akin_status akin_file_cannot_write(const char *path, int code);
/* and of a folder that cannot be created. */
akin_status akin_file_cannot_make(const char *folder, int code);
akin_status akin_file_no_room(const char *path, uint64_t bytes, int code);
/* The same when it was the output's part; names that only where it is the trouble: a leftover that
 * belongs to another user, say. */
akin_status akin_file_cannot_write_part(const char *part, const char *path, int code);

bool akin_file_exists(const char *path);
bool akin_file_is_folder(const char *path);
/* Like mkdir -p; where it fails, errno says why, as the message does. */
AKIN_MUST_CHECK akin_status akin_file_make_folders(const char *path);
AKIN_MUST_CHECK akin_status
akin_file_remove_tree(const char *path); /* like rm -rf, but never follows a link */
AKIN_MUST_CHECK akin_status
akin_file_swap(const char *a, const char *b); /* both exist; atomic if the kernel supports it */

char *akin_file_join(const char *folder,
                     const char *name); /* owned; an absolute name is returned as is */
char *akin_file_with_ending(const char *path, const char *ending); /* concatenated; owned */
char *akin_file_folder(const char *path);                          /* owned; "." if there is none */
const char *akin_file_name(const char *path);                      /* what follows the last slash */
const char *akin_file_ending(const char *path); /* ".csv", as written; "" if there is none */

/* A lock, held by one process at a time. A small file names its holder; the kernel releases the
 * lock however that process ends, so a lock is never stale. Not collective: one rank calls. */

typedef struct akin_lock akin_lock;
/* Told once, where a wait is not short: `who` (holder: its process id and host) is writing `what`. */
typedef void akin_lock_wait(const char *what, const char *who, const char *holder);

/* Locks the file `path`, which is created if missing. If another process holds it, waits up to ten
 * seconds (a killed process holds its locks until it has exited), then returns AKIN_FAILED: the
 * message says that `who` (such as "another run"), with its process id and host, is writing `what`.
 * *out is NULL, with the reason in errno, if the file cannot be created (for example because its
 * folder is missing: the later write reports that) or this process already holds the lock. On a
 * file system without locks, locking always succeeds. waits: NULL is fine. */
AKIN_MUST_CHECK akin_status akin_lock_take(const char *path, const char *who, const char *what,
                                           akin_lock_wait *waits, akin_lock **out);
/* Whether the file system supports locks. */
bool akin_lock_works(const akin_lock *lock);
/* NULL is fine. `remove`: also removes the file. */
void akin_lock_release(akin_lock *lock, bool remove);

/* The path of an output's lock, in the same folder: ".NAME.lock". Owned; NULL: out of memory. */
AKIN_MUST_CHECK char *akin_lock_beside(const char *output);
/* Whether a file of this name is such a lock. */
bool akin_lock_is_name(const char *name);

#endif
