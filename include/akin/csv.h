/* csv: comma- or tab-separated rows (RFC 4180), read in pieces, and fields quoted for writing; the
 * one module with <csv.h> (libcsv). Not collective.
 */
#ifndef AKIN_CSV_H
#define AKIN_CSV_H

#include <akin/error.h>
#include <akin/text.h>
#include <stddef.h>

#define AKIN_CSV_FIELD_LIMIT                                                                       \
    ((size_t)1 << 24) /* bytes; a longer field is a quote that was never closed */

/* One row: count >= 1 fields, fields[i] of lengths[i] bytes and a NUL behind (the bytes may hold
 * NULs themselves), borrowed during the call. Rows are counted from 1, the header too; empty lines
 * are not rows. What it returns, if not AKIN_OK, ends the reading and is passed on. */
typedef akin_status (*akin_csv_row)(void *context, size_t row, size_t count,
                                    const char *const *fields, const size_t *lengths);

/* Calls `each` for every row of the file; a byte order mark at its begin is skipped, blanks around
 * fields stay. separator: ',' or '\t'. Cannot be read: AKIN_FAILED; a quote that is never closed:
 * AKIN_INPUT. */
AKIN_MUST_CHECK akin_status akin_csv_read(const char *path, char separator, akin_csv_row each,
                                          void *context);

/* Appends one field, quoted where it must be (comma, quote, line end, blank at an end); the caller
 * appends commas and line ends. */
AKIN_MUST_CHECK akin_status akin_csv_append(akin_text *text, const char *field);

#endif
