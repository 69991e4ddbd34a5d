/* list_scores: the cosines of items with the entries of their lists. */
#ifndef AKIN_LIST_SCORES_H
#define AKIN_LIST_SCORES_H

#include <akin/comm.h>
#include <akin/vectors.h>
#include <stdint.h>

/* Sets the score of the first first[i] entries of each list; neighbor, score: [count of the shard,
 * k]. Collective; agreed; same k. */
AKIN_MUST_CHECK akin_status akin_list_scores(akin_comm *comm, const akin_vectors *vectors, size_t k,
                                             const int32_t *first, const int32_t *neighbor,
                                             float *score);

/* The cosines of the entries of lists [count of the shard, width], which are keys of topk.h: *out
 * of the same shape, owned. Collective; agreed; same width. */
AKIN_MUST_CHECK akin_status akin_list_cosines(akin_comm *comm, const akin_vectors *vectors,
                                              const uint64_t *lists, size_t width, float **out);

#endif
