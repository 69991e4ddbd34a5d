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

/* All zero: nothing is asked for. */
typedef struct {
    bool diverse, collapse, fill, calibrated;
    double lambda;     /* of diverse: in [0, 1] */
    double duplicates; /* of collapse: the least score of two that count as one; in [-1, 1] */
    size_t
        pool; /* exact neighbours that k are chosen from; 0: 3 k where something may be left out */
} akin_refine_params;

/* Words of an option that is given any number of times; borrowed. */
typedef struct {
    size_t count;
    const char *const *words;
} akin_neighbors_words;

/* The rules a neighbour must satisfy. */
typedef struct {
    bool same_category, exclude_same_group, only_available;
    double min_score; /* score >= min_score stays; in [-1, 1] */
    akin_neighbors_words same, different, within, only, barred, /* as in item_rules.h */
        at_most, boost, categories, blocks, pins;               /* the last three: files */
    bool damp_hubs;
} akin_neighbors_rules;

/* What an attribute that a word of a rule names must be. */
typedef enum { AKIN_RULE_NEEDS_ANY, AKIN_RULE_NEEDS_NUMBER, AKIN_RULE_NEEDS_NAMES } akin_rule_needs;
/* Of a word that is none, `wrong` is AKIN_USAGE, with its message. Texts are borrowed during the call. */
typedef void (*akin_rule_attribute)(void *context, const char *option, const char *attribute,
                                    akin_rule_needs needs, akin_status wrong);
/* Calls `each` for every attribute that the words of rules and boosts name. Not collective. */
void akin_neighbors_rules_attributes(const akin_neighbors_rules *rules, akin_rule_attribute each,
                                     void *context);

/* Of the contents of the files that the rules name, in hexadecimal digits; "" if they name none.
 * Not collective. */
AKIN_MUST_CHECK akin_status akin_neighbors_files_digest(const akin_neighbors_rules *rules,
                                                        char digest[AKIN_HASH_TEXT_SIZE]);

/* The rules for the comparison: min_score becomes the smallest float32 that is not below it.
 * AKIN_USAGE if the vectors lack the labels that a rule needs. Not collective; the same outcome
 * on all ranks. */
AKIN_MUST_CHECK akin_status akin_neighbors_resolve(const akin_neighbors_rules *rules,
                                                   const akin_vectors *vectors, const char *path,
                                                   akin_row_block_rules *out);

typedef struct {
    const char *input, *ids, *output;  /* ids: NULL = none */
    const char *against, *against_ids; /* neighbours come from there; NULL = from the input */
    bool by_group;                     /* lists between products; with the rules of products.h */
    bool mean;          /* with by_group: the mean of their pictures' cosines, product_means.h */
    const char *aspect; /* "colour,shape": by these parts alone, aspect.h; NULL = by all */
    const char *model, *catalog; /* with aspect: what the input was made from; NULL = beside it */
    const char *against_catalog; /* so too of `against` */
    size_t k;                    /* 1 to AKIN_TOPK_MAX */
    akin_neighbors_rules rules;
    akin_refine_params refine;
    const char *options, *result_options; /* resolved, for the table's attributes */
    const char *previous;                 /* last night's table, or NULL; with it: */
    const char *previous_embeddings, *previous_ids;
    const char *previous_against, *previous_against_ids; /* the targets then; NULL: as now */
    size_t spare; /* neighbours beyond k that are stored next to the table, for the next night */
    const char *checkpoint; /* NULL: <output>.checkpoint */
    double checkpoint_every;
} akin_neighbors_params;

typedef struct {
    size_t items, targets, dim, unusable; /* targets: what can be a neighbour */
    size_t products;                      /* with by_group */
    akin_allpairs_figures engine;
    size_t duplicates, sought, fills; /* of refine.h */
    size_t kept;                 /* lists of last night that needed no comparison with each other */
    size_t shorter, fresh, gone; /* since last night: lists that lost too much, items */
    size_t sharing;              /* tables that were made in this pass over the pairs */
    size_t peak_memory;          /* bytes, of the rank with most */
} akin_neighbors_figures;

/* Makes these tables. Those of the same rows share one pass over the pairs, whatever their rules, and each is
 * equal to the bit to what a call for it alone makes; if one of them fails all do. Their
 * checkpoint is that of the first one which names one, else of the first. out [count].
 * AKIN_INTERRUPTED after a signal: a checkpoint is saved. Collective; agreed; same params. */
AKIN_MUST_CHECK akin_status akin_neighbors(akin_comm *comm, const akin_neighbors_params *params,
                                           size_t count, akin_neighbors_figures *out);

/* Says what was done for a table (akin_log_summary). Not collective. */
void akin_neighbors_tell(const akin_neighbors_params *params,
                         const akin_neighbors_figures *figures);

#endif
