/* topk: bounded lists of the best neighbours under one total order, and their merge. Not
 * collective. Cannot fail.
 *
 * The order: score descending, then row ascending. An entry is one 64-bit key that holds both, so
 * that "better" is one comparison of integers: the score's bits, mapped to ascend with the score,
 * above the complement of the row. 0 is no entry and is worse than any. -0 and +0 would be two
 * scores: callers pass +0 only.
 *
 * A list is akin_topk_words(k) words, owned by the caller (all 0 = empty): the bar, which a key
 * must exceed; the number of keys; and the keys. A key that does not exceed the bar costs one
 * comparison. Short lists are sorted, best first, and the last of k keys is the bar. Long ones
 * have room for k / 4 more keys: a push appends, and when the room is full the k best stay and
 * the worst of them is the new bar. So a push costs about the same for any k and touches one
 * place in memory. A list can be sent as it is. */
#ifndef AKIN_TOPK_H
#define AKIN_TOPK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    AKIN_TOPK_MAX = 65536,
    AKIN_TOPK_SHORT = 128
}; /* the largest k that the program accepts; the largest k of a short list */

static inline uint64_t akin_topk_key(float score, int32_t row) {
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    bits ^=
        (bits >> 31) ? UINT32_MAX : UINT32_C(1) << 31; /* negative scores descend in magnitude */
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

/* Words of a list; at least k. */
static inline size_t akin_topk_words(size_t k) {
    return 2 + (k <= AKIN_TOPK_SHORT ? k : k + k / 4);
}

/* Inserts the key if it exceeds the bar. k >= 1. The same key twice is two entries. */
void akin_topk_push(uint64_t *list /* [akin_topk_words(k)] */, size_t k, uint64_t key);

/* Raises the bar to `key`, if it is lower: at least k of all pushed keys are proven, or
 * predicted, to reach it. Whether they did is known in the end (akin_topk_broken). */
void akin_topk_raise(uint64_t *list, uint64_t key);

/* Whether fewer than k keys reached the bar: then keys that were refused may be missing. */
bool akin_topk_broken(const uint64_t *list, size_t k);

/* Whether the list holds the key. */
bool akin_topk_holds(const uint64_t *list, uint64_t key);

/* The bar: 0, the worst of k keys that are there, or what it was raised to. */
static inline uint64_t akin_topk_bar(const uint64_t *list) {
    return list[0];
}

/* The first k words become the k best keys, best first, then 0. Ends the list: no pushes after it
 * unless it is cleared. */
void akin_topk_sort(uint64_t *list /* [akin_topk_words(k)] */, size_t k);

/* Makes a list from sorted keys, with at least this bar: the inverse of akin_topk_sort. */
void akin_topk_restore(uint64_t *list, size_t k, const uint64_t *keys /* [k] */, uint64_t bar);

/* The k best of the union of two sorted arrays: an entry in both is one entry.
 * Associative, commutative and idempotent. `out` is another array than a and b. */
void akin_topk_merge(const uint64_t *a /* [k] */, const uint64_t *b /* [k] */, size_t k,
                     uint64_t *out /* [k] */);

typedef struct {
    /* Into a short sorted array, without a branch on what the keys are: keys descend; the key goes
     * after those that are not smaller, and the smallest is dropped. Pure. */
    void (*insert)(uint64_t *keys /* [count] */, size_t count, uint64_t key);
} akin_topk_kernels;

/* The kernels of the active level. */
const akin_topk_kernels *akin_topk_kernel(void);

/* Lists with a limit on the number of entries of each kind. Not collective. Cannot fail.
 *
 * Every row is of one kind or of none. The list of a set of keys is defined greedily: go through
 * the keys, best first, and take each whose kind has not reached its limit, until there are k. This
 * is the best basis of a matroid (a partition matroid, truncated at k): a key that is refused or
 * drops out is not in the list of any larger set of keys either, and the list depends neither on
 * the order in which keys arrive nor on how they are distributed to lists that are merged (Edmonds
 * 1971, "Matroids and the greedy algorithm").
 *
 * Such a list is always sorted, whatever k is; sort, holds and restore work on it too. */

typedef struct {
    const int32_t *kind; /* [rows of the catalogue]: -1 = of none, any number; borrowed */
    const int32_t *most; /* [kinds]: how many entries, at least 1; borrowed */
} akin_topk_limits;

/* As akin_topk_push. */
void akin_topk_limits_push(const akin_topk_limits *limits, uint64_t *list, size_t k, uint64_t key);

/* As akin_topk_merge, but within the limits; NULL: no limits. */
void akin_topk_limits_merge(const akin_topk_limits *limits, const uint64_t *a, const uint64_t *b,
                            size_t k, uint64_t *out);

#endif
