/* lock_owner: the text by which a process signs a lock, and whether the process that signed one has
 * ended. Not collective. Cannot fail. */
#ifndef AKIN_LOCK_OWNER_H
#define AKIN_LOCK_OWNER_H

#include <stdbool.h>

enum { AKIN_LOCK_OWNER_SIZE = 400 };

/* "host, process 123, since 2026-01-31T02:00:00Z [...]", another one at each call: no two locks are
 * signed alike. */
void akin_lock_owner_sign(char out[AKIN_LOCK_OWNER_SIZE]);
/* Whether the signer was a process of this very machine, since its last start, that is there no
 * more; false where that cannot be known. */
bool akin_lock_owner_has_ended(const char *signature);
/* Bytes of the part for people: up to the bracket. */
int akin_lock_owner_shown(const char *signature);

#endif
