/* lock: one process at a time. A small file names the process that holds it; the kernel releases it
 * however that process ends, so none is ever stale. Not collective: one rank calls. */
#ifndef AKIN_LOCK_H
#define AKIN_LOCK_H

#include <akin/error.h>
#include <stdbool.h>

typedef struct akin_lock akin_lock;

/* Locks the file `path`, which is created if missing. Waits ten seconds where another process holds it,
 * as one that was killed does until it has ended; then AKIN_FAILED: the message says that it (`who`, such as "another run") is writing `what`, with its number and host.
 * *out is NULL, and errno says why, where the file cannot be created (its folder is missing, say: whoever writes there
 * will say so) or this process holds it already. On a file system without locks nobody is refused. */
AKIN_MUST_CHECK akin_status akin_lock_take(const char *path, const char *who, const char *what,
                                           akin_lock **out);
/* Whether the file system has locks. */
bool akin_lock_works(const akin_lock *lock);
/* NULL is fine. `remove`: also the file. */
void akin_lock_release(akin_lock *lock, bool remove);

/* The lock of an output, beside it: ".NAME.lock". Owned; NULL: out of memory. */
AKIN_MUST_CHECK char *akin_lock_beside(const char *output);
/* Whether a file of this name is such a lock. */
bool akin_lock_is_name(const char *name);

#endif
