/* ids: all ids of a file, packed, and the row of each id. Not collective. Memory: the bytes of
 * the ids, and some 16 to 24 bytes per item. */
#ifndef AKIN_IDS_H
#define AKIN_IDS_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/hash.h>
#include <akin/ncfile.h>
#include <stddef.h>
#include <stdint.h>

typedef struct akin_ids akin_ids;

/* Reads the variable `id` of all items in blocks, and after them `target_id` of a table between two
 * catalogues (table.h). AKIN_INPUT: missing, empty, or not UTF-8. */
AKIN_MUST_CHECK akin_status akin_ids_read(const akin_ncfile *file, akin_ids **out);
/* The same of `member_id` and `target_member_id`: the items of the products of a table. */
AKIN_MUST_CHECK akin_status akin_ids_read_members(const akin_ncfile *file, akin_ids **out);
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

/* Members: finds rows of a table by id, where for a table between products (table.h) the id of an
 * item stands for the item's product, unless a product has that name. */

typedef struct akin_members akin_members;

/* ids: those of the file, borrowed. AKIN_INPUT: an item's product is out of range. */
AKIN_MUST_CHECK akin_status akin_members_read(const akin_ncfile *file, const akin_ids *ids,
                                              akin_members **out);
void akin_members_free(akin_members *members); /* NULL is fine */

/* As akin_ids_find and akin_ids_find_neighbor. */
int64_t akin_members_find(const akin_members *members, const char *id);
int64_t akin_members_find_neighbor(const akin_members *members, const char *id);

/* The join: matches the rows of two files by their ids; each id is matched on the rank that its
 * hash selects, so that no rank needs all ids. */

typedef enum { AKIN_JOIN_FIRST, AKIN_JOIN_SECOND } akin_join_side;

/* A row of one of the two files, known by hashes. */
typedef struct {
    akin_hash128 id;
    akin_hash128 content; /* what has to be the same too; zero where the id is enough */
    int32_t row;
    int32_t side; /* akin_join_side */
} akin_join_row;

typedef struct {
    int32_t first, second; /* rows */
} akin_join_match;

/* The row of a file that has this id, with a content of zero. Not collective. */
akin_join_row akin_join_row_of(const char *id, size_t row, akin_join_side side);

/* rows [count]: this rank's of both files, any shards; they are reordered. *matches [*match_count],
 * owned, for the rows of all ranks, on every rank, in unspecified order: each row of the second
 * file with the lowest row of the first that has its id, if their contents are the same.
 * Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_join(akin_comm *comm, akin_join_row *rows, size_t count,
                                      akin_join_match **matches, size_t *match_count);

/* Pairs of items that belong together, from a CSV file: bought or clicked together, or judged
 * similar. Not collective.
 *
 * Columns id, neighbor and optionally weight (a number above 0; default 1); for headers see csv.h.
 * A row with an id that the catalogue lacks, or with the same id twice, is skipped and counted; the
 * weights of a repeated pair, in either order, are added. */

typedef struct {
    size_t first, second; /* rows of the ids, first < second */
    double weight;
} akin_id_pair;

typedef struct {
    akin_id_pair *pairs; /* [count], ascending; owned */
    size_t count;
    size_t rows, unknown; /* of the file, without its header; that were passed over */
} akin_id_pairs;

/* Ids are those of the file: a catalogue, or a table and its members. AKIN_FAILED: cannot be read.
 * AKIN_INPUT: a row with fewer than two fields, or whose weight is no number above 0. */
AKIN_MUST_CHECK akin_status akin_id_pairs_read(const char *path, const akin_ncfile *file,
                                               akin_id_pairs *out);
/* The same of the rows alone, whatever ids there are; not of a first row, which may be a header. */
AKIN_MUST_CHECK akin_status akin_id_pairs_check(const char *path);
void akin_id_pairs_release(akin_id_pairs *pairs);

#endif
