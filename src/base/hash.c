/* hash: see hash.h; the one file with <xxhash.h>. */
#include <akin/hash.h>
#include <akin/mem.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

struct akin_hasher {
    XXH3_state_t *state;
};

uint64_t akin_hash_64(const void *bytes, size_t count) {
    return XXH3_64bits(bytes, count);
}

akin_hash128 akin_hash_128(const void *bytes, size_t count, uint64_t seed) {
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes, count, seed);
    return (akin_hash128){.low = hash.low64, .high = hash.high64};
}

void akin_hash_text(akin_hash128 hash, char out[AKIN_HASH_TEXT_SIZE]) {
    snprintf(out, AKIN_HASH_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
}

akin_status akin_hasher_create(akin_hasher **out) {
    *out = NULL;
    akin_hasher *hasher = akin_mem_alloc(1, sizeof *hasher);
    if (!hasher) return AKIN_FAILED;
    hasher->state = XXH3_createState();
    if (!hasher->state) {
        akin_mem_free(hasher);
        return akin_error_set(AKIN_FAILED, "not enough memory for a hash");
    }
    XXH3_128bits_reset(hasher->state);
    *out = hasher;
    return AKIN_OK;
}

void akin_hasher_add(akin_hasher *hasher, const void *bytes, size_t count) {
    if (count) XXH3_128bits_update(hasher->state, bytes, count);
}

void akin_hasher_add_text(akin_hasher *hasher, const char *text) {
    akin_hasher_add(hasher, text, strlen(text) + 1);
}

akin_hash128 akin_hasher_result(const akin_hasher *hasher) {
    XXH128_hash_t hash = XXH3_128bits_digest(hasher->state);
    return (akin_hash128){.low = hash.low64, .high = hash.high64};
}

void akin_hasher_free(akin_hasher *hasher) {
    if (!hasher) return;
    XXH3_freeState(hasher->state);
    akin_mem_free(hasher);
}
