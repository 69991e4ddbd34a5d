/* allpairs: every row of a catalogue against every other, on all ranks: the k best of each.
 *
 * Floor 3 (stages); looks down to error, mem, shard, ring, topk, dot, block, comm, log, vectors.
 * Not collective where nothing else is said.
 *
 * 1. Deal. Each rank orders its shard's rows by category (where the rules ask for it) and deals them to the ranks one
 *    by one, so that every rank's block holds its share of every category: all pairs of blocks cost the same, also
 *    when one category is half of the catalogue. Rows that can neither have nor be a neighbour stay behind.
 * 2. Ring (ring.h). A block travels as its body and its lists; the next body comes while this one is compared. A
 *    travelling list starts as a copy of the owner's, so its threshold is tight from the beginning; what it shares
 *    with the list at home is one entry when they are merged (topk.h).
 * 3. Home. Lists go to the rank whose shard holds the row.
 *
 * A rank holds three blocks of n / size rows with their lists: 3 n / size (4 dim + 8 k + 36) bytes (10 k for long
 * lists), and a little.
 */
#ifndef AKIN_ALLPAIRS_H
#define AKIN_ALLPAIRS_H

#include <akin/block.h>
#include <akin/comm.h>
#include <akin/vectors.h>

/* How many entries a list can have: min(k, n - 1), at least 1. */
size_t akin_allpairs_list(size_t n, size_t k);

/* *lists: [count of vectors, akin_allpairs_list(n, k)], keys of topk.h, best first, 0 where there is no entry; owned.
 * *seconds: from unit rows in memory to lists in memory, of the slowest rank. AKIN_INTERRUPTED after a signal: nothing
 * is kept. Collective; agreed; same k and rules. */
AKIN_MUST_CHECK akin_status akin_allpairs(akin_comm *comm, const akin_vectors *vectors, size_t k,
                                          const akin_block_rules *rules, uint64_t **lists, double *seconds);

#endif
