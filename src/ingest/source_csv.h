/* source_csv: the rows of a CSV or TSV file with a header. Not collective. */
#ifndef AKIN_SOURCE_CSV_H
#define AKIN_SOURCE_CSV_H

#include "source_list.h"
#include <akin/error.h>

/* How it is to be read. */
typedef struct {
    const char *root;     /* what relative paths are below; NULL: the folder of the file */
    const char *columns;  /* as source_columns.h has it; NULL: the columns' own names */
    const char *encoding; /* as akin/charset.h has it; NULL: by its mark, or UTF-8 */
    char separator;       /* of fields; NUL: what makes most of the header */
} akin_source_table;

/* Appends its rows. With a root no path may be absolute or lead outside. A file without the columns
 * that are asked for, with one of them twice, or that is no text: AKIN_INPUT. */
AKIN_MUST_CHECK akin_status akin_source_csv_list(const char *path, const akin_source_table *form,
                                                 akin_source_list *rows);

#endif
