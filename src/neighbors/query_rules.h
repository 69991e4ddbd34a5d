/* query_rules: applies the rules of a table to one item: its list equals the item's row in a table
 * with these rules and the same k. What depends on all items (ranks of a boost, kinds of a limit,
 * and --damp-hubs, which requires an all-pairs comparison) is computed as for the table. */
#ifndef AKIN_QUERY_RULES_H
#define AKIN_QUERY_RULES_H

#include "item_pins.h"
#include "item_rules.h"
#include "query_item.h"
#include "query_rows.h"

typedef struct {
    akin_row_block_rules rows;
    akin_item_rules *more; /* NULL: none */
    akin_item_pins *pins;  /* NULL: none */
} akin_query_rules;

/* k: of the table. Errors as for akin_neighbors. Collective; agreed; same params, k. */
AKIN_MUST_CHECK akin_status akin_query_rules_create(akin_comm *comm,
                                                    const akin_query_params *params,
                                                    const akin_neighbors_rules *rules,
                                                    const akin_query_rows *rows, size_t k,
                                                    akin_query_rules *out);
void akin_query_rules_release(akin_query_rules *rules); /* all zero is fine */

/* The first k entries of the item's list, on every rank: list [k], 0 = none, keys of topk.h with
 * the scores by which the list is ordered (for pins: the cosine). *pinned: how many of them are
 * pins. Collective; agreed; same k. */
AKIN_MUST_CHECK akin_status akin_query_rules_list(akin_comm *comm, const akin_query_rules *rules,
                                                  const akin_vectors *vectors,
                                                  const akin_query_asker *who, size_t k,
                                                  uint64_t *list, size_t *pinned);

/* Replaces the scores of the keys by cosines. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_query_rules_cosines(akin_comm *comm, const akin_vectors *vectors,
                                                     const akin_query_asker *who, uint64_t *list,
                                                     size_t count);

#endif
