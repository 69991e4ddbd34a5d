/* gallery_why: what each part of the vectors adds to the score of an item and a neighbour, as the scripts
 * that the page loads when somebody points at a neighbour:
 *
 *   data/why/000/00000n.js   akin.shares(first, [[[share...]...]...]) of AKIN_GALLERY_LIST items: of each
 *                            neighbour, thousandths, in the order of the parts; they add up to the
 *                            cosine */
#ifndef AKIN_GALLERY_WHY_H
#define AKIN_GALLERY_WHY_H

#include "gallery_folder.h"
#include "gallery_rows.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/json.h>
#include <akin/table.h>

/* The model is that beside the embeddings. *parts: their names, owned; NULL: none were written, for there
 * is no model that alone made them (and those of the targets), they are by --aspect or a mean, or there
 * are so many that this would take more than some memory. Rank 0. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_why(akin_comm *comm, akin_gallery_folder *folder,
                                             const akin_table *table,
                                             const akin_gallery_made_from *from,
                                             const akin_gallery_rows *rows, akin_json **parts);

#endif
