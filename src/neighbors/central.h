/* central: which rows are in the middle of some: those with the largest dot product with their sum (the
 * direction of their mean). The sum is one of integers (fixed.h), so it is the same for any number of
 * ranks. */
#ifndef AKIN_CENTRAL_H
#define AKIN_CENTRAL_H

#include <akin/comm.h>
#include <akin/vectors.h>

/* Which of the sums an item of this rank's shard is added to, -1 = none. */
typedef int32_t (*akin_central_slot)(const void *context, size_t item);

/* *centres: [slots, columns of the vectors], owned. Collective; agreed; same slots. */
AKIN_MUST_CHECK akin_status akin_central_sums(akin_comm *comm, const akin_vectors *vectors,
                                              akin_central_slot slot, const void *context,
                                              size_t slots, float **centres);
/* How central an item of this rank's shard is. Not collective. */
float akin_central_value(const akin_vectors *vectors, size_t item,
                         const float *centre /* [columns] */);

#endif
