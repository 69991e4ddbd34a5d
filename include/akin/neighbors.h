/* neighbors: all-pairs cosine top-k, from embeddings.nc or a .npy file to table.nc. */
#ifndef AKIN_NEIGHBORS_H
#define AKIN_NEIGHBORS_H

#include <akin/allpairs.h>
#include <akin/comm.h>
#include <akin/hash.h>
#include <akin/row_block.h>
#include <akin/vectors.h>
#include <stdbool.h>
#include <stddef.h>

/* All zero: nothing is requested. */
typedef struct {
    bool diverse, collapse, fill, calibrated;
    double lambda;     /* of diverse: in [0, 1] */
    double duplicates; /* for collapse: lowest score of two items that count as one; in [-1, 1] */
    size_t pool; /* exact neighbours from which k are chosen; 0: 3 k if entries can be removed */
} akin_refine_params;

/* Words of an option that may be repeated; borrowed. */
typedef struct {
    size_t count;
    const char *const *words;
} akin_neighbors_words;

/* The rules a neighbour must satisfy. */
typedef struct {
    bool same_category, exclude_same_group, only_available;
    double min_score; /* scores below it are dropped; in [-1, 1] */
    akin_neighbors_words same, different, within, only, barred, /* as in item_rules.h */
        at_most, boost, categories, blocks, pins;               /* the last three: files */
    bool damp_hubs;
} akin_neighbors_rules;

/* The required type of an attribute in a word of a rule. */
typedef enum { AKIN_RULE_NEEDS_ANY, AKIN_RULE_NEEDS_NUMBER, AKIN_RULE_NEEDS_NAMES } akin_rule_needs;
/* For an invalid word, `wrong` is AKIN_USAGE, with its message. Texts are borrowed during the call.
 */
typedef void (*akin_rule_attribute)(void *context, const char *option, const char *attribute,
                                    akin_rule_needs needs, akin_status wrong);
/* Calls `each` for every attribute in the words of rules and boosts. Not collective. */
void akin_neighbors_rules_attributes(const akin_neighbors_rules *rules, akin_rule_attribute each,
                                     void *context);

/* Warns that no item has the value of a word of --only or --not, "brand=Acme": it is probably
 * misspelt. `before`: what the message begins with; names: of the values that items have, ending with
 * NULL. Not collective. */
void akin_neighbors_tell_value(const char *before, const char *option, const char *word,
                               const char *const *names);

/* Whether the words of --only (wanted) or of --not about `available` let an available item pass. Not
 * collective. */
bool akin_neighbors_lets_available(const akin_neighbors_words *words, bool wanted);

/* Digest of the contents of the rules' files, in hexadecimal digits; "" if there are none. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_neighbors_files_digest(const akin_neighbors_rules *rules,
                                                        char digest[AKIN_HASH_TEXT_SIZE]);

/* Whether a file of --pins can be read, whatever items there are. AKIN_INPUT: a row with fewer than two
 * fields, or with a rank that is no number. Not collective. */
AKIN_MUST_CHECK akin_status akin_neighbors_check_pins(const char *path);

/* The rules for the comparison: min_score becomes the smallest float32 that is not below it.
 * AKIN_USAGE if the vectors lack the labels that a rule needs. Not collective; the same outcome
 * on all ranks. */
AKIN_MUST_CHECK akin_status akin_neighbors_resolve(const akin_neighbors_rules *rules,
                                                   const akin_vectors *vectors, const char *path,
                                                   akin_row_block_rules *out);

typedef struct {
    const char *input, *ids, *output;  /* ids: NULL = none */
    const char *against, *against_ids; /* neighbours are taken from there; NULL = from the input */
    bool by_group;                     /* lists between products; with the rules of products.h */
    bool mean;          /* with by_group: the mean of their pictures' cosines, product_means.h */
    const char *aspect; /* "foreground,shape": only these parts, aspect.h; NULL = all */
    const char *model, *catalog; /* with aspect: the origin of the input; NULL = in its folder */
    const char *against_catalog; /* likewise for against */
    size_t k;                    /* 1 to AKIN_TOPK_MAX */
    akin_neighbors_rules rules;
    akin_refine_params refine;
    const char *options, *result_options; /* resolved, for the table's attributes */
    const char *previous;                 /* the previous table, or NULL; with it: */
    const char *previous_embeddings, *previous_ids;
    const char *previous_against, *previous_against_ids; /* its targets; NULL: the current ones */
    size_t spare; /* neighbours beyond k that are stored next to the table, for the next night */
    const char *checkpoint; /* NULL: <output>.checkpoint */
    double checkpoint_every;
    bool aside; /* part of another stage: how many tables share a pass is not logged */
} akin_neighbors_params;

typedef struct {
    size_t items, targets, dim, unusable; /* targets: items that can be neighbours */
    size_t products;                      /* with by_group */
    akin_allpairs_figures engine;
    size_t duplicates, sought, fills; /* of refine.h */
    size_t kept;                      /* previous lists that needed no comparison with each other */
    size_t shorter, fresh, gone; /* of the previous night: lists that became too short; items */
    size_t sharing;              /* tables made in this pass over the pairs */
    size_t peak_memory;          /* bytes, of the rank with the highest */
} akin_neighbors_figures;

/* Makes these tables. Tables with the same rows share one pass over the pairs, whatever their
 * rules, and each is bit-identical to one made by itself; if one of them fails, all do. Their
 * checkpoint is that of the first table that names one, or else of the first. out [count].
 * AKIN_INTERRUPTED after a signal: a checkpoint is saved. Collective; agreed; same params. */
AKIN_MUST_CHECK akin_status akin_neighbors(akin_comm *comm, const akin_neighbors_params *params,
                                           size_t count, akin_neighbors_figures *out);

/* Logs what was done for a table (akin_log_summary). Not collective. */
void akin_neighbors_tell(const akin_neighbors_params *params,
                         const akin_neighbors_figures *figures);

#endif
