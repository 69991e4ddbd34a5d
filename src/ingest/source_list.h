/* source_list: the rows while it is made by rank 0, and as all ranks hold it. Not collective where
 * nothing else is said.
 *
 * A row is a record of fixed size; its texts lie one behind the other in one block, and are given
 * by their place there.
 */
#ifndef AKIN_SOURCE_LIST_H
#define AKIN_SOURCE_LIST_H

#include <akin/comm.h>
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_SOURCE_TEXT_LIMIT 1024 /* bytes of an id, a category or a group */

/* A row as it is found: texts of `length` bytes, which may be anything. */
typedef struct {
    const char *bytes;
    size_t length;
} akin_source_text;

typedef struct {
    akin_source_text id, path, category, group;
    const char *base; /* the folder that the path is below, or the archive that it is a member of;
                         "" = none */
    uint64_t member;  /* of an archive: the number of the entry that has its bytes, from 1; 0 = a
                         file of its own */
    size_t row;    /* of a table, as whoever opens it sees it: the header is row 1; 0 = no table */
    bool confined; /* the file may not lie outside base, also by links */
    bool available;
    bool address;       /* the path is no file's, but https:// or the like */
    const char *reason; /* why it cannot be accepted, or NULL */
} akin_source_found;

typedef struct {
    uint64_t id, path, category, group, base, reason; /* places of texts; reason 0 = none */
    uint64_t member, row;
    uint8_t available, confined, address;
    uint8_t has_id; /* one that can stand for an item */
    uint8_t padding[4];
} akin_source_record;

typedef struct akin_source_list akin_source_list;

/* Letters of the scheme that a text begins with ("https://...": 5); 0 = it is no address. */
size_t akin_source_scheme(const char *text);

AKIN_MUST_CHECK akin_status akin_source_list_create(akin_source_list **out);
/* Appends; finds fault with ids and labels itself. */
AKIN_MUST_CHECK akin_status akin_source_list_add(akin_source_list *rows,
                                                 const akin_source_found *found);
/* Gives a row its reason if it has none. */
AKIN_MUST_CHECK akin_status akin_source_list_refuse(akin_source_list *rows, size_t row,
                                                    const char *reason);
void akin_source_list_set_member(akin_source_list *rows, size_t row, uint64_t member);
/* Rank 0's rows come to all others, whose own are empty. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_source_list_share(akin_comm *comm, akin_source_list *rows);
void akin_source_list_free(akin_source_list *rows); /* NULL is fine */

size_t akin_source_list_count(const akin_source_list *rows);
const akin_source_record *akin_source_list_get(const akin_source_list *rows,
                                               size_t row);                      /* borrowed */
const char *akin_source_list_text(const akin_source_list *rows, uint64_t place); /* borrowed */

#endif
