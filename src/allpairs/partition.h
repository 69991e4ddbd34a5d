/* partition: distributes the rows of a catalogue to the ranks in blocks of equal cost, and
 * returns their lists. Each rank orders its shard's rows by label, category and availability (as
 * far as the rules use them) and distributes them to the ranks one by one, so that every rank's
 * block has its share of every category: all pairs of blocks cost the same, even if one category
 * is half of the catalogue. Rows that can neither have nor be a neighbour are left out. Within a
 * block rows are ordered by label, category and availability (categories start at one that gives
 * both halves of the block the same work), and within those by similarity (cluster.h). */
#ifndef AKIN_PARTITION_H
#define AKIN_PARTITION_H

#include <akin/allpairs.h>

/* *own: this rank's block of all tables, not yet ready, with both sides; *counts: rows of each rank's
 * block, [size], owned. A row is in the block if it takes part in any table; categories stand
 * together if any table keeps them apart; among the rules of all tables, those that the fewest
 * pairs pass order the rows. k: of the lists. Collective; agreed; same tables; prior (may be NULL):
 * the same members on all ranks. */
AKIN_MUST_CHECK akin_status akin_partition_out(akin_comm *comm, const akin_vectors *vectors,
                                               const akin_allpairs_table *table, int tables,
                                               akin_row_block **own, size_t **counts);

/* Sends the lists of a block or of one of its tables, already sorted, to the ranks whose shards have
 * the rows. *lists: [count of vectors, k], owned; *own is freed in the process and set to NULL (of
 * tables, the last one first). Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_partition_home(akin_comm *comm, const akin_vectors *vectors,
                                                size_t k, akin_row_block **own, uint64_t **lists);

#endif
