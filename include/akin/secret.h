/* secret: passwords in addresses, which no message, file or process list may show. Not collective.
 */
#ifndef AKIN_SECRET_H
#define AKIN_SECRET_H

#include <stddef.h>

/* In a text of messages, where words are separated by blanks: of every word that is or holds an
 * address, well formed or not, what stands between a user and the last @ becomes ***, and so do the
 * values of query keys that name a secret (token, signature ...). In place; what does not fit into
 * `size` bytes any more is cut off. */
void akin_secret_hide(char *text, size_t size);
/* The same where the whole text is one address, which may hold blanks. */
void akin_secret_hide_address(char *address, size_t size);

#endif
