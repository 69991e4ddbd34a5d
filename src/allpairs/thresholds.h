/* thresholds: thresholds of a block's rows that are tight from the start. Not collective.
 *
 * A list that begins empty takes about k (1 + ln(n / k)) entries in before it has seen n rows, and
 * each has to be scored and put in. So every row first looks at a sample of m rows: the (k + 1)-th
 * best score there, itself among them, less what float32 can hide, is one that k others reach. That
 * is proven, and then about k (1 + ln(n / m)) come in. Scores of the sample are one product of
 * matrices; the (k + 1)-th of them is found by halving an interval, twelve times, and counting,
 * which leaves it at most 2^-11 too low.
 *
 * What k others will reach in the end can be foretold better than it can be proven:
 * - where the sample is an eighth of the rows, k / 8 + 2 (k / 8)^(1/2) + 2 of it are hardly ever
 * all among the k best;
 * - where it is less, by distance: (1 - last) = g (1 - proven) with about the same g for all rows,
 * for it says how many more rows a neighbourhood has that is so much wider. g comes from some
 * hundred rows whose lists are made first; the g of one in 256 of them is larger. Where rows are
 * dealt to many blocks each foretells for its own: no more of the k best than its share k / blocks,
 * and 2 (k / blocks)^(1/2) + 2 more, will be in it.
 *
 * A list that asks for as much is right if it is full in the end, for then k others do reach it
 * (topk.h, akin_topk_broken); the few that are not are made anew from what is proven.
 */
#ifndef AKIN_THRESHOLDS_H
#define AKIN_THRESHOLDS_H

#include <akin/error.h>
#include <akin/row_block.h>

/* Raises what the rows of a block ask for (akin_row_block_raise), by what is proven of a sample of
 * `among`, which may be the same block. Where only rows of one category meet, they stand together
 * in both and have a sample of their own. Does nothing where other rules keep rows from each other
 * (groups, pairs that are done) or where rows are too few for it to pay. AKIN_FAILED: no memory. */
AKIN_MUST_CHECK akin_status akin_thresholds_prove(akin_row_block *block,
                                                  const akin_row_block *among,
                                                  const akin_row_block_rules *rules);

/* The same by what is foretold, where rows are dealt to so many blocks like this one. `block` has
 * both sides. */
AKIN_MUST_CHECK akin_status akin_thresholds_foretell(akin_row_block *block, size_t blocks,
                                                     const akin_row_block_rules *rules);

#endif
