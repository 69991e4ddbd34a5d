/* remote_rows: unit rows of other ranks, some at a time, for what looks at a list's members
 * themselves. Not collective where nothing else is said.
 *
 * Memory: the rows of one call, padded as dot.h wants them, twice while they come.
 */
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

/* Brings these rows of the catalogue, in any order, also several times; those of the call before
 * are gone. `rows` [count] is sorted. Each rank names its own. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_remote_rows_bring(akin_remote_rows *fetch, int32_t *rows,
                                                   size_t count);

/* How many rows of this dimension fill so many MiB, at least 1. */
size_t akin_remote_rows_most(const akin_remote_rows *fetch, size_t mebibytes);

size_t akin_remote_rows_stride(const akin_remote_rows *fetch);
/* A row that was brought: [stride], padded with zeros; borrowed until the next call. */
const float *akin_remote_rows_get(const akin_remote_rows *fetch, int32_t row);
/* A row of this rank's shard, the same way, into out [stride]. */
void akin_remote_rows_own(const akin_remote_rows *fetch, size_t item, float *out);

/* scores[h] = the score of a[hits[h].row] and rows[hits[h].column], as row_block.h has it; rows [.,
 * stride], padded, 64-byte aligned. */
void akin_remote_rows_scores(const float *a, const float *rows, size_t stride,
                             const akin_dot_hit *hits, size_t count, float *scores);
/* The score of two rows. */
float akin_remote_rows_score(const float *a, const float *b, size_t stride);

#endif
