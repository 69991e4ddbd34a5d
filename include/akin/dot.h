/* dot: the all-pairs tile. Scores of two panels of rows, compared with thresholds in registers: the scores of pairs
 * that nobody asks for never reach memory.
 *
 * Floor 1 (kernels); looks down to cpu. Not collective. Cannot fail. Pure.
 *
 * The score of two rows a and b is one chain over the dimensions in ascending order, each step one fused multiply-add
 * in float32 (IEEE 754-2019, 5.4.1: one rounding):
 *     s(0) = fma(a[0], b[0], +0),   s(t) = fma(a[t], b[t], s(t-1))
 * Multiplication commutes and the order is fixed, so a score is the same bits for (a, b) and (b, a), in whatever lane,
 * tile or rank, and at every level of the CPU. The level without FMA instructions rules pairs out by a chain of
 * multiplications and additions, with thresholds lowered by akin_dot_bound, and scores those that are left by the
 * chain above in software.
 *
 * A panel is AKIN_DOT_PANEL rows, dimension by dimension: float panel[dim][AKIN_DOT_PANEL]. Rows that fill a panel up
 * are zeros with the threshold +infinity. 48 is a multiple of what every level takes at once.
 */
#ifndef AKIN_DOT_H
#define AKIN_DOT_H

#include <stddef.h>
#include <stdint.h>

enum { AKIN_DOT_PANEL = 48, AKIN_DOT_HITS = AKIN_DOT_PANEL * AKIN_DOT_PANEL };

typedef struct {
    uint16_t row, column; /* in panels a and b */
    float score;
} akin_dot_hit;

typedef struct {
    /* Writes the pairs (row of a, column of b) with score >= a_least[row] or score >= b_least[column] to `hits`, each
     * once, in an order that depends on nothing but the arguments and the level; returns how many. */
    size_t (*panels)(const float *a /* [dim, AKIN_DOT_PANEL] */, const float *b, size_t dim,
                     const float *a_least /* [AKIN_DOT_PANEL] */, const float *b_least,
                     akin_dot_hit *hits /* [AKIN_DOT_HITS] */);
} akin_dot_kernels;

/* The kernels of the active level. */
const akin_dot_kernels *akin_dot(void);

/* How far the chain may be from the exact dot product of two rows of length up to 1 + 2^-20:
 * |s - a.b| <= gamma * sum |a[t] b[t]| <= gamma * |a| |b| with gamma = d u / (1 - d u), u = 2^-24 (Higham 2002,
 * "Accuracy and Stability of Numerical Algorithms", section 3.1; a fused step has one rounding of the two that it
 * allows for), plus d times half the smallest subnormal where a step underflows. The factor 1.01 covers the lengths
 * and the denominator up to d = 65,536. */
static inline double akin_dot_bound(size_t dim) {
    return 1.01 * (double)dim * 0x1p-24;
}

#endif
