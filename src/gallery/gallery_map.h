/* gallery_map: a map of the catalogue on which similar items are close to each other. data/map.js
 * has akin.map({columns, lines, sampled, explained: [2], items: [[row, column, line]...]}). The
 * first two principal components are computed (projection.h) for at most AKIN_GALLERY_SAMPLE items,
 * evenly spaced over the catalogue. Of those with a picture AKIN_GALLERY_PLACED are placed on a grid,
 * each in the free cell nearest to its ranks along the two components; of large catalogues more, as
 * their square root grows, up to AKIN_GALLERY_PLACED_MOST. */
#ifndef AKIN_GALLERY_MAP_H
#define AKIN_GALLERY_MAP_H

#include "gallery_folder.h"
#include "gallery_rows.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/table.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AKIN_GALLERY_SAMPLE = 4096,
    AKIN_GALLERY_PLACED = 640,
    AKIN_GALLERY_PLACED_MOST = 2048 /* more would make the page slow */
};

/* How many items of so many have a place, if they have a picture. */
size_t akin_gallery_map_places(size_t items);

/* from: AKIN_INPUT if embeddings given by the user are not those that the table was made from;
 * other ones are then ignored. missing [pictures]: 1 if there is no picture. *placed: number of
 * items on the map; 0 = no map. Rank 0 only; not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_map(akin_comm *comm, akin_gallery_folder *folder,
                                             const akin_table *table,
                                             const akin_gallery_made_from *from,
                                             const akin_gallery_rows *rows, const uint8_t *missing,
                                             size_t *placed);

#endif
