/* delta: what can be reused of last night's table for tonight's catalogue, so that only the rest
 * is computed.
 *
 * An item is unchanged if its id, the bits of its unit row, and what the rules use (category and
 * group by name, availability) are those of last night. Rows of unchanged items keep their
 * order, since both nights are in the order of ids or of one file's rows; so a list of last
 * night, minus the members that are removed or changed, is in order too. There are three kinds
 * of rows:
 *
 * - kept: unchanged, and what remains of the list still has k members, or was the complete list;
 * - short: unchanged, but the list has lost too many members: it starts with what remains, and
 *   the row is compared with every other;
 * - new: the row is compared with every other.
 *
 * Where lists hold items of another catalogue, its rows are kept or new, and have no lists. A row is
 * then known by its id and its side.
 *
 * Pairs of kept rows need no comparison (row_block.h: a layer). A kept list knows nothing about
 * unchanged items that are worse than its last remaining member, its horizon: what the run finds
 * below that is dropped again, so that a list always holds the best that exist. */
#ifndef AKIN_DELTA_H
#define AKIN_DELTA_H

#include "item_rules.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/row_block.h>
#include <akin/vectors.h>

typedef struct {
    const char *table, *embeddings; /* last night's files; the second for messages */
    const char *result_options;     /* tonight's, which the table's must equal except for k */
    const akin_vectors *before;     /* what last night compared, as tonight's are made; borrowed */
    bool apart;     /* the rows of the table are not those that are compared: only its spare file
                     * has their lists */
    size_t k, list; /* of tonight's table; and of the engine's lists (k and some spare) */
} akin_delta_source;

typedef struct {
    char digest[33];   /* of last night's table */
    int32_t *label;    /* [count]: this rank's rows: 0 kept, 1 short, 2 new */
    uint64_t *lists;   /* [count, k] keys in tonight's rows, sorted, 0 = none */
    uint64_t *horizon; /* [count]: the smallest key that is known to be right; 0: all */
    size_t kept, shorter, fresh, gone; /* sources of all ranks; gone: of last night */
} akin_delta;

/* Which labels have already been compared with each other: 3 x 3. */
extern const uint8_t akin_delta_done[9];

/* AKIN_INPUT, with the reason, if the table was not made from these embeddings, with this model, or under these
 * rules. more: or NULL; if its files have changed, or what targets it was made against, nothing is reused.
 * Collective; agreed; same
 * arguments. */
AKIN_MUST_CHECK akin_status akin_delta_find(akin_comm *comm, const akin_delta_source *source,
                                            const akin_vectors *vectors,
                                            const akin_row_block_rules *rules,
                                            const akin_item_rules *more, akin_delta **out);
void akin_delta_free(akin_delta *delta); /* NULL is fine */

#endif
