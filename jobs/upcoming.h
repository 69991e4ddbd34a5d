/* upcoming: the items that the table of a run will have, before its sources are read: the accepted rows
 * of the sources, and for `akin add` the items of the last table that these do not replace. Not
 * collective. */
#ifndef AKIN_UPCOMING_H
#define AKIN_UPCOMING_H

#include <akin/ids.h>
#include <akin/source.h>

typedef struct akin_upcoming akin_upcoming;

/* last: embeddings.nc that the source, borrowed, is added to; NULL: the source is all. AKIN_INPUT: it is
 * damaged. */
AKIN_MUST_CHECK akin_status akin_upcoming_create(const akin_source *source, const char *last,
                                                 akin_upcoming **out);
void akin_upcoming_free(akin_upcoming *items); /* NULL is fine */

size_t akin_upcoming_count(const akin_upcoming *items);
bool akin_upcoming_is_added(const akin_upcoming *items); /* there was a last table */
/* Of item i, "" = none; borrowed. attribute: of akin_upcoming_attributes, not a number. */
const char *akin_upcoming_id(const akin_upcoming *items, size_t i);
const char *akin_upcoming_category(const akin_upcoming *items, size_t i);
const char *akin_upcoming_group(const akin_upcoming *items, size_t i);
const char *akin_upcoming_product(const akin_upcoming *items, size_t i); /* its group, or its id */
const char *akin_upcoming_label(const akin_upcoming *items, size_t i, size_t attribute);
const akin_source_attributes *akin_upcoming_attributes(const akin_upcoming *items);

/* What all items are called by one of those above, owned. */
typedef const char *akin_upcoming_name(const akin_upcoming *items, size_t i);
AKIN_MUST_CHECK akin_status akin_upcoming_names(const akin_upcoming *items,
                                                akin_upcoming_name *name, akin_ids **out);

#endif
