/* evaluate: measures a recommendation table: precision by label, coverage, churn against another
 * table.
 *
 * precision at n: the mean, over the items that have a label, of (number of the first n
 * neighbours with the item's label) / n; a missing neighbour counts as wrong.
 *
 * Average precision of an item: the sum, over the neighbours with its label, of the precision at
 * the neighbour's rank, divided by the largest possible number of them, min(k, other items with
 * the label); 0 if that is 0.
 *
 * churn: the mean, over the ids in both tables, of 1 - |A and B| / max(|A|, |B|), where A and B
 * are the sets of neighbours' ids; 0 if both are empty.
 *
 * All sums are sums of integers, so no figure depends on the number of ranks. */
#ifndef AKIN_EVALUATE_H
#define AKIN_EVALUATE_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/golden.h>
#include <akin/hash.h>
#include <akin/ids.h>
#include <akin/json.h>
#include <akin/labels.h>
#include <akin/table.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AKIN_EVALUATE_DEPTHS = 3 };
extern const int akin_evaluate_depths[AKIN_EVALUATE_DEPTHS]; /* 1, 5, 10: the n of precision at n */

typedef enum { AKIN_EVALUATE_CATEGORY, AKIN_EVALUATE_GROUP } akin_evaluate_label;

/* The figures of each category that has labelled items, ascending by name. */
typedef struct akin_evaluate_categories akin_evaluate_categories;
typedef struct {
    const char *name;
    size_t items; /* labelled ones */
    double precision[AKIN_EVALUATE_DEPTHS], average_precision;
} akin_evaluate_category;

typedef struct {
    const char *table;
    const char *against; /* NULL = none */
    const char *pairs;   /* a file (ids.h); NULL = none */
    const char *golden;  /* a file (golden.h); NULL = none */
    akin_evaluate_label label;
    akin_golden *golden_found; /* of golden; released by the caller */
    akin_ids **ids;            /* of the table, with golden; owned by the caller */
    akin_evaluate_categories *
        *categories; /* results by category, owned by the caller; NULL = not wanted */
} akin_evaluate_params;

/* A figure that does not exist (no labels, nothing to compare) is NaN. */
typedef struct {
    size_t items, k;
    bool of_two;     /* the table is between two catalogues */
    bool products;   /* its items are products */
    size_t targets;  /* what can be recommended: the items, or those of the other catalogue */
    size_t labelled; /* items with a label */
    double precision[AKIN_EVALUATE_DEPTHS]; /* of akin_evaluate_depths */
    double average_precision;               /* mean average precision at k */
    double chance; /* the precision of neighbours chosen at random from all other items */
    double coverage, full_coverage; /* share of items with a neighbour, with k of them */
    double mean_count, mean_score;  /* neighbours per item, score of a neighbour */
    double hub_share; /* share of all places held by the most recommended hundredth of the items */
    size_t never_recommended, at_most_once; /* items in no list, in one or none */
    size_t
        not_recommendable; /* of these, in no list because none may hold them: not available, under
                               * --only-available, or another one is recommended instead */
    bool only_available;   /* the table was made with it */
    const char *by_rule;   /* why the precision is meaningless, static; NULL: it is not */
    bool has_duplicates, has_fill; /* whether the table has them: */
    size_t duplicates;             /* items for which another one is recommended */
    size_t filled_items, fills;    /* items whose lists were filled, neighbours that were filled
                                     * in */
    size_t common;                 /* ids in both tables */
    double churn;
    bool has_pairs;
    size_t pairs, pairs_found, pairs_unknown; /* of which one item is among the other's neighbours;
                                                 rows of the file that were passed over */
    char table_digest[AKIN_HASH_TEXT_SIZE], against_digest[AKIN_HASH_TEXT_SIZE]; /* "" = none */
} akin_evaluate_figures;

/* Every rank gets the same figures. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_evaluate(akin_comm *comm, const akin_evaluate_params *params,
                                          akin_evaluate_figures *figures);

/* Not collective. */
size_t akin_evaluate_categories_count(const akin_evaluate_categories *categories);
akin_evaluate_category akin_evaluate_categories_at(const akin_evaluate_categories *categories,
                                                   size_t index);
void akin_evaluate_categories_free(akin_evaluate_categories *categories); /* NULL is fine */

/* Outliers: categories whose lists are not what a shop expects. Most of their items have no
 * neighbour of the category, unlike elsewhere; or the items are far from everything, like those of
 * a department that the model has never seen. Not collective.
 *
 * A list leaves its category if it has neighbours, not counting fill, and none of them has the
 * item's category. A category stands out by that if it has 20 such items or more, more than half of
 * their lists leave it, and this share is more than twice that of the whole table; and by distance
 * if it has 10 or more, and their median best score is at least 0.02 below what 95 % of the other
 * items reach. */

enum { AKIN_OUTLIERS_MOST = 20 };

typedef struct {
    int32_t category;
    size_t items;     /* with a category and a neighbour */
    size_t leaving;   /* lists that leave */
    int32_t instead;  /* the most frequent category in those lists; -1 = none */
    double best;      /* median best score */
    double others;    /* what 95 % of the other items reach */
    bool leaves, far; /* why it is one */
} akin_outlier;

typedef struct {
    size_t lists, leaving; /* of all categories */
    size_t count;          /* the worst first; at most so many are found */
    akin_outlier worst[AKIN_OUTLIERS_MOST];
} akin_outliers;

/* Not collective. labels are those of all items of the table. Memory: 12 bytes an item. */
AKIN_MUST_CHECK akin_status akin_outliers_find(const akin_table *table, akin_labels *labels,
                                               akin_outliers *out);

/* Not collective. before: the labels of the previous table (only the names are used), or NULL. */
bool akin_outlier_is_new(const akin_outlier *it, const akin_labels *labels,
                         const akin_labels *before);
enum { AKIN_OUTLIER_TEXT = 800 };
/* One line that says what is wrong with the category. Not collective. */
void akin_outlier_text(const akin_outlier *it, const akin_labels *labels, bool products, bool fresh,
                       char out[AKIN_OUTLIER_TEXT]);
/* [{category, items, leaving, instead, best, others, leaves, far, new}...], owned. Not collective. */
AKIN_MUST_CHECK akin_status akin_outliers_json(const akin_outliers *found, akin_labels *labels,
                                               akin_labels *before, akin_json **out);

#endif
