/* cluster: orders rows so that similar ones are adjacent. Not collective. Recursive bisection:
 * the rows are split by the plane between the means of two groups (two steps of k-means with k =
 * 2 on a sample, started at two rows that are far apart), half of them on each side, until a
 * part is one panel (sketch.h). Panels in such an order have short distances to their means and
 * narrow cones. The order depends on the rows alone; it affects only the time, not the results
 * computed from it. */
#ifndef AKIN_CLUSTER_H
#define AKIN_CLUSTER_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

/* order: which of the rows, any of them; permuted in place. */
AKIN_MUST_CHECK akin_status akin_cluster_order(const float *rows /* [., stride] */, size_t stride,
                                               uint32_t *order /* [count] */, size_t count);

#endif
