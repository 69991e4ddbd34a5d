/* query_rows: the rows that a query compares: items, of one catalogue or two, or products. */
#ifndef AKIN_QUERY_ROWS_H
#define AKIN_QUERY_ROWS_H

#include "products.h"
#include <akin/query.h>
#include <akin/vectors.h>

/* As the table of these parameters compares them (table_run.h). */
typedef struct {
    akin_vectors *vectors;
    akin_vectors *made_from; /* the rows of the files, if the vectors are others; or NULL */
    akin_products products;  /* with by_group */
} akin_query_rows;

/* Collective; agreed; same params. */
AKIN_MUST_CHECK akin_status akin_query_rows_open(akin_comm *comm, const akin_query_params *params,
                                                 akin_query_rows *out);
void akin_query_rows_release(akin_query_rows *rows); /* all zero is fine */

/* The products whose pictures the rows are; NULL: they are none. Not collective. */
const akin_products *akin_query_rows_pictures(const akin_query_rows *rows,
                                              const akin_query_params *params);

#endif
