/* gallery_sides: what tells the two catalogues of a table between two apart on a page: their names, and
 * pictures of targets where there are no files of them. */
#ifndef AKIN_GALLERY_SIDES_H
#define AKIN_GALLERY_SIDES_H

#include "gallery_folder.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/gallery.h>
#include <akin/labels.h>
#include <akin/table.h>
#include <stdint.h>

/* The name that is given, else that of the run or of the source; owned. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_name_items(const akin_gallery_params *params, char **out);
/* The name that is given, else what the table's option `against` names; owned. Not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_name_targets(const akin_gallery_params *params,
                                                      const akin_table *table, char **out);

/* Writes targets/000/00000n.jpg from the small pictures of a catalog.nc, target i by rank i % size;
 * missing [count of labels] becomes 0 on all ranks where there is one. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_gallery_small_pictures(akin_comm *comm, const char *catalog,
                                                        akin_gallery_folder *folder,
                                                        const akin_labels *labels,
                                                        uint8_t *missing);

#endif
