/* block: some rows with their neighbour lists, and the comparison of two blocks under the rules.
 *
 * Floor 1 (kernels); looks down to error, mem, topk, dot. Not collective.
 *
 * A comparison brings every row of one block together with every row of the other once, and offers each to the other's
 * list. Which lists come out does not depend on the order of comparisons, nor on how rows are dealt to blocks: a score
 * is a function of the two rows alone (dot.h), and a list keeps the best under a total order (topk.h).
 *
 * The score of a pair: 1 where the rows are the same to the bit; else the chain of dot.h, held to [-1, 1], +0 for -0.
 * Two rows of unit length that are the same may have a chain as low as 1 - akin_dot_bound(dim) - 2^-22 (the last for
 * the rounding of their length), so no threshold in the tile is higher than that; the list decides by the final score.
 *
 * What travels between ranks is a body (rows and labels, does not change) and lists (they grow): plain bytes.
 */
#ifndef AKIN_BLOCK_H
#define AKIN_BLOCK_H

#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    bool same_category;      /* both have one, and it is the same */
    bool exclude_same_group; /* not both in one group */
    bool only_available;     /* who is not available is nobody's neighbour */
    float min_score;         /* the least score that stays; -1 = all */
} akin_block_rules;

typedef struct {
    int32_t row;             /* in the whole catalogue; no item is offered to another of the same row */
    int32_t category, group; /* -1 = none */
    int32_t available;       /* 0 or 1 */
} akin_block_item;

typedef struct akin_block akin_block;

/* Room for `capacity` rows. k = 0: its rows look for nothing, and are only found. */
AKIN_MUST_CHECK akin_status akin_block_create(size_t capacity, size_t dim, size_t k, akin_block **out);
void akin_block_free(akin_block *block); /* NULL is fine */

/* Filling: begin with the count (<= capacity; lists are emptied), set every row, then ready. Rows of one category
 * should stand together, and within it the available ones: panels that cannot meet are skipped whole. */
void akin_block_begin(akin_block *block, size_t count);
void akin_block_set(akin_block *block, size_t index, akin_block_item item,
                    const float *row /* [dim], unit length, no -0 */);
void akin_block_ready(akin_block *block, const akin_block_rules *rules);

size_t akin_block_count(const akin_block *block);
size_t akin_block_panels(const akin_block *block);                /* panels of AKIN_DOT_PANEL rows */
const akin_block_item *akin_block_items(const akin_block *block); /* [count], borrowed */
uint64_t *akin_block_lists(akin_block *block);                    /* all of them, one behind the other, borrowed */
uint64_t *akin_block_list(const akin_block *block, size_t index); /* of a row, as in topk.h; borrowed */

/* A copy elsewhere: begin with the same count, body and lists copied byte for byte, then ready. */
void *akin_block_body(akin_block *block); /* borrowed */
size_t akin_block_body_size(size_t count, size_t dim);
size_t akin_block_lists_size(size_t count, size_t k);

/* Panels [a_first, a_end) of a against [b_first, b_end) of b; where a and b are the same block, each pair of panels
 * (i, j) with i <= j. Returns how many pairs of rows were scored. */
uint64_t akin_block_compare(const akin_block_rules *rules, akin_block *a, size_t a_first, size_t a_end, akin_block *b,
                            size_t b_first, size_t b_end);

#endif
