/* query: the neighbours of one item, or of a new picture. An item's answer is bit-identical to
 * its row of the table with the same k and rules: the same comparison of the same unit rows. A
 * picture is shrunk like the catalogue's pictures, embedded by the model that made the
 * embeddings, and compared with all items; nothing is excluded, so that a picture of the
 * catalogue finds itself. */
#ifndef AKIN_QUERY_H
#define AKIN_QUERY_H

#include <akin/comm.h>
#include <akin/model.h>
#include <akin/neighbors.h>

/* A table whose lists are chosen from more than their k best: by which options. */
typedef struct {
    const char *path, *diversity, *collapse; /* values of the options; NULL = not given */
    size_t pool;                             /* of the options; 0 = not given */
} akin_query_table;

typedef struct {
    const char *input, *ids; /* as in neighbors */
    const char *against, *against_ids;
    bool by_group, mean;
    const char *id;            /* an item's, or NULL and: */
    const char *image, *model; /* a picture file, and model.nc */
    const char *network;       /* the trained network; NULL: where ingest found it */
    size_t k;
    akin_neighbors_rules
        rules; /* a picture has no category and no group: rules that need them are AKIN_USAGE */
    const char *why;               /* of akin_query_explain: the id of the other item */
    const akin_query_table *table; /* whose list of `id` is the answer; NULL: that of the rules */
} akin_query_params;

typedef struct akin_answer akin_answer;

/* *out on rank 0, NULL on others; owned. AKIN_FAILED: a file cannot be read; AKIN_INPUT:
 * refused, no such id, or a model that did not make the embeddings. Collective; agreed; same
 * params. */
AKIN_MUST_CHECK akin_status akin_query(akin_comm *comm, const akin_query_params *params,
                                       akin_answer **out);

/* Not collective. */
size_t akin_answer_items(const akin_answer *answer); /* number of items searched */
size_t akin_answer_count(const akin_answer *answer);
const char *akin_answer_id(const akin_answer *answer, size_t index); /* best first; borrowed */
float akin_answer_score(const akin_answer *answer, size_t index);
void akin_answer_free(akin_answer *answer); /* NULL is fine */

/* --- why --- */

typedef struct {
    char *rule; /* "same-category", "within price=0.8..1.2x"; owned */
    bool asked, passes;
} akin_query_verdict;

/* The other's place in the list of a table. */
typedef struct {
    size_t rank; /* from 1; 0 = not there */
    bool pinned, filled;
    bool collapsed; /* left out, since it is a duplicate of a recommended item, or of this one */
    char *duplicate_of; /* id of the item that is recommended in its place, owned; NULL = none */
} akin_query_place;

typedef struct {
    double cosine;    /* or the mean cosine of two products; NaN: one of the vectors is unusable */
    char *picture[2]; /* of products: the ids of their pictures that are explained, with --pictures
                       * mean the most similar ones; owned. NULL: of items */
    akin_part_share parts[AKIN_PARTS]; /* they add up to the cosine */
    size_t part_count;                 /* 0: the model is unknown, or not the only one */
    akin_query_verdict *rules; /* [rule_count]: four of every table, then each word; owned */
    size_t rule_count;
    bool boosted, pinned;
    double boost; /* the boost added to the cosine */
    size_t depth; /* ranks from 1 to this are known */
    /* Ranks among all items, 0 = not there: with all rules; with all but boosts; with none. */
    size_t rank, rank_without_boost, rank_without_rules;
    akin_query_place place; /* of a table */
} akin_query_why;

/* Explains the rank of params->why, or its absence, in the list of params->id; model NULL: model.nc
 * in the folder of the embeddings, if it made them. Errors as akin_query. Every rank gets the same
 * result; to be released, even after an error. Collective; agreed; same params. */
AKIN_MUST_CHECK akin_status akin_query_explain(akin_comm *comm, const akin_query_params *params,
                                               akin_query_why *out);
void akin_query_why_release(akin_query_why *why); /* all zero is fine */

#endif
