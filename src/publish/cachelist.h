/* cachelist: a list as a cache holds it, written and read back.
 * Not collective.
 *
 * Two formats: `[["b",0.875],["c",0.5]]`, and the ids alone, `b c`.
 */
#ifndef AKIN_CACHELIST_H
#define AKIN_CACHELIST_H

#include <akin/error.h>
#include <akin/ids.h>
#include <akin/lists.h>
#include <akin/publish_diff.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct akin_cachelist akin_cachelist;

/* Of a table and its ids, borrowed. AKIN_INPUT: ids_only, and an id holds a blank. */
AKIN_MUST_CHECK akin_status akin_cachelist_create(const akin_table *table, const akin_ids *ids,
                                                  bool ids_only, akin_cachelist **out);
void akin_cachelist_free(akin_cachelist *lists); /* NULL is fine */

/* Appends the value of a row. */
AKIN_MUST_CHECK akin_status akin_cachelist_append(akin_cachelist *lists, size_t row,
                                                  akin_text *text);
/* Whether the value is that of the row. */
AKIN_MUST_CHECK akin_status akin_cachelist_is(akin_cachelist *lists, size_t row, const char *value,
                                              size_t length, bool *same);
/* Feeds what is published for the row, written as ids_only or not. AKIN_INPUT: no such list. */
AKIN_MUST_CHECK akin_status akin_cachelist_see(akin_cachelist *lists, size_t row, bool ids_only,
                                               const char *value, size_t length,
                                               akin_publish_diff *change);

/* "json", "ids" */
const char *akin_cachelist_format(bool ids_only);

#endif
