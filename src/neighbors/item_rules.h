/* item_rules: the rules that a shop gives for each source item, from the words of its options to
 * what the comparison asks (row_rules.h).
 *
 * Words: same, different "ATTR"; within "ATTR=LOW..HIGHx" or "ATTR=LOW..HIGH"; only, barred
 * "ATTR=VALUE"; at_most "ATTR=N"; boost "ATTR=WEIGHT ..."; categories, blocks: names of CSV files, with columns from,to and id,neighbor, where
 * * stands for every item. ATTR is an attribute of the items, or category, group or available. */
#ifndef AKIN_ITEM_RULES_H
#define AKIN_ITEM_RULES_H

#include "item_blocks.h"
#include "item_limits.h"
#include <akin/comm.h>
#include <akin/hash.h>
#include <akin/neighbors.h>
#include <akin/row_rules.h>
#include <akin/vectors.h>

typedef struct akin_item_rules akin_item_rules;

/* Whether there are any. */
bool akin_item_rules_asked(const akin_neighbors_rules *rules);

/* Vectors that were opened against others get one more rule: who is in a list is of the others. */

/* products: what the vectors are pictures of, NULL = each row is a thing of its own: boosts and limits are
 * the products', and files name them. path: of the vectors, for messages. The rules' words are borrowed. AKIN_USAGE: a word that is
 * wrong, or an attribute that the items have not; AKIN_INPUT, AKIN_FAILED: a file. Collective;
 * agreed; same rules. */
AKIN_MUST_CHECK akin_status akin_item_rules_create(akin_comm *comm,
                                                   const akin_neighbors_rules *rules,
                                                   const akin_vectors *vectors,
                                                   const akin_products *products, const char *path,
                                                   akin_item_rules **out);
void akin_item_rules_free(akin_item_rules *rules); /* NULL is fine */

/* For the comparison, with the values of this rank's shard; borrowed. */
const akin_row_rules *akin_item_rules_rows(const akin_item_rules *rules);

/* NULL: there are none; borrowed. Of products those of the comparison, one picture of each, and those of
 * the lists between them. */
akin_item_limits *akin_item_rules_limits(const akin_item_rules *rules);
akin_item_limits *akin_item_rules_product_limits(const akin_item_rules *rules);

/* Whether scores have offsets, and where they are, [count of the shard]. */
bool akin_item_rules_boosted(const akin_item_rules *rules);
float *akin_item_rules_offsets(const akin_item_rules *rules);
const akin_item_blocks *akin_item_rules_blocks(const akin_item_rules *rules);

/* Whether rows must be available (or pass a rule for targets) to be a neighbour. */
bool akin_item_rules_targets(const akin_item_rules *rules);

/* Empties the lists, [count of the shard, k], of items that are to have no neighbours. */
void akin_item_rules_empty(const akin_item_rules *rules, const akin_vectors *vectors, size_t k,
                           uint64_t *lists);

/* Of the contents of the files, in 32 hexadecimal digits; "" if there are none. */
const char *akin_item_rules_digest(const akin_item_rules *rules);

/* Adds to a hash what the rules use of an item of any catalogue. */
void akin_item_rules_hash(const akin_item_rules *rules, akin_labels *labels, size_t item,
                          akin_hasher *hasher);

#endif
