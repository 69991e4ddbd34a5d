/* source_csv: the rows of a CSV or TSV file with a header. Not collective. */
#ifndef AKIN_SOURCE_CSV_H
#define AKIN_SOURCE_CSV_H

#include "source_list.h"
#include <akin/error.h>

/* How to read it. */
typedef struct {
    const char *root;     /* the folder for relative paths; NULL: that of the file */
    const char *columns;  /* as in source_columns.h; NULL: the columns' own names */
    const char *encoding; /* as in akin/charset.h; NULL: by its byte order mark, or UTF-8 */
    char separator;       /* of fields; NUL: chosen by the header */
    bool reject_bad;      /* a row with a wrong value of an attribute; or the value is left out */
    bool withdrawals;     /* a row that is not available may have an empty path */
} akin_source_table;

/* Appends its rows, with the attributes of the list. With a root no path may be absolute or lead
 * outside. AKIN_INPUT: a file without the requested columns, with one of them twice, or that is not
 * text; AKIN_USAGE: without the column of an attribute. */
AKIN_MUST_CHECK akin_status akin_source_csv_list(const char *path, const akin_source_table *form,
                                                 akin_source_list *rows);

#endif
