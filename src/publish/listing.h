/* listing: an item's neighbours as text, as published in a line of a file or in a cache, written
 * and parsed. Not collective. A cache has one of two formats: `[["b",0.875],["c",0.5]]`, or only
 * the ids, `b c`. */
#ifndef AKIN_LISTING_H
#define AKIN_LISTING_H

#include <akin/error.h>
#include <akin/ids.h>
#include <akin/publish_diff.h>
#include <akin/table.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>

/* Appends a score of [-1, 1] with enough digits to restore the same float: like printf's %.9g,
 * but faster. */
AKIN_MUST_CHECK akin_status akin_listing_score(akin_text *text, float score);

/* `{"id": "a", "neighbors": [["b", 0.875], ["c", 0.5]]}` and a newline. ids are those of all
 * items. */
AKIN_MUST_CHECK akin_status akin_listing_json(akin_text *text, const akin_ids *ids,
                                              const akin_list *list);
/* A line `a,1,b,0.875` for each neighbour. */
AKIN_MUST_CHECK akin_status akin_listing_csv(akin_text *text, const akin_ids *ids,
                                             const akin_list *list);

/* `[["b",0.875],["c",0.5]]`, for a cache: without blanks. */
AKIN_MUST_CHECK akin_status akin_listing_pairs(akin_text *text, const akin_ids *ids,
                                               const akin_list *list);
/* `b c`: AKIN_INPUT names the first id that contains a blank. */
AKIN_MUST_CHECK akin_status akin_listing_ids(akin_text *text, const akin_ids *ids,
                                             const akin_list *list);

typedef struct akin_listing akin_listing;

/* For a table and its ids, borrowed; without a table (NULL) there are no lists, and published ones
 * are only seen. AKIN_INPUT: ids_only, and an id contains a blank. */
AKIN_MUST_CHECK akin_status akin_listing_create(const akin_table *table, const akin_ids *ids,
                                                bool ids_only, akin_listing **out);
void akin_listing_free(akin_listing *lists); /* NULL is fine */

/* Appends the value of a row. */
AKIN_MUST_CHECK akin_status akin_listing_append(akin_listing *lists, size_t row, akin_text *text);
/* Whether the value is the one for this row. */
AKIN_MUST_CHECK akin_status akin_listing_is(akin_listing *lists, size_t row, const char *value,
                                            size_t length, bool *same);
/* Feeds the published value of the row to the diff, written as ids_only or not. AKIN_INPUT: not
 * such a list. */
AKIN_MUST_CHECK akin_status akin_listing_see(akin_listing *lists, size_t row, bool ids_only,
                                             const char *value, size_t length,
                                             akin_publish_diff *change);

/* "json", "ids" */
const char *akin_listing_format(bool ids_only);
/* Warns that readers of the target have to parse another format than before; format "": unknown.
 */
void akin_listing_tell_format(const char *target, const char *before, const char *now);

#endif
