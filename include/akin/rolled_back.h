/* rolled_back: the digests of the tables that were rolled back at a target, the last of them last,
 * as text: separated by blanks. Not collective. */
#ifndef AKIN_ROLLED_BACK_H
#define AKIN_ROLLED_BACK_H

#include <akin/hash.h>
#include <stdbool.h>

enum { AKIN_ROLLED_BACK_TABLES = 8, AKIN_ROLLED_BACK_SIZE = 8 * AKIN_HASH_TEXT_SIZE };

/* Takes what a target has stored (NULL: nothing); false if some of it is no digest. */
bool akin_rolled_back_read(char list[AKIN_ROLLED_BACK_SIZE], const char *text);
bool akin_rolled_back_has(const char *list, const char *digest); /* "" is never in it */
/* Of more than AKIN_ROLLED_BACK_TABLES the oldest is forgotten; "" adds nothing. */
void akin_rolled_back_add(char list[AKIN_ROLLED_BACK_SIZE], const char *digest);
void akin_rolled_back_remove(char list[AKIN_ROLLED_BACK_SIZE], const char *digest);

#endif
