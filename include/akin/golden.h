/* golden: lists approved by people, a CSV id,neighbor, and the share of their pairs that a table
 * contains. Not collective.
 *
 * For headers see csv.h. In a table between products, the id of an item stands for its product
 * (ids.h). A pair with an id that the table lacks, or of a row with itself, is counted, but not
 * measured. A repeated pair counts once. */
#ifndef AKIN_GOLDEN_H
#define AKIN_GOLDEN_H

#include <akin/error.h>
#include <akin/ids.h>
#include <akin/table.h>
#include <akin/text.h>
#include <stddef.h>

enum { AKIN_GOLDEN_WORST = 10, AKIN_GOLDEN_NAMED = 10 };

typedef struct {
    size_t row, pairs,
        found; /* row in the table; number of pairs of this item, and of those found */
} akin_golden_item;

typedef struct {
    size_t pairs, found;
    size_t unknown, same; /* pairs passed over: all, and those of a row with itself */
    akin_golden_item worst[AKIN_GOLDEN_WORST]; /* lowest share first; only items that lack a pair */
    size_t worst_count;
    akin_text *names[AKIN_GOLDEN_NAMED]; /* the first unknown ids; owned */
    size_t name_count;
} akin_golden;

/* AKIN_FAILED: cannot be read; AKIN_INPUT: a row with fewer than two fields. */
AKIN_MUST_CHECK akin_status akin_golden_measure(const char *path, const akin_table *table,
                                                const akin_ids *ids, akin_golden *out);
void akin_golden_release(akin_golden *golden);

double akin_golden_share(const akin_golden *golden); /* NaN: no pair of known items */
/* Tells in the log which pairs of the file `path` are passed over in the table of that path. */
void akin_golden_tell_unknown(const akin_golden *golden, const char *path, const char *table);

#endif
