/* source_list: the rows while rank 0 collects them, and as all ranks hold them. Not collective
 * unless stated. A row is a record of fixed size; its texts are stored consecutively in one
 * block and referenced by position. */
#ifndef AKIN_SOURCE_LIST_H
#define AKIN_SOURCE_LIST_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/source.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_SOURCE_TEXT_LIMIT 1024 /* bytes of an id, a category, a group or a label */

/* A row as found: texts of `length` bytes, with any content. */
typedef struct {
    const char *bytes;
    size_t length;
} akin_source_text;

/* What a row has of an attribute: a number, or a label. */
typedef struct {
    float number; /* NaN = none */
    akin_source_text label;
} akin_source_value;

typedef struct {
    akin_source_text id, path, category, group;
    const akin_source_value *values; /* of each attribute of the list; NULL: none has one */
    const char *base; /* the folder of the path, or the archive that it is a member of; "" = none */
    uint64_t member;  /* of an archive: the number of the entry with its bytes, from 1; 0 = a
                       * separate file */
    size_t row;       /* of a table, as an editor shows it: the header is row 1; 0 = not a table */
    bool confined;    /* the file must not be outside base, even through links */
    bool available, says_available; /* the second: whether the row says so */
    bool address;                   /* the path is not a file but https:// or similar */
    const char *reason;             /* why it cannot be accepted, or NULL */
} akin_source_found;

typedef struct {
    uint64_t id, path, category, group, base, reason; /* positions of texts; reason 0 = none */
    uint64_t member, row;
    uint8_t available, confined, address;
    uint8_t has_id; /* it is usable as an item's id */
    uint8_t says_available;
    uint8_t padding[3];
} akin_source_record;

typedef struct akin_source_list akin_source_list;

/* Length of the scheme at the start of a text ("https://...": 5); 0 = not an address. */
size_t akin_source_scheme(const char *text);

AKIN_MUST_CHECK akin_status akin_source_list_create(akin_source_list **out);
/* Which attributes its rows have; before the first row; borrowed. */
void akin_source_list_set_attributes(akin_source_list *rows,
                                     const akin_source_attributes *attributes);
const akin_source_attributes *akin_source_list_attributes(const akin_source_list *rows);
float akin_source_list_number(const akin_source_list *rows, size_t row, size_t attribute);
const char *akin_source_list_label(const akin_source_list *rows, size_t row, size_t attribute);
/* What is wrong with a text that goes into the files, "is not UTF-8", or NULL. */
const char *akin_source_list_fault(akin_source_text text);
/* Appends a row; checks ids and labels itself. */
AKIN_MUST_CHECK akin_status akin_source_list_add(akin_source_list *rows,
                                                 const akin_source_found *found);
/* From now on the rows already in the list take precedence over new ones with the same id: the
 * caller checks and omits those. */
AKIN_MUST_CHECK akin_status akin_source_list_replace(akin_source_list *rows);
bool akin_source_list_is_replaced(const akin_source_list *rows, akin_source_text id);
/* Sets a row's reason if it has none. */
AKIN_MUST_CHECK akin_status akin_source_list_refuse(akin_source_list *rows, size_t row,
                                                    const char *reason);
void akin_source_list_set_member(akin_source_list *rows, size_t row, uint64_t member);
/* Sends rank 0's rows to all others, whose lists are empty. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_source_list_share(akin_comm *comm, akin_source_list *rows);
void akin_source_list_free(akin_source_list *rows); /* NULL is fine */

size_t akin_source_list_count(const akin_source_list *rows);
const akin_source_record *akin_source_list_get(const akin_source_list *rows,
                                               size_t row);                      /* borrowed */
const char *akin_source_list_text(const akin_source_list *rows, uint64_t place); /* borrowed */

#endif
