/* principal: the two directions in which rows differ most (principal components; Pearson 1901), for
 * a map of them. Not collective.
 *
 * Orthogonal iteration (Golub and Van Loan, "Matrix Computations", section 8.2.4) with the
 * covariance of the rows, which is never formed: 2 * 100 passes over them. It begins at the same
 * two directions for the same dim; each direction's largest entry is positive. The same rows in the
 * same order give the same bits.
 */
#ifndef AKIN_PRINCIPAL_H
#define AKIN_PRINCIPAL_H

#include <akin/error.h>
#include <stddef.h>

/* at [count, 2]: how far each row lies along them, from the mean; explained: the share of the
 * variance along each. */
AKIN_MUST_CHECK akin_status akin_principal(const float *rows /* [count, dim] */, size_t count,
                                           size_t dim, double *at, double explained[2]);

#endif
