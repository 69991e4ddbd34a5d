/* source_columns: which columns of a table have what a row needs, according to --columns. Not
 * collective. The text is `KEY=NAME ...` with the keys id, path, path2 to path9, category, group and available,
 * and the names of attributes; a key that is not given is read from the column of the same name. A
 * NAME may contain blanks, or be quoted; of several, separated by commas, the first non-empty one is
 * used; NAME[2] is the second of the texts that a cell lists, separated by commas; "\," is a comma
 * inside one. A preset may come first: shopify, woocommerce or merchant. */
#ifndef AKIN_SOURCE_COLUMNS_H
#define AKIN_SOURCE_COLUMNS_H

#include "source_list.h"
#include <akin/error.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum {
    AKIN_COLUMN_ID,
    AKIN_COLUMN_PATH,
    AKIN_COLUMN_CATEGORY,
    AKIN_COLUMN_GROUP,
    AKIN_COLUMN_AVAILABLE,
    AKIN_COLUMN_MORE_PATHS, /* path2, path3 ...: further pictures */
    AKIN_COLUMN_LAST_PATH = AKIN_COLUMN_MORE_PATHS + 7,
    AKIN_COLUMN_HIDDEN, /* of a preset: makes a row unavailable whatever AVAILABLE says */
    AKIN_COLUMN_KIND,   /* of a preset: the kind of a row */
    AKIN_COLUMN_COUNT
} akin_column;

typedef struct akin_columns akin_columns;

/* A column for each attribute comes after those: AKIN_COLUMN_COUNT + a. */
enum { AKIN_COLUMNS_MAX = AKIN_COLUMN_COUNT + AKIN_SOURCE_ATTRIBUTES_MAX };

/* text NULL: the keys' own names; attributes borrowed. AKIN_USAGE: not valid. */
AKIN_MUST_CHECK akin_status akin_columns_create(const char *text,
                                                const akin_source_attributes *attributes,
                                                akin_columns **out);
void akin_columns_free(akin_columns *columns); /* NULL is fine */

/* How much of what is requested a header has: larger is better, 0 = nothing. */
size_t akin_columns_score(const akin_columns *columns, size_t count, const char *const *fields,
                          const size_t *lengths);
/* Finds the columns in the header of the table at `path`. AKIN_INPUT: one is missing or
 * ambiguous; AKIN_USAGE: that of an attribute is missing. Logs once which columns are not used. */
AKIN_MUST_CHECK akin_status akin_columns_find(akin_columns *columns, const char *path, size_t count,
                                              const char *const *fields, const size_t *lengths);
/* A row's value of it, borrowed from the row or, until the next one of this column, from
 * `columns`; "" = none. */
AKIN_MUST_CHECK akin_status akin_columns_get(akin_columns *columns, size_t column, size_t count,
                                             const char *const *fields, const size_t *lengths,
                                             akin_source_text *out);

/* Whether rows with the id of the previous row only add to it, as in Shopify's exports. */
bool akin_columns_continue(const akin_columns *columns);
/* Whether `available` may also have the words of shop systems: in stock, active, draft ... */
bool akin_columns_are_told(const akin_columns *columns);

/* Without leading and trailing blanks. */
akin_source_text akin_columns_trim(const char *bytes, size_t length);
/* Equal apart from upper and lower case. */
bool akin_columns_is_word(akin_source_text text, const char *word);

#endif
