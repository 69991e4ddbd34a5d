/* gallery_changes: what changed since the previous table, for the gallery's page.
 *
 *   data/changes.js   akin.changed({...}): how many items are new, gone, changed; the first of
 *                     these; the previous lists that changed most (the gallery has the current
 *                     ones); the days of
 *                     both tables, and why lists change
 *   changes.csv       change (new, changed, gone), id, and for a changed list the share of its
 *                     neighbours that are different */
#ifndef AKIN_GALLERY_CHANGES_H
#define AKIN_GALLERY_CHANGES_H

#include "gallery_folder.h"
#include "gallery_reuse.h"
#include <akin/error.h>
#include <akin/table.h>

/* other: the previous table, or one to compare with. In the second case the script is
 * data/beside.js, which calls akin.beside, and there is no CSV. `reuse` (NULL = none): earlier
 * galleries that have the pictures of removed items: pictures/gone/000/00000i.jpg. */
typedef enum { AKIN_GALLERY_BEFORE, AKIN_GALLERY_BESIDE } akin_gallery_other;

enum {
    AKIN_GALLERY_NAMED = 200,
    AKIN_GALLERY_CHANGED = 60
}; /* most items listed; most lists shown */

/* Rank 0 only; not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_changes(akin_gallery_folder *folder,
                                                 const akin_table *table, const akin_table *before,
                                                 akin_gallery_other other,
                                                 const akin_gallery_reuse *reuse);

#endif
