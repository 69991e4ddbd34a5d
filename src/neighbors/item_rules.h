/* item_rules: the rules that a shop gives for single items, from the words of its options to the
 * rules of the comparison (row_rules.h).
 *
 * Words: same, different "ATTR"; within "ATTR=LOW..HIGHx" or "ATTR=LOW..HIGH"; only, barred
 * "ATTR=VALUE"; at_most "ATTR=N"; boost "ATTR=WEIGHT ..."; categories, blocks: names of CSV files,
 * with columns from,to and id,neighbor, where * stands for every item. ATTR is an attribute of the
 * items, or category, group or available. */
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

/* Whether any rules are given. */
bool akin_item_rules_asked(const akin_neighbors_rules *rules);

/* If the vectors were opened against others, a rule is added that lets lists contain targets only.
 */

/* products: of which the vectors are pictures: boosts, limits and names in files then refer to
 * products; NULL: each row is an item. path: of the vectors, for messages. The rules' words are
 * borrowed. AKIN_USAGE: an invalid word, or an attribute that the items do not have; AKIN_INPUT,
 * AKIN_FAILED: a file. Collective; agreed; same rules. */
AKIN_MUST_CHECK akin_status akin_item_rules_create(akin_comm *comm,
                                                   const akin_neighbors_rules *rules,
                                                   const akin_vectors *vectors,
                                                   const akin_products *products, const char *path,
                                                   akin_item_rules **out);
void akin_item_rules_free(akin_item_rules *rules); /* NULL is fine */

/* For the comparison, with the values of this rank's shard; borrowed. */
const akin_row_rules *akin_item_rules_rows(const akin_item_rules *rules);

/* The limits of lists, borrowed; NULL: none. With products, the first function gives those of the
 * comparison (one picture of each product), the second one those of lists between products. */
akin_item_limits *akin_item_rules_limits(const akin_item_rules *rules);
akin_item_limits *akin_item_rules_product_limits(const akin_item_rules *rules);

/* Whether scores have offsets; the offsets, [count of the shard]. */
bool akin_item_rules_boosted(const akin_item_rules *rules);
float *akin_item_rules_offsets(const akin_item_rules *rules);
const akin_item_blocks *akin_item_rules_blocks(const akin_item_rules *rules);

/* Bars what is blocked for every item from being a neighbour; before: rows of the blocks
 * that precede the first one of the vectors. Not collective; before the comparison. */
void akin_item_rules_strike(akin_item_rules *rules, const akin_vectors *vectors,
                            const akin_item_blocks *blocks, int64_t before);

/* Whether only available rows (or, with a rule for targets, only matching ones) can be neighbours.
 */
bool akin_item_rules_targets(const akin_item_rules *rules);

/* Empties the lists, [count of the shard, k], of items that get no neighbours. */
void akin_item_rules_empty(const akin_item_rules *rules, const akin_vectors *vectors, size_t k,
                           uint64_t *lists);

/* Digest of the contents of the files, 32 hexadecimal digits; "" if there are none. */
const char *akin_item_rules_digest(const akin_item_rules *rules);

/* Adds what the rules use of an item, of any catalogue, to a hash. */
void akin_item_rules_hash(const akin_item_rules *rules, akin_labels *labels, size_t item,
                          akin_hasher *hasher);

#endif
