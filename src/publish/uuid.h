/* uuid: name-based identifiers; the one module with libuuid. Not collective. Cannot fail. */
#ifndef AKIN_UUID_H
#define AKIN_UUID_H

enum { AKIN_UUID_SIZE = 37 };

/* The version 5 UUID (RFC 4122, SHA-1) of the text in the URL namespace,
 * "xxxxxxxx-xxxx-5xxx-...", lower case, equal to Python's uuid.uuid5(uuid.NAMESPACE_URL, text). */
void akin_uuid5(const char *text, char out[AKIN_UUID_SIZE]);

#endif
