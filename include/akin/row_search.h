/* row_search: searches the rows that each rank has for the neighbours of rows from all ranks; the
 * lists return to the ranks that asked. The rules' layers and `again` are ignored.
 *
 * Call begin, do what you like with the block of all rows, call among once for each block to
 * compare with, then end. */
#ifndef AKIN_ROW_SEARCH_H
#define AKIN_ROW_SEARCH_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_row_search akin_row_search;

/* This rank's rows to search for. */
typedef struct {
    size_t count;
    size_t dim, width;                  /* of a row, of a list */
    const struct akin_leading *leading; /* of the blocks that they will be compared with */
    /* Row i, [dim], and its item; borrowed until the next call. Not collective. */
    const float *(*row)(const void *context, size_t i, akin_row_block_item *item);
    const void *context;
} akin_row_search_rows;

/* Collective; agreed; same rules, dim, width. */
AKIN_MUST_CHECK akin_status akin_row_search_begin(akin_comm *comm,
                                                  const akin_row_block_rules *rules,
                                                  const akin_row_search_rows *rows,
                                                  akin_row_search **out);
void akin_row_search_free(akin_row_search *search); /* Not collective; NULL is fine */

/* The rows of all ranks, ready, with empty lists. Not collective. */
akin_row_block *akin_row_search_block(akin_row_search *search);
/* Compares all of them with a block that is ready and has columns. Not collective. */
void akin_row_search_among(akin_row_search *search, akin_row_block *block);

/* What all ranks found for this rank's rows: lists [count, width], sorted, as the rules limit them.
 * Once. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_row_search_end(akin_row_search *search, uint64_t *lists);

#endif
