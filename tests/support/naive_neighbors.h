/* The naive twin of the neighbour engine: catalogues that are difficult for it, and lists from
 * scoring and sorting every pair. */
#ifndef AKIN_TESTS_NAIVE_NEIGHBORS_H
#define AKIN_TESTS_NAIVE_NEIGHBORS_H

#include <akin/row_block.h>
#include <akin/topk.h>
#include <stdlib.h>

typedef struct {
    size_t n, dim;
    float *rows; /* [n, dim], unit length */
    akin_row_block_item *items;
} naive_catalogue;

enum { NAIVE_RANDOM, NAIVE_CLUSTERED, NAIVE_DUPLICATED, NAIVE_TIED, NAIVE_NEARLY_ONE, NAIVE_KINDS };

/* n rows of unit length, with labels, all a function of kind, seed, n and dim.
 *
 * Duplicated: few pictures, many times. Tied: +-1/2 in four places, so that scores are multiples of
 * 1/4 and exact. Nearly one: all rows are within rounding of one row or its opposite. */
naive_catalogue naive_create(int kind, uint32_t seed, size_t n, size_t dim);

void naive_free(naive_catalogue *c);

/* The formula of dot.h, in the C library's fused multiply-add. */
float naive_product(const float *a, const float *b, size_t dim);

/* The cosine of rows i and j as stored in a table. */
float naive_score(const naive_catalogue *c, size_t i, size_t j);

/* The sorted list of row i: all rows that the rules allow, best first; 0 after the last. usable: or
 * NULL. */
void naive_list(const naive_catalogue *c, const akin_row_block_rules *rules, const uint8_t *usable,
                size_t i, size_t k, uint64_t *list);

/* Every rule alone, and some together. */
static const akin_row_block_rules naive_rules[] = {
    {.min_score = -1},
    {.same_category = true, .min_score = -1},
    {.exclude_same_group = true, .min_score = -1},
    {.only_available = true, .min_score = -1},
    {.min_score = 0.25f},
    {.min_score = 1},
    {.same_category = true, .exclude_same_group = true, .only_available = true, .min_score = -0.5f},
};
enum { NAIVE_RULES = sizeof naive_rules / sizeof *naive_rules };

#endif
