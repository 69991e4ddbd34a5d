/* gallery_why: the contributions of the vectors' parts to the score of an item and a neighbour, as
 * scripts that the page loads when the user points at a neighbour:
 *
 * data/why/000/00000n.js   akin.shares(first, [[[share...]...]...]) of AKIN_GALLERY_LIST items: for
 *                          each neighbour, in thousandths, in the order of the parts; they add up
 *                          to the cosine */
#ifndef AKIN_GALLERY_WHY_H
#define AKIN_GALLERY_WHY_H

#include "gallery_folder.h"
#include "gallery_rows.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/json.h>
#include <akin/table.h>

/* The model is the one in the folder of the embeddings. *parts: names of the parts, owned. NULL:
 * nothing was written, because no single model made all vectors (including those of targets),
 * because scores are by --aspect or means, or because it would need too much memory. Rank 0. Not
 * collective. */
AKIN_MUST_CHECK akin_status akin_gallery_why(akin_comm *comm, akin_gallery_folder *folder,
                                             const akin_table *table,
                                             const akin_gallery_made_from *from,
                                             const akin_gallery_rows *rows, akin_json **parts);

#endif
