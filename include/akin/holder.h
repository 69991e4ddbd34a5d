/* holder: the text by which a process signs a lock, and whether the process that signed one has ended.
 *
 * Floor 0 (base); looks down to error, mem. Not collective. Cannot fail.
 */
#ifndef AKIN_HOLDER_H
#define AKIN_HOLDER_H

#include <stdbool.h>

enum { AKIN_HOLDER_SIZE = 400 };

/* "host, process 123, since 2026-01-31T02:00:00Z [...]", another one at each call: no two locks are signed alike. */
void akin_holder_sign(char out[AKIN_HOLDER_SIZE]);
/* Whether the signer was a process of this very machine, since its last start, that is there no more; false where that
 * cannot be known. */
bool akin_holder_has_ended(const char *signature);
/* Bytes of the part for people: up to the bracket. */
int akin_holder_shown(const char *signature);

#endif
