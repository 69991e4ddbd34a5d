/* fileform: the formats of a published file: how each is written, recognised and read. Not
 * collective.
 *
 * .jsonl   {"id": "a", "neighbors": [["b", 0.875]]}, one line per item
 * .csv     id,rank,neighbor,score, one line per neighbour, ranks start with 1
 * .npy     two consecutive arrays, as written by two calls of numpy.save on one open file:
 *          int32 [items, k], the rows of the neighbours, -1 = none, and float32 [items, k], the
 *          scores
 *
 * A .npy is a single file so that both arrays change together. */
#ifndef AKIN_FILEFORM_H
#define AKIN_FILEFORM_H

#include <akin/error.h>
#include <akin/ids.h>
#include <akin/publish_diff.h>
#include <akin/table.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>

#define AKIN_FILEFORM_NAMES "file:PATH.jsonl, file:PATH.csv, file:PATH.npy"

typedef struct akin_fileform akin_fileform;

/* Selected by the extension; AKIN_USAGE: unknown format. */
AKIN_MUST_CHECK akin_status akin_fileform_of(const char *path, const akin_fileform **out);

/* A file is written in passes, each with a header and then all lists. n items, at most k
 * neighbours. */
int akin_fileform_passes(const akin_fileform *form);
AKIN_MUST_CHECK akin_status akin_fileform_head(const akin_fileform *form, int pass, size_t n,
                                               size_t k, akin_text *text);
AKIN_MUST_CHECK akin_status akin_fileform_append(const akin_fileform *form, int pass, size_t k,
                                                 const akin_ids *ids, const akin_list *list,
                                                 akin_text *text);

/* Whether the file looks like a table that akin published in this format; an empty file counts as
 * one. AKIN_FAILED: cannot be read. */
AKIN_MUST_CHECK akin_status akin_fileform_recognise(const akin_fileform *form, const char *path,
                                                    bool *ours);
/* Feeds the whole file to the diff. A .npy contains no ids: it is only counted. AKIN_INPUT:
 * damaged. */
AKIN_MUST_CHECK akin_status akin_fileform_compare(const akin_fileform *form, const char *path,
                                                  akin_publish_diff *change);
/* The number of items in the file, and of neighbours in the longest list (for a .npy: its columns);
 * for a .csv, only items that have a neighbour are counted. */
AKIN_MUST_CHECK akin_status akin_fileform_count(const akin_fileform *form, const char *path,
                                                size_t *items, size_t *k);

#endif
