/* hash: XXH3, 64 and 128 bits; the one module with <xxhash.h>. Not collective. */
#ifndef AKIN_HASH_H
#define AKIN_HASH_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t low, high;
} akin_hash128;

#define AKIN_HASH_TEXT_SIZE 33 /* 32 hexadecimal digits and the NUL */

uint64_t akin_hash_64(const void *bytes, size_t count); /* XXH3_64bits */
akin_hash128 akin_hash_128(const void *bytes, size_t count,
                           uint64_t seed);                             /* XXH3_128bits_withSeed */
void akin_hash_text(akin_hash128 hash, char out[AKIN_HASH_TEXT_SIZE]); /* high first, lower case */

/* For bytes that arrive in pieces. */
typedef struct akin_hasher akin_hasher;
AKIN_MUST_CHECK akin_status akin_hasher_create(akin_hasher **out);
void akin_hasher_add(akin_hasher *hasher, const void *bytes, size_t count);
void akin_hasher_add_text(akin_hasher *hasher,
                          const char *text); /* including its NUL, so that "a","b" differs from
                                              * "ab" */
akin_hash128 akin_hasher_result(const akin_hasher *hasher);
void akin_hasher_free(akin_hasher *hasher);

#endif
