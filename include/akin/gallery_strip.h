/* gallery_strip: some pictures beside what the network redraws of them, in one image.
 *
 * Floor 3 (stages); looks down to error, mem, text, file, comm, log, image, network, catalog, model; within its floor
 * to gallery_folder.
 *
 *   strip.jpg    above the pictures as they were learnt, 32x32, below them the reconstructions
 */
#ifndef AKIN_GALLERY_STRIP_H
#define AKIN_GALLERY_STRIP_H

#include <akin/comm.h>
#include <akin/error.h>
#include <akin/gallery_folder.h>
#include <stddef.h>

/* From catalog.nc and model.nc of a run's output folder (NULL = none), items spread evenly over the catalogue; *shown
 * of them, 0 where a file is not there or cannot be used, which is no error. Rank 0 alone; not collective. */
AKIN_MUST_CHECK akin_status akin_gallery_strip(akin_comm *comm, akin_gallery_folder *folder, const char *results,
                                               size_t *shown);

#endif
