/* sample: thresholds of a block's rows that are tight from the start.
 *
 * Floor 1 (kernels); looks down to error, mem, dot, gemm, block. Not collective.
 *
 * A list that begins empty takes about k (1 + ln(n / k)) entries in before it has seen n rows, and each has to be
 * scored and put in. So every row first looks at a sample of m rows of its block: the (k + 1)-th best score there,
 * itself among them, less what float32 can hide, is one that k others reach. Then about k (1 + ln(n / m)) come in.
 * Scores of the sample are one product of matrices; the (k + 1)-th of them is found by halving an interval, twelve
 * times, and counting, which leaves it at most 2^-11 too low.
 */
#ifndef AKIN_SAMPLE_H
#define AKIN_SAMPLE_H

#include <akin/block.h>
#include <akin/error.h>

/* Raises what the rows of a block ask for (akin_block_raise). Where only rows of one category meet, they stand together
 * in the block and have a sample of their own. Does nothing where other rules keep rows from each other (groups, pairs
 * that are done) or where rows are too few for it to pay. AKIN_FAILED: no memory. */
AKIN_MUST_CHECK akin_status akin_sample_raise(akin_block *block, const akin_block_rules *rules);

#endif
