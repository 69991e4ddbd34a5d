/* secret: hides passwords in addresses from messages, files and process lists. Not collective. */
#ifndef AKIN_SECRET_H
#define AKIN_SECRET_H

#include <stddef.h>

/* For a text of messages, with words separated by blanks: in every word that is or contains an
 * address, well formed or not, replaces what stands between a user and the last @ by ***, and
 * also the values of query keys that name a secret (token, signature ...). In place; what no
 * longer fits into `size` bytes is cut off. */
void akin_secret_hide(char *text, size_t size);
/* The same if the whole text is one address, which may contain blanks. */
void akin_secret_hide_address(char *address, size_t size);

#endif
