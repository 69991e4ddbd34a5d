/* change: what publishing a table would change, against what is published now.
 *
 * Floor 3 (stages); looks down to error, mem, ids, table; within its floor to lists.
 * Not collective: the rank that publishes has one.
 *
 * Whoever can read what is published (a sink, or the table of the night before) feeds it, list by list, and need not
 * hold it in memory. churn: the mean, over the ids in both, of 1 - |A and B| / max(|A|, |B|), as `evaluate` has it.
 */
#ifndef AKIN_CHANGE_H
#define AKIN_CHANGE_H

#include <akin/error.h>
#include <akin/ids.h>
#include <akin/table.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_change akin_change;

typedef struct {
    size_t before;  /* items that are published */
    size_t common;  /* of these in the new table */
    size_t gone;    /* of these not in the new table */
    size_t fresh;   /* in the new table alone */
    size_t changed; /* common items whose list, its order or a score differs */
    double churn;   /* NaN: not known, or nothing in common */
    double shrink;  /* gone / before; NaN where nothing is published */
} akin_change_figures;

typedef enum { AKIN_CHANGE_FRESH, AKIN_CHANGE_SAME, AKIN_CHANGE_CHANGED } akin_change_mark;

/* Of the new table, borrowed; NULL: of items that have no lists, only ids. */
AKIN_MUST_CHECK akin_status akin_change_create(const akin_table *table, const akin_ids *ids, akin_change **out);
void akin_change_free(akin_change *change); /* NULL is fine */

/* One published list: neighbors [count], best first; score [count], or NULL where only ids are published. An id that
 * was seen before is left out. */
AKIN_MUST_CHECK akin_status akin_change_see(akin_change *change, const char *id, size_t count,
                                            const char *const *neighbors, const float *score);
/* The published list of this row is the new one to the byte. */
void akin_change_see_same(akin_change *change, size_t row);
/* So many are published, seen or not: where a sink was asked for the new table's ids. */
void akin_change_count(akin_change *change, size_t items);
/* So many are published, and which is not known. */
void akin_change_count_blindly(akin_change *change, size_t items);
/* All lists of another table, with its ids. */
AKIN_MUST_CHECK akin_status akin_change_see_table(akin_change *change, const akin_table *before,
                                                  const akin_ids *before_ids);

akin_change_figures akin_change_result(const akin_change *change);
akin_change_mark akin_change_of(const akin_change *change, size_t row);
float akin_change_share(const akin_change *change, size_t row); /* of its neighbours that the published list has not */
/* Gone ids that were seen: in the order seen, `index` from 0; NULL behind the last. */
const char *akin_change_gone(const akin_change *change, size_t index);
size_t akin_change_gone_seen(const akin_change *change);

#endif
