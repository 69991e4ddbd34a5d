/* table_run: one of the tables that a run makes. It prepares the table's rules and what can be
 * reused of the previous night, and, after the comparison that tables share, makes the table from
 * its lists. */
#ifndef AKIN_TABLE_RUN_H
#define AKIN_TABLE_RUN_H

#include "delta.h"
#include "item_pins.h"
#include "item_rules.h"
#include "products.h"
#include <akin/comm.h>
#include <akin/neighbors.h>
#include <akin/text.h>
#include <akin/vectors.h>

typedef struct {
    akin_comm *comm;
    const akin_neighbors_params *params;
    akin_vectors *vectors;     /* borrowed, except those made for products */
    const akin_vectors *items; /* the rows of the files, borrowed */
    akin_vectors
        *pictures;     /* the pictures of the products that the rows are; NULL: rows are items */
    int32_t *order;    /* [items]: the row in the file of each row, where rows are in product
                             * order (product_order.h); NULL: they are in the file's order */
    bool shares_order; /* vectors and order belong to another table */
    akin_products products;        /* with by_group */
    akin_text *checkpoint, *spare; /* names */
    akin_row_block_rules rules;
    akin_item_rules *more;     /* NULL: none */
    akin_item_pins *pins;      /* NULL: none */
    akin_delta *delta;         /* NULL: none */
    akin_text *result_options; /* including the digest of the rules' files */
    int32_t *duplicate_of;     /* [items of the vectors], of targets only; NULL: not requested */
    int32_t *product_duplicate_of; /* [products], likewise */
    size_t pool;                   /* number of exact neighbours needed per item */
    size_t list;                   /* length of the engine's lists: these and some spare */
    uint64_t *lists;
} akin_table_run;

/* Sets the names of its files; AKIN_USAGE, AKIN_FAILED: they cannot be written. Not collective;
 * call it on all ranks. */
AKIN_MUST_CHECK akin_status akin_table_run_name(akin_table_run *run);
/* Makes the rules, for which the vectors must be open. like: a table of the same rows that has
 * begun and is released together with this one, or NULL. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_table_run_begin(akin_table_run *run, const akin_table_run *like,
                                                 akin_neighbors_figures *out);
/* Reads the lists of the previous table. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_table_run_know(akin_table_run *run, akin_neighbors_figures *out);

/* After the comparison: takes its lists [count of the shard, run->list] and their ownership. Not
 * collective. */
void akin_table_run_take(akin_table_run *run, uint64_t *lists);
/* Writes the table and its spare neighbours; frees the lists. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_table_run_write(akin_table_run *run, akin_neighbors_figures *out);

void akin_table_run_release(akin_table_run *run); /* all zero is fine */

#endif
