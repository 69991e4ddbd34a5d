/* diversity: makes a list less repetitive by maximal marginal relevance (Carbonell & Goldstein
 * 1998, "The use of MMR, diversity-based reranking for reordering documents and producing
 * summaries"). The candidates of an item are a list longer than k, best first. The next one chosen
 * is always that with the largest lambda * score(item, c) - (1 - lambda) * max over those chosen,
 * t, of score(c, t), where the second term is 0 for the first one; ties go to the first candidate.
 * With lambda 1 the list stays as it is. Products and differences are in double precision, scores
 * as in row_block.h: the bits are the same wherever they are computed. A candidate may have several
 * rows, such as the pictures of a product; the score of two is then the best of their rows. */
#ifndef AKIN_DIVERSITY_H
#define AKIN_DIVERSITY_H

#include <akin/comm.h>
#include <akin/dot.h>
#include <akin/error.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t stride;
    float *rows;         /* [count, stride], padded, 64-byte aligned: of the candidates */
    const size_t *first; /* [count + 1]: candidate c has rows first[c] to first[c + 1] - 1; NULL:
                          * one each */
    uint16_t *row;       /* [count]: scratch, like the members below */
    float *nearest;      /* [count] */
    akin_dot_hit *hits;  /* [count] */
    float *scores;       /* [count] */
} akin_diversity_room;

/* For that many candidates with that many rows in all; `first` is the caller's. */
AKIN_MUST_CHECK akin_status akin_diversity_room_make(akin_diversity_room *room, size_t candidates,
                                                     size_t rows, size_t stride);
void akin_diversity_room_release(akin_diversity_room *room);

/* Reorders `count` candidates (at most 65,536), best first: the first k are those chosen, in
 * order. Not collective; pure. */
void akin_diversity_pick(double lambda, size_t k, uint64_t *keys /* [count] */, size_t count,
                         const akin_diversity_room *room);

/* Every list of this rank's rows, [count of vectors, pool] keys of topk.h, best first, 0 after the
 * last, is replaced by the k chosen, in order, followed by zeros. Collective; agreed; same lambda,
 * k, pool. */
AKIN_MUST_CHECK akin_status akin_diversity(akin_comm *comm, const akin_vectors *vectors,
                                           double lambda, size_t k, size_t pool, uint64_t *lists);

#endif
