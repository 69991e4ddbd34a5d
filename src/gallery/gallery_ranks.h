/* gallery_ranks: the ranks that each item's neighbours would have without rules, and the boosts of
 * their scores, as scripts that the page loads when the user points at a neighbour:
 *
 * data/ranks/000/00000n.js   akin.ranks(first, depth, [[[without rules, without boosts,
 *                            boost]...]...]) of AKIN_GALLERY_LIST items: for each neighbour;
 *                            ranks start with 1, 0 = beyond depth */
#ifndef AKIN_GALLERY_RANKS_H
#define AKIN_GALLERY_RANKS_H

#include "gallery_folder.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/gallery.h>
#include <akin/table.h>
#include <stdbool.h>

/* *done: whether these scripts were written, for which `plain` is needed. Rank 0; not collective.
 */
AKIN_MUST_CHECK akin_status akin_gallery_ranks(akin_comm *comm, akin_gallery_folder *folder,
                                               const akin_table *table,
                                               const akin_gallery_longer *longer, bool *done);

#endif
