/* gallery_duplicates: items that look the same, grouped in sets, for the gallery's page.
 *
 * data/duplicates.js   akin.duplicates({collapsed, items, sets, shown: [[row that is kept,
 *                      members, [row...]]...]})
 * duplicates.csv       kept, duplicate; all of them
 *
 * The duplicates are those in the table (duplicate_of). In a table without them, and with cosines
 * as scores, they are neighbours with a score of 1; the first available one stands for its set. With two catalogues they are targets. The
 * largest sets come first, each with at most AKIN_GALLERY_MEMBERS of its members. */
#ifndef AKIN_GALLERY_DUPLICATES_H
#define AKIN_GALLERY_DUPLICATES_H

#include "gallery_folder.h"
#include <akin/error.h>
#include <akin/table.h>
#include <stddef.h>

enum { AKIN_GALLERY_MEMBERS = 24 };

/* *found: number of items that are duplicates of another one; 0: no file is written. Rank 0 only;
 * not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_duplicates(akin_gallery_folder *folder,
                                                    const akin_table *table, size_t *found);

#endif
