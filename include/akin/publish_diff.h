/* publish_diff: what publishing a table would change, compared with what is published now. Not
 * collective: the rank that publishes has one. The source of the published lists (a sink, or the
 * table of the night before) feeds them one by one, without holding them all in memory. churn:
 * the mean, over the ids in both, of 1 - |A and B| / max(|A|, |B|), as in `evaluate`. */
#ifndef AKIN_PUBLISH_DIFF_H
#define AKIN_PUBLISH_DIFF_H

#include <akin/error.h>
#include <akin/ids.h>
#include <akin/table.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_publish_diff akin_publish_diff;

typedef struct {
    size_t before;  /* items that are published */
    size_t common;  /* of these in the new table */
    size_t gone;    /* of these not in the new table */
    size_t fresh;   /* only in the new table */
    size_t changed; /* common items whose list, its order or a score differs */
    double churn;   /* NaN: unknown, or nothing in common */
    double shrink;  /* gone / before; NaN if nothing is published */
} akin_publish_diff_figures;

typedef enum {
    AKIN_PUBLISH_DIFF_FRESH,
    AKIN_PUBLISH_DIFF_SAME,
    AKIN_PUBLISH_DIFF_CHANGED
} akin_publish_diff_mark;

/* Of the new table, borrowed; NULL for items without lists, only ids. */
AKIN_MUST_CHECK akin_status akin_publish_diff_create(const akin_table *table, const akin_ids *ids,
                                                     akin_publish_diff **out);
void akin_publish_diff_free(akin_publish_diff *change); /* NULL is fine */

/* One published list: neighbors [count], best first; score [count], or NULL if only ids are
 * published. An id that was seen before is ignored. */
AKIN_MUST_CHECK akin_status akin_publish_diff_see(akin_publish_diff *change, const char *id,
                                                  size_t count, const char *const *neighbors,
                                                  const float *score);
/* The published list of this row is identical to the new one. */
void akin_publish_diff_see_same(akin_publish_diff *change, size_t row);
/* The number published, seen or not: for a sink that was asked only for the new table's ids. */
void akin_publish_diff_count(akin_publish_diff *change, size_t items);
/* Only the number published is known. */
void akin_publish_diff_count_blindly(akin_publish_diff *change, size_t items);
/* All lists of another table, with its ids. */
AKIN_MUST_CHECK akin_status akin_publish_diff_see_table(akin_publish_diff *change,
                                                        const akin_table *before,
                                                        const akin_ids *before_ids);

akin_publish_diff_figures akin_publish_diff_result(const akin_publish_diff *change);
akin_publish_diff_mark akin_publish_diff_of(const akin_publish_diff *change, size_t row);
float akin_publish_diff_share(const akin_publish_diff *change,
                              size_t row); /* the number of its neighbours that the published
                                            * list lacks */
/* Ids seen that are gone, in the order seen, `index` from 0; NULL after the last. */
const char *akin_publish_diff_gone(const akin_publish_diff *change, size_t index);
size_t akin_publish_diff_gone_seen(const akin_publish_diff *change);

#endif
