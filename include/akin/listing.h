/* listing: an item's neighbours as text, the way they are published.
 *
 * Floor 3 (stages); looks down to error, text, csv, labels. Not collective.
 */
#ifndef AKIN_LISTING_H
#define AKIN_LISTING_H

#include <akin/error.h>
#include <akin/labels.h>
#include <akin/text.h>
#include <stddef.h>
#include <stdint.h>

/* One item's list: `count` neighbours (rows of labels) with their scores, best first; borrowed. */
typedef struct {
    size_t item;
    size_t count;
    const int32_t *neighbor;
    const float *score;
} akin_list;

/* Appends a score of [-1, 1] with the digits that bring the same float back: printf's %.9g, but faster. */
AKIN_MUST_CHECK akin_status akin_listing_score(akin_text *text, float score);

/* `{"id": "a", "neighbors": [["b", 0.875], ["c", 0.5]]}` and a line end. labels are those of all items. */
AKIN_MUST_CHECK akin_status akin_listing_json(akin_text *text, const akin_labels *labels, const akin_list *list);
/* A line `a,1,b,0.875` for each neighbour. */
AKIN_MUST_CHECK akin_status akin_listing_csv(akin_text *text, const akin_labels *labels, const akin_list *list);

#endif
