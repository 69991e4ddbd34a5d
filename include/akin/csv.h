/* csv: rows of fields between separators (RFC 4180), read in pieces, and fields quoted for writing; the
 * one module with <csv.h> (libcsv). Not collective.
 */
#ifndef AKIN_CSV_H
#define AKIN_CSV_H

#include <akin/error.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>

#define AKIN_CSV_FIELD_LIMIT ((size_t)1 << 24) /* bytes of a field */

/* One row: count >= 1 fields, fields[i] of lengths[i] bytes followed by a NUL (the bytes may
 * contain NULs), borrowed during the call. Rows are counted from 1, including the header; empty
 * lines are not rows. A result other than AKIN_OK stops the reading and is returned. */
typedef akin_status (*akin_csv_row)(void *context, size_t row, size_t count,
                                    const char *const *fields, const size_t *lengths);

typedef struct {
    const char *path;
    char separator;
    const char *encoding; /* as in akin_charset_open; NULL: from the byte order mark, or UTF-8 */
} akin_csv_params;

/* Suspicious but valid: rows with a field that contains line ends and separators, which usually
 * means that a quote is missing. */
typedef struct {
    size_t spanning, first_spanning; /* how many, and the first; 0 = none */
} akin_csv_seen;

/* Calls `each` for every row of the file; blanks around fields are kept. Rows are split as by
 * Python's csv module: text after a closing quote is literal, and so is a quote in a field that
 * began without one. AKIN_FAILED: cannot be read; AKIN_INPUT: an unclosed quote, or a field over
 * the limit. */
AKIN_MUST_CHECK akin_status akin_csv_read_table(const akin_csv_params *params, akin_csv_row each,
                                                void *context, akin_csv_seen *seen);
/* The same for a file in UTF-8 or with a byte order mark. */
AKIN_MUST_CHECK akin_status akin_csv_read(const char *path, char separator, akin_csv_row each,
                                          void *context);

/* A row of a file of pairs: two texts, and a third one or ""; borrowed during the call. */
enum { AKIN_CSV_PAIR_TEXTS = 3 };
typedef akin_status (*akin_csv_pair)(void *context, size_t row,
                                     const char *const texts[AKIN_CSV_PAIR_TEXTS]);

/* Calls `each` for every pair of the file. A first row that names the first two columns is a
 * header, and may name the third, which may be NULL; without a header the columns are in this
 * order. Callers that look the texts up treat a first row with two unknown texts as a header with
 * other names. AKIN_FAILED: cannot be read; AKIN_INPUT: a row with fewer than two fields, or with a
 * NUL byte. */
AKIN_MUST_CHECK akin_status akin_csv_read_pairs(const char *path,
                                                const char *const columns[AKIN_CSV_PAIR_TEXTS],
                                                akin_csv_pair each, void *context);

/* Appends one field, quoted if necessary (comma, quote, newline, blank at either end); the
 * caller appends commas and newlines. */
AKIN_MUST_CHECK akin_status akin_csv_append(akin_text *text, const char *field);

/* Sets whether akin_csv_append puts an apostrophe before a field that begins with = + - or @, which
 * a spreadsheet would take for a formula (OWASP, "CSV Injection"). Initially off. */
void akin_csv_make_safe(bool safe);
/* Undoes this for a field: skips the apostrophe while the switch is on. */
const char *akin_csv_unsafe(const char *field);

#endif
