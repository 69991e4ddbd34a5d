/* gallery_ranks: where the neighbours of each item would stand without rules, and what these add to their
 * scores, as the scripts that the page loads when somebody points at a neighbour:
 *
 *   data/ranks/000/00000n.js   akin.ranks(first, depth, [[[without rules, without boosts, boost]...]...]) of
 *                              AKIN_GALLERY_LIST items: of each neighbour; ranks from 1, 0 = beyond depth */
#ifndef AKIN_GALLERY_RANKS_H
#define AKIN_GALLERY_RANKS_H

#include "gallery_folder.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/gallery.h>
#include <akin/table.h>
#include <stdbool.h>

/* *done: whether there are such scripts, for which `plain` is needed. Rank 0; not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_ranks(akin_comm *comm, akin_gallery_folder *folder,
                                               const akin_table *table,
                                               const akin_gallery_longer *longer, bool *done);

#endif
