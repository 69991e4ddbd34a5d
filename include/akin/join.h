/* join: which row of one file is which of another, by their ids; each id is matched by the rank that
 * its hash names, so that no rank needs all ids. */
#ifndef AKIN_JOIN_H
#define AKIN_JOIN_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/hash.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { AKIN_JOIN_FIRST, AKIN_JOIN_SECOND } akin_join_side;

/* A row of one of the two files, known by hashes. */
typedef struct {
    akin_hash128 id;
    akin_hash128 content; /* what has to be the same too; zero where the id is enough */
    int32_t row;
    int32_t side; /* akin_join_side */
} akin_join_row;

typedef struct {
    int32_t first, second; /* rows */
} akin_join_match;

/* The row of a file that has this id, with a content of zero. Not collective. */
akin_join_row akin_join_row_of(const char *id, size_t row, akin_join_side side);

/* rows [count]: this rank's of both files, any shards; they are put into another order. *matches
 * [*match_count], owned: of all ranks' rows, on every rank, in no order to rely on: each row of the
 * second file with the lowest row of the first that has its id, where their contents are the same.
 * Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_join(akin_comm *comm, akin_join_row *rows, size_t count,
                                      akin_join_match **matches, size_t *match_count);

#endif
