/* topk: bounded lists of the best neighbours under one total order, and their merge.
 *
 * Floor 1 (kernels); looks down to nothing. Not collective. Cannot fail.
 *
 * The order: score descending, then row ascending. An entry is one 64-bit key that holds both, so that "better" is one
 * comparison of integers: the score's bits, made to ascend with the score, above the complement of the row. 0 is no
 * entry and is worse than any. -0 and +0 are two scores to it: callers give +0 only.
 *
 * A list is k keys, owned by the caller (all 0 = empty), while it grows a binary heap with its worst entry at [0]: a
 * push costs one comparison for what does not belong and O(log k) for what does.
 */
#ifndef AKIN_TOPK_H
#define AKIN_TOPK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { AKIN_TOPK_MAX = 65536 }; /* the largest k that the program takes */

static inline uint64_t akin_topk_key(float score, int32_t row) {
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    bits ^= (bits >> 31) ? UINT32_MAX : UINT32_C(1) << 31; /* negative scores descend in magnitude */
    return (uint64_t)bits << 32 | (uint32_t) ~(uint32_t)row;
}

static inline float akin_topk_score(uint64_t key) {
    uint32_t bits = (uint32_t)(key >> 32);
    float score;
    bits ^= (bits >> 31) ? UINT32_C(1) << 31 : UINT32_MAX;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static inline int32_t akin_topk_row(uint64_t key) {
    return (int32_t) ~(uint32_t)key;
}

/* Takes the key in, and the worst out, if it is better than that. k >= 1. The same key twice is two entries. */
void akin_topk_push(uint64_t *list /* [k] */, size_t k, uint64_t key);

/* Best first; what is no entry is last. A sorted list is no heap any more. */
void akin_topk_sort(uint64_t *list /* [k] */, size_t k);

/* The k best of the union of two sorted lists: an entry that stands in both is one entry. Associative, commutative and
 * idempotent. `out` is another array than a and b. */
void akin_topk_merge(const uint64_t *a /* [k] */, const uint64_t *b /* [k] */, size_t k, uint64_t *out /* [k] */);

#endif
