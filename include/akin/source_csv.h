/* source_csv: a catalogue in a CSV or TSV file.
 *
 * Floor 2 (data); looks down to error, mem, text, file, csv, source_list. Not collective.
 */
#ifndef AKIN_SOURCE_CSV_H
#define AKIN_SOURCE_CSV_H

#include <akin/error.h>
#include <akin/source_list.h>

/* Adds every row below the header. Columns `id` and `path`; optionally `category`, `group`, `available`; others are
 * ignored. Tabs separate in a .tsv or where the header has tabs and no comma. A header that lacks a column: AKIN_INPUT.
 */
AKIN_MUST_CHECK akin_status akin_source_csv_list(const char *path, akin_source_list *list);

#endif
