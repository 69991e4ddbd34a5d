/* topk_limits: lists of topk.h of which no kind of entry has more than so many. Not collective.
 * Cannot fail.
 *
 * Every row is of one kind or of none. The list wanted of some keys is what one gets who goes
 * through them, best first, and takes each whose kind is not used up, until there are k. That is the
 * best basis of a matroid (a partition matroid, truncated at k): so a key that is refused, or drops
 * out, is not in the list of any larger set of keys either, and the list does not depend on the order
 * in which keys come, nor on how they are dealt to lists that are merged (Edmonds 1971, "Matroids and
 * the greedy algorithm").
 *
 * Such a list is sorted all the time, whatever k is; sort, holds and restore of topk.h are for it
 * too. */
#ifndef AKIN_TOPK_LIMITS_H
#define AKIN_TOPK_LIMITS_H

#include <akin/topk.h>

typedef struct {
    const int32_t *kind; /* [rows of the catalogue]: -1 = of none, any number; borrowed */
    const int32_t *most; /* [kinds]: how many entries, at least 1; borrowed */
} akin_topk_limits;

/* As akin_topk_push. */
void akin_topk_limits_push(const akin_topk_limits *limits, uint64_t *list, size_t k, uint64_t key);

/* As akin_topk_merge, which it is where limits is NULL. */
void akin_topk_limits_merge(const akin_topk_limits *limits, const uint64_t *a, const uint64_t *b,
                            size_t k, uint64_t *out);

#endif
