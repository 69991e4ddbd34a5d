/* extra_neighbors: what an all-pairs run finds beyond its table, stored next to it as TABLE.spare
 * for the next night: a few more neighbours per list, so that a list that loses members need not be
 * recomputed. The file is optional; without it the next night takes longer.
 *
 * uint64 key(item, k)   keys of topk.h after those of the table, best first, 0 = none
 * byte   whole(item)    1: table and spare contain every neighbour that the rules allow
 * attribute input_table_digest; row_order = "product" if the rows are in product order */
#ifndef AKIN_EXTRA_NEIGHBORS_H
#define AKIN_EXTRA_NEIGHBORS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* This rank's rows [first, first + count); borrowed. */
typedef struct {
    size_t n, k; /* of the whole file: number of items, and of keys per item */
    size_t first, count;
    const uint64_t *keys; /* [count, k] */
    const int8_t *whole;  /* [count] */
    bool by_product;      /* the rows are in product order (product_order.h) */
} akin_extra_neighbors_part;

/* Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_extra_neighbors_write(akin_comm *comm, const char *path,
                                                       const char *table_digest,
                                                       const akin_extra_neighbors_part *part);

typedef struct akin_extra_neighbors akin_extra_neighbors;

/* The table that a file must belong to. */
typedef struct {
    const char *table_digest; /* borrowed */
    size_t n, rows; /* n: number of items in the file; rows: upper bound of the rows in its keys */
    bool by_product;
} akin_extra_neighbors_claim;

/* AKIN_INPUT: the file is damaged or belongs to another table. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_extra_neighbors_open(akin_comm *comm, const char *path,
                                                      const akin_extra_neighbors_claim *claim,
                                                      akin_extra_neighbors **out);
void akin_extra_neighbors_close(akin_extra_neighbors *spare); /* NULL is fine */
size_t akin_extra_neighbors_k(const akin_extra_neighbors *spare);
/* Not collective. */
AKIN_MUST_CHECK akin_status akin_extra_neighbors_rows(const akin_extra_neighbors *spare,
                                                      size_t first, size_t count,
                                                      uint64_t *keys /* [count, k] */,
                                                      int8_t *whole /* [count] */);

#endif
