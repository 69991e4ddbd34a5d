/* sharing: whether adjacent panels of a block may share a mean. A product of every mean with every row is
 * dear where rows are long; but a panel's own mean may be much longer, and its cone narrower, where rows lie
 * in clusters not much larger than a panel. Not collective. Cannot fail. */
#ifndef AKIN_SHARING_H
#define AKIN_SHARING_H

#include <stddef.h>

enum { AKIN_SHARING_FROM = 128 /* dimensions */, AKIN_SHARING_PANELS = 4 };

/* How many adjacent panels share a mean, 1 or AKIN_SHARING_PANELS: judged by some of the rows, which are in the
 * order of the panels. */
size_t akin_sharing_choose(const float *rows /* [count, stride] */, size_t count, size_t stride);

#endif
