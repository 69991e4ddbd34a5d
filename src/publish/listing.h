/* listing: an item's neighbours as text, the way they are published. Not collective. */
#ifndef AKIN_LISTING_H
#define AKIN_LISTING_H

#include <akin/error.h>
#include <akin/ids.h>
#include <akin/lists.h>
#include <akin/text.h>

/* Appends a score of [-1, 1] with the digits that bring the same float back: printf's %.9g, but
 * faster. */
AKIN_MUST_CHECK akin_status akin_listing_score(akin_text *text, float score);

/* `{"id": "a", "neighbors": [["b", 0.875], ["c", 0.5]]}` and a line end. ids are those of all
 * items. */
AKIN_MUST_CHECK akin_status akin_listing_json(akin_text *text, const akin_ids *ids,
                                              const akin_list *list);
/* A line `a,1,b,0.875` for each neighbour. */
AKIN_MUST_CHECK akin_status akin_listing_csv(akin_text *text, const akin_ids *ids,
                                             const akin_list *list);
/* `[["b",0.875],["c",0.5]]`, for a cache: no blanks. */
AKIN_MUST_CHECK akin_status akin_listing_pairs(akin_text *text, const akin_ids *ids,
                                               const akin_list *list);
/* `b c`: AKIN_INPUT names the first id that holds a blank. */
AKIN_MUST_CHECK akin_status akin_listing_ids(akin_text *text, const akin_ids *ids,
                                             const akin_list *list);

#endif
