/* fetch: unit rows of other ranks, some at a time, for what looks at a list's members themselves.
 *
 * Floor 3 (stages); looks down to error, mem, shard, dot, comm, vectors. Not collective where nothing else is said.
 *
 * Memory: the rows of one call, padded as dot.h wants them, twice while they come.
 */
#ifndef AKIN_FETCH_H
#define AKIN_FETCH_H

#include <akin/comm.h>
#include <akin/dot.h>
#include <akin/error.h>
#include <akin/vectors.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_fetch akin_fetch;

AKIN_MUST_CHECK akin_status akin_fetch_create(akin_comm *comm, const akin_vectors *vectors, akin_fetch **out);
void akin_fetch_free(akin_fetch *fetch); /* NULL is fine */

/* Brings these rows of the catalogue, in any order, also several times; those of the call before are gone. `rows`
 * [count] is sorted. Each rank names its own. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_fetch_rows(akin_fetch *fetch, int32_t *rows, size_t count);

/* How many rows of this dimension fill so many MiB, at least 1. */
size_t akin_fetch_most(const akin_fetch *fetch, size_t mebibytes);

size_t akin_fetch_stride(const akin_fetch *fetch);
/* A row that was brought: [stride], padded with zeros; borrowed until the next call. */
const float *akin_fetch_row(const akin_fetch *fetch, int32_t row);
/* A row of this rank's shard, the same way, into out [stride]. */
void akin_fetch_own(const akin_fetch *fetch, size_t item, float *out);

/* scores[h] = the score of a[hits[h].row] and rows[hits[h].column], as block.h has it; rows [., stride], padded,
 * 64-byte aligned. */
void akin_fetch_scores(const float *a, const float *rows, size_t stride, const akin_dot_hit *hits, size_t count,
                       float *scores);
/* The score of two rows. */
float akin_fetch_score(const float *a, const float *b, size_t stride);

#endif
