/* part_shares: how much each part of a model's features (features.h) adds to the cosine of two of its
 * vectors. Not collective.
 *
 * Parts that stand beside each other in a vector add the products of their own columns. Where the
 * parts z were projected once more, y = A^T (z - m), the share of a part is that of its rows of A:
 * with the shortest x for which A^T x = y, the mean of x1 . (A y2) and x2 . (A y1) over these rows. The
 * shares add up to the cosine. */
#ifndef AKIN_PART_SHARES_H
#define AKIN_PART_SHARES_H

#include <akin/error.h>
#include <akin/model.h>
#include <stddef.h>

typedef struct {
    const char *name; /* of the part, static */
    size_t columns;   /* before they are projected once more */
    double share;
} akin_part_share;

/* a, b [dim of the model], of unit length; *count parts. */
AKIN_MUST_CHECK akin_status akin_part_shares(akin_model *model, const float *a, const float *b,
                                             akin_part_share out[AKIN_PARTS], size_t *count);

#endif
