/* lists: the neighbours of a table's items, read in blocks on demand. Not collective. */
#ifndef AKIN_LISTS_H
#define AKIN_LISTS_H

#include <akin/error.h>
#include <akin/table.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One item's list: `count` neighbours with their scores, best first; borrowed. A neighbour is its
 * row in the table's ids (ids.h): a row of the table, or after those a target. */
typedef struct {
    size_t item;
    size_t count;
    const int32_t *neighbor;
    const float *score;
} akin_list;

typedef struct akin_lists akin_lists;

/* The table is borrowed. */
AKIN_MUST_CHECK akin_status akin_lists_create(const akin_table *table, akin_lists **out);
/* The list of a row, valid until the next call. Rows asked for in order are read a block at a time,
 * others alone. */
AKIN_MUST_CHECK akin_status akin_lists_get(akin_lists *lists, size_t row, akin_list *out);
/* The same, only where it is in memory. */
bool akin_lists_peek(const akin_lists *lists, size_t row, akin_list *out);
/* |A and B| of two lists of rows, which it sorts; -1 is no row. */
size_t akin_lists_common(int32_t *a, size_t a_count, int32_t *b, size_t b_count);
void akin_lists_free(akin_lists *lists); /* NULL is fine */

#endif
