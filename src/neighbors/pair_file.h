/* pair_file: CSV files of pairs of names (csv.h): categories, blocks, pins. Not collective. */
#ifndef AKIN_PAIR_FILE_H
#define AKIN_PAIR_FILE_H

#include <akin/csv.h>
#include <akin/error.h>
#include <akin/text.h>
#include <stddef.h>

typedef struct {
    const char *path;                   /* borrowed from the caller of akin_pair_file_read */
    size_t row;                         /* of the file */
    size_t column[AKIN_CSV_PAIR_TEXTS]; /* offsets of texts, NUL-terminated; "" if missing */
} akin_pair_row;

typedef struct {
    akin_text *texts;
    akin_pair_row *rows; /* [count]; owned */
    size_t count, room;
    const char *path; /* of the file that is read */
} akin_pair_file;

/* Appends the rows of a file; as akin_csv_read_pairs. */
AKIN_MUST_CHECK akin_status akin_pair_file_read(const char *path,
                                                const char *const columns[AKIN_CSV_PAIR_TEXTS],
                                                akin_pair_file *out);
void akin_pair_file_release(akin_pair_file *file);

const char *akin_pair_file_text(const akin_pair_file *file, size_t row, int column);

#endif
