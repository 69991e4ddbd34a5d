/* remote_rows: fetches unit rows of other ranks, some at a time, for code that needs the vectors of
 * a list's members. Not collective unless stated. Memory: the rows of one call, padded as dot.h
 * requires, twice during the transfer. */
#ifndef AKIN_REMOTE_ROWS_H
#define AKIN_REMOTE_ROWS_H

#include <akin/comm.h>
#include <akin/dot.h>
#include <akin/error.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_remote_rows akin_remote_rows;

AKIN_MUST_CHECK akin_status akin_remote_rows_create(akin_comm *comm, const akin_vectors *vectors,
                                                    akin_remote_rows **out);
void akin_remote_rows_free(akin_remote_rows *fetch); /* NULL is fine */

/* Fetches these rows of the catalogue, in any order and with repetitions; the rows of the previous
 * call are dropped. `rows` [count] is sorted in place. Each rank passes its own. Collective;
 * agreed. */
AKIN_MUST_CHECK akin_status akin_remote_rows_bring(akin_remote_rows *fetch, int32_t *rows,
                                                   size_t count);

/* The number of rows of this dimension that fit into this many MiB, at least 1. */
size_t akin_remote_rows_most(const akin_remote_rows *fetch, size_t mebibytes);

size_t akin_remote_rows_stride(const akin_remote_rows *fetch);
/* A fetched row: [stride], padded with zeros; borrowed until the next call. */
const float *akin_remote_rows_get(const akin_remote_rows *fetch, int32_t row);
/* A row of this rank's shard, in the same form, into out [stride]. */
void akin_remote_rows_own(const akin_remote_rows *fetch, size_t item, float *out);

/* scores[h] = the score of a[hits[h].row] and rows[hits[h].column], as in row_block.h; rows [.,
 * stride], padded, 64-byte aligned. */
void akin_remote_rows_scores(const float *a, const float *rows, size_t stride,
                             const akin_dot_hit *hits, size_t count, float *scores);
/* The score of two rows. */
float akin_remote_rows_score(const float *a, const float *b, size_t stride);

#endif
