/* gallery_sides: what distinguishes the two catalogues of a table on a page: their names, and
 * pictures of the targets if their files are not available. */
#ifndef AKIN_GALLERY_SIDES_H
#define AKIN_GALLERY_SIDES_H

#include "gallery_folder.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/gallery.h>
#include <akin/labels.h>
#include <akin/table.h>
#include <stdint.h>

/* The given name, or else that of the run or of the source; owned. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_name_items(const akin_gallery_params *params, char **out);
/* The given name, or else the file in the table's option `against`; owned. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_name_targets(const akin_gallery_params *params,
                                                      const akin_table *table, char **out);

/* Writes targets/000/00000n.jpg from the 32x32 pictures in a catalog.nc, target i by rank i % size.
 * missing [count of labels] becomes 0 on all ranks for those written. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_gallery_small_pictures(akin_comm *comm, const char *catalog,
                                                        akin_gallery_folder *folder,
                                                        const akin_labels *labels,
                                                        uint8_t *missing);

#endif
