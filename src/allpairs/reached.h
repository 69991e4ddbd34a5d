/* reached: what the best of some scores reach. Not collective. Cannot fail. Pure. */
#ifndef AKIN_REACHED_H
#define AKIN_REACHED_H

#include <stddef.h>

/* A value that `rank` of the scores reach, at most 2^-10 below the largest such value. The search starts from a guess,
 * in steps that double: rows that follow each other require about the same. rank <= count; no NaN. */
float akin_reached(const float *scores /* [count] */, size_t count, size_t rank, float guess);

#endif
