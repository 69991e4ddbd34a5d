/* bucket: which of B parts an id belongs to; the one module with <zlib.h>. Not collective.
 * Cannot fail. CRC-32 (ISO 3309, as in zlib, gzip and PNG) of the id's bytes, modulo B:
 * available in every language of a storefront. */
#ifndef AKIN_BUCKET_H
#define AKIN_BUCKET_H

#include <stddef.h>

/* 0 if there is one part or none. */
size_t akin_bucket(const char *id, size_t length, size_t buckets);

#endif
