/* delta: finds what can be reused of the previous night's table for the current catalogue, so that
 * only the rest is computed.
 *
 * An item is unchanged if its id, the bits of its unit row, and what the rules use (category and
 * group by name, availability) are the same as in the previous night. Rows of unchanged items keep
 * their order, since both nights are sorted by id or by the rows of one file. A previous list
 * without its removed or changed members is therefore still sorted. There are three kinds of rows:
 *
 * - kept: unchanged, and the rest of the list still has k members, or the list was complete;
 * - short: unchanged, but the list has lost too many members; it starts with the rest, and the row
 *   is compared with every other row;
 * - new: compared with every other row.
 *
 * If lists contain items of another catalogue, the rows of that catalogue are kept or new, and have
 * no lists. A row is then identified by its id and its side.
 *
 * Pairs of kept rows need no comparison (row_block.h: a layer). Below the score of its last
 * remaining member, its horizon, a kept list has no information about unchanged items. Whatever the
 * run finds below the horizon is dropped, so that a list always contains the best neighbours that
 * exist. */
#ifndef AKIN_DELTA_H
#define AKIN_DELTA_H

#include "item_rules.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

typedef struct {
    const char *table, *embeddings; /* the previous night's files; embeddings is used in messages */
    const char *result_options;     /* of the current table; must be equal except for k */
    const akin_vectors *before; /* what was compared then, made like the current ones; borrowed */
    bool apart;      /* the rows compared are not the table's: only its spare file has them */
    bool by_product; /* the rows of `before` were put in product order (product_order.h) */
    size_t k, list;  /* k of the current table; length of the engine's lists (k and some spare) */
} akin_delta_source;

typedef struct {
    char digest[33];                   /* of the previous table */
    int32_t *label;                    /* [count]: this rank's rows: 0 kept, 1 short, 2 new */
    uint64_t *lists;                   /* [count, k] keys in tonight's rows, sorted, 0 = none */
    uint64_t *horizon;                 /* [count]: lists are exact down to this key; 0: complete */
    size_t kept, shorter, fresh, gone; /* sources of all ranks; gone: previous ones */
} akin_delta;

/* Pairs of labels that have already been compared with each other: 3 x 3. */
extern const uint8_t akin_delta_done[9];

/* AKIN_INPUT, with the reason: the table was not made from these embeddings, with this model, or
 * under these rules. more: may be NULL; if the contents of its files have changed, or the table was
 * made against other targets, nothing is reused. Collective; agreed; same arguments. */
AKIN_MUST_CHECK akin_status akin_delta_find(akin_comm *comm, const akin_delta_source *source,
                                            const akin_vectors *vectors,
                                            const akin_row_block_rules *rules,
                                            const akin_item_rules *more, akin_delta **out);
void akin_delta_free(akin_delta *delta); /* NULL is fine */

#endif
