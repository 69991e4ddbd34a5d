/* lock_owner: the text with which a process signs a lock, and whether the process that signed
 * one has ended. Not collective. Cannot fail. */
#ifndef AKIN_LOCK_OWNER_H
#define AKIN_LOCK_OWNER_H

#include <stdbool.h>

enum { AKIN_LOCK_OWNER_SIZE = 400 };

/* "host, process 123, since 2026-01-31T02:00:00Z [...]", different at each call: no two locks
 * have the same signature. */
void akin_lock_owner_sign(char out[AKIN_LOCK_OWNER_SIZE]);
/* Whether the signer was a process of this machine, since its last boot, that no longer exists;
 * false if that cannot be known. */
bool akin_lock_owner_has_ended(const char *signature);
/* Length of the human-readable part: up to the bracket. */
int akin_lock_owner_shown(const char *signature);

#endif
