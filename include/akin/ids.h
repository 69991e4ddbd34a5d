/* ids: all ids of a file, packed, and the row of each id. Not collective. Memory: the bytes of
 * the ids, and some 16 to 24 bytes per item. */
#ifndef AKIN_IDS_H
#define AKIN_IDS_H

#include <akin/error.h>
#include <akin/ncfile.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_ids akin_ids;

/* Reads the variable `id` of all items in blocks, and after them `target_id` of a table between two
 * catalogues (table.h). AKIN_INPUT: missing, empty, or not UTF-8. */
AKIN_MUST_CHECK akin_status akin_ids_read(const akin_ncfile *file, akin_ids **out);
/* From texts in memory, copied; texts [count]. */
AKIN_MUST_CHECK akin_status akin_ids_create(size_t count, const char *const *texts, akin_ids **out);
void akin_ids_free(akin_ids *ids); /* NULL is fine */

size_t akin_ids_count(const akin_ids *ids);                 /* items */
size_t akin_ids_total(const akin_ids *ids);                 /* and the targets after them */
const char *akin_ids_text(const akin_ids *ids, size_t row); /* NUL-terminated, borrowed */
size_t akin_ids_length(const akin_ids *ids, size_t row);    /* bytes, without the NUL */
/* Prefetches what will be read soon: first the positions of the ids of rows [count], some time
 * later their texts. */
void akin_ids_prefetch_places(const akin_ids *ids, const int32_t *rows, size_t count);
void akin_ids_prefetch_texts(const akin_ids *ids, const int32_t *rows, size_t count);
int64_t akin_ids_find(const akin_ids *ids,
                      const char *id); /* the first item with this id; -1 = none */
/* The same among what can be a neighbour: targets if there are any, else items. */
int64_t akin_ids_find_neighbor(const akin_ids *ids, const char *id);

#endif
