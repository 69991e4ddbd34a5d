/* source_csv: the rows of a CSV or TSV file with a header. Not collective. */
#ifndef AKIN_SOURCE_CSV_H
#define AKIN_SOURCE_CSV_H

#include "source_list.h"
#include <akin/error.h>

/* Appends its rows. Relative paths are below `root`, by default (NULL) the folder of the CSV; with
 * a root no path may be absolute or lead outside. A file without the columns id and path, or that
 * is no text: AKIN_INPUT. */
AKIN_MUST_CHECK akin_status akin_source_csv_list(const char *path, const char *root,
                                                 akin_source_list *rows);

#endif
