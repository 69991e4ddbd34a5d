/* fileform: the forms of a published file: how each is written, recognised and read back.
 * Not collective.
 *
 * .jsonl {"id": "a", "neighbors": [["b", 0.875]]} a line an item
 * .csv id,rank,neighbor,score a line a neighbour, rank from 1
 * .npy two arrays one behind the other, as two calls of numpy.save on one open file write them:
 * int32 [items, k] rows of the neighbours, -1 = none, and float32 [items, k] scores. One file, so
 * that they change together.
 */
#ifndef AKIN_FILEFORM_H
#define AKIN_FILEFORM_H

#include <akin/error.h>
#include <akin/ids.h>
#include <akin/lists.h>
#include <akin/publish_diff.h>
#include <akin/text.h>
#include <stdbool.h>
#include <stddef.h>

#define AKIN_FILEFORM_NAMES "file:PATH.jsonl, file:PATH.csv, file:PATH.npy"

typedef struct akin_fileform akin_fileform;

/* By the ending of the name; AKIN_USAGE: no such form. */
AKIN_MUST_CHECK akin_status akin_fileform_of(const char *path, const akin_fileform **out);

/* A file is written in passes, each a head and then all lists. n items, k neighbours at most. */
int akin_fileform_passes(const akin_fileform *form);
AKIN_MUST_CHECK akin_status akin_fileform_head(const akin_fileform *form, int pass, size_t n,
                                               size_t k, akin_text *text);
AKIN_MUST_CHECK akin_status akin_fileform_append(const akin_fileform *form, int pass, size_t k,
                                                 const akin_ids *ids, const akin_list *list,
                                                 akin_text *text);

/* Whether the file looks like a table that akin published in this form; an empty one does too.
 * AKIN_FAILED: cannot be read. */
AKIN_MUST_CHECK akin_status akin_fileform_recognise(const akin_fileform *form, const char *path,
                                                    bool *ours);
/* Feeds all that the file says. A .npy knows no ids: it only counts. AKIN_INPUT: damaged. */
AKIN_MUST_CHECK akin_status akin_fileform_compare(const akin_fileform *form, const char *path,
                                                  akin_publish_diff *change);
/* Items in the file; in a .csv those that have a neighbour. */
AKIN_MUST_CHECK akin_status akin_fileform_count(const akin_fileform *form, const char *path,
                                                size_t *items);

#endif
