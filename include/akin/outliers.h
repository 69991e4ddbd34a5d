/* outliers: categories whose lists are not what a shop expects: most of their items have no neighbour
 * of the category, though this is not so elsewhere; or the items are far from everything, as those of
 * a department are that the model has never seen. Not collective.
 *
 * A list leaves its category if it has neighbours, fill aside, and none of them has the item's. A
 * category stands out by that if it has 20 such items or more, more than half of whose lists leave it,
 * and more than twice the share of the whole table; and by distance if it has 10 or more, and their
 * median best score is below what 95 % of the other items reach. */
#ifndef AKIN_OUTLIERS_H
#define AKIN_OUTLIERS_H

#include <akin/error.h>
#include <akin/json.h>
#include <akin/labels.h>
#include <akin/table.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AKIN_OUTLIERS_MOST = 20 };

typedef struct {
    int32_t category;
    size_t items;     /* with a category and a neighbour */
    size_t leaving;   /* lists that leave */
    int32_t instead;  /* the category that those lists hold most of; -1 = none */
    double best;      /* median best score */
    double others;    /* what 95 % of the other items reach */
    bool leaves, far; /* why it is one */
} akin_outlier;

typedef struct {
    size_t lists, leaving; /* of all categories */
    size_t count;          /* the worst first; at most so many are found */
    akin_outlier worst[AKIN_OUTLIERS_MOST];
} akin_outliers;

/* labels are those of all items of the table. Memory: 12 bytes an item. */
AKIN_MUST_CHECK akin_status akin_outliers_find(const akin_table *table, akin_labels *labels,
                                               akin_outliers *out);

/* before: the labels of the previous table, of which only the names are used; NULL = there is none. */
bool akin_outlier_is_new(const akin_outlier *it, const akin_labels *labels,
                         const akin_labels *before);
/* One line: what is wrong with the category. */
enum { AKIN_OUTLIER_TEXT = 800 };
void akin_outlier_text(const akin_outlier *it, const akin_labels *labels, bool fresh,
                       char out[AKIN_OUTLIER_TEXT]);
/* [{category, items, leaving, instead, best, others, leaves, far, new}...], owned. */
AKIN_MUST_CHECK akin_status akin_outliers_json(const akin_outliers *found, akin_labels *labels,
                                               akin_labels *before, akin_json **out);

#endif
