/* shard: which rank has which items. Pure arithmetic on (n, size, rank), tested for 10,000 ranks
 * in one process. Not collective. Cannot fail. Items 0..n-1 are divided into `size` contiguous
 * shards in rank order; the first n % size of them have one extra item. */
#ifndef AKIN_SHARD_H
#define AKIN_SHARD_H

#include <stddef.h>

size_t akin_shard_first(size_t n, int size,
                        int rank); /* first item of the rank; rank == size gives n */
size_t akin_shard_count(size_t n, int size, int rank);
int akin_shard_owner(size_t n, int size,
                     size_t item); /* the rank whose shard holds the item, item < n */

#endif
