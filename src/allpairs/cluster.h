/* cluster: an order of rows in which near ones stand together. Not collective.
 *
 * Recursive bisection: the rows are parted by the plane between the means of two groups (two steps
 * of k-means with k = 2 on a sample, begun at two rows that are far apart), half of them on each
 * side, until a part is one panel (sketch.h). Panels of such an order have short distances to their
 * means and narrow cones. The order depends on the rows alone; nothing that is computed from it
 * depends on it but the time.
 */
#ifndef AKIN_CLUSTER_H
#define AKIN_CLUSTER_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

/* order: which of the rows, any of them; permuted in place. */
AKIN_MUST_CHECK akin_status akin_cluster_order(const float *rows /* [., stride] */, size_t stride,
                                               uint32_t *order /* [count] */, size_t count);

#endif
