/* calibration: maps a cosine to the share of random pairs of the catalogue that are less alike.
 * Not collective. It is built from the scores of a sample of pairs. At a value of the sample the
 * share is exactly that of the sample's pairs below it; between two of them it is interpolated
 * linearly, up to 1 at a cosine of 1; below the smallest it is 0. So it never decreases, and it
 * is comparable from night to night, whatever network made the vectors. Stored are the upper
 * AKIN_CALIBRATION_TAIL values of the sample, where neighbours are, and as many spread evenly
 * over the rest. */
#ifndef AKIN_CALIBRATION_H
#define AKIN_CALIBRATION_H

#include <akin/error.h>
#include <stddef.h>

enum { AKIN_CALIBRATION_TAIL = 4096 };

typedef struct akin_calibration akin_calibration;

/* scores [count] are sorted in place; count may be 0: then all shares are 0 below a cosine of 1. */
AKIN_MUST_CHECK akin_status akin_calibration_create(float *scores, size_t count,
                                                    akin_calibration **out);
void akin_calibration_free(akin_calibration *calibration); /* NULL is fine */

float akin_calibration_share(const akin_calibration *calibration, float cosine); /* in [0, 1] */

/* The knots, both ascending, [*count], borrowed. */
void akin_calibration_knots(const akin_calibration *calibration, size_t *count,
                            const float **cosine, const double **share);

#endif
