/* pending: the hits of tiles until they are settled: scored, and offered to the lists that may want
 * them. Not collective.
 *
 * They wait while the next tiles are computed. Where rows are short, these are the next few:
 * meanwhile the rows and lists that the hits need are fetched from memory. Where they are long,
 * they are many: the rows that are scored push the sketches out of the cache, which so happens
 * less often. */
#ifndef AKIN_PENDING_H
#define AKIN_PENDING_H

#include "asked.h"
#include <akin/dot.h>
#include <akin/row_block.h>

enum {
    AKIN_PENDING_GROUP = 4,      /* tiles that are computed together, at most */
    AKIN_PENDING_MANY_FROM = 512 /* dimensions, from which on many hits wait */
};

/* Two panels after their tile. */
typedef struct {
    akin_row_block *a, *b;
    size_t p, q;
    uint32_t met;                /* the tables in which they may meet: a bit each */
    const float *rows, *columns; /* of the panels */
    size_t row_count, column_count;
    size_t count;       /* of hits */
    akin_dot_hit *hits; /* [count], of AKIN_TILE_HITS, */
    float *bounds;      /* and upper bounds of their scores; NULL: not known */
} akin_pending_outcome;

typedef struct akin_pending akin_pending;

AKIN_MUST_CHECK akin_status akin_pending_create(const akin_asked_tables *tables /* kept */,
                                                akin_pending **out);
void akin_pending_free(akin_pending *pending); /* NULL is fine */

/* Before panels are compared. block: any of theirs, as all have rows of one length, divided
 * alike. */
void akin_pending_begin(akin_pending *pending, const akin_row_block *block);

/* The next tiles to compute, with room for their hits: AKIN_PENDING_GROUP of them, or 1 if the
 * level computes each by itself. Borrowed. */
akin_pending_outcome *akin_pending_group(akin_pending *pending);

/* The first `count` of the group have their hits, which wait from now on. Once enough do, those
 * that have waited longest are settled. Returns the next group. */
akin_pending_outcome *akin_pending_add(akin_pending *pending, size_t count);

/* Settles all that still wait. */
void akin_pending_finish(akin_pending *pending);

/* Pairs that were scored since it was created. */
double akin_pending_scored(const akin_pending *pending);

#endif
