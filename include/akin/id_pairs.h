/* id_pairs: pairs of items that somebody says belong together, from a CSV file: bought or clicked
 * together, or called alike. Not collective.
 *
 * Columns id, id and, where there is a third one, weight (a number above 0; 1 without it). A first
 * row of which neither field is an id of the catalogue is a header. A row with an id that the
 * catalogue lacks, or twice the same id, is passed over and counted; of a pair that is there
 * several times, in either order, the weights are added. */
#ifndef AKIN_ID_PAIRS_H
#define AKIN_ID_PAIRS_H

#include <akin/error.h>
#include <akin/ids.h>
#include <stddef.h>

typedef struct {
    size_t first, second; /* rows of the ids, first < second */
    double weight;
} akin_id_pair;

typedef struct {
    akin_id_pair *pairs; /* [count], ascending; owned */
    size_t count;
    size_t rows, unknown; /* of the file, without its header; that were passed over */
} akin_id_pairs;

/* AKIN_FAILED: cannot be read. AKIN_INPUT: a row with fewer than two fields, or whose weight is no
 * number above 0. */
AKIN_MUST_CHECK akin_status akin_id_pairs_read(const char *path, const akin_ids *ids,
                                               akin_id_pairs *out);
void akin_id_pairs_release(akin_id_pairs *pairs);

#endif
