/* gallery_pictures: small pictures of the items, made from the sources of the catalogue:
 * pictures/000/00000n.jpg for item n or, for items of another catalogue, targets/000/00000n.jpg. */
#ifndef AKIN_GALLERY_PICTURES_H
#define AKIN_GALLERY_PICTURES_H

#include "gallery_folder.h"
#include "gallery_reuse.h"
#include <akin/comm.h>
#include <akin/error.h>
#include <akin/labels.h>
#include <akin/source.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_GALLERY_OF_ITEMS "pictures"
#define AKIN_GALLERY_OF_TARGETS "targets"

typedef struct akin_gallery_pictures akin_gallery_pictures;

/* Sources of existing pictures. */
typedef struct {
    const akin_gallery_reuse *reuse;
    const char *catalog; /* its content_hash finds unchanged files; NULL: files are read */
} akin_gallery_earlier;

/* Lists the sources and finds every item in them: AKIN_INPUT if one is missing. labels are those of
 * all items; kind is borrowed: one of the two folders above. Collective; agreed. */
AKIN_MUST_CHECK akin_status akin_gallery_pictures_find(akin_comm *comm,
                                                       const akin_source_params *sources,
                                                       const char *kind, const akin_labels *labels,
                                                       akin_gallery_pictures **out);
/* Writes the pictures, at most `side` pixels on the longer side, item i by rank i % size. missing
 * [items] becomes 1 on all ranks if a picture could not be read, otherwise 0. Collective; agreed.
 */
AKIN_MUST_CHECK akin_status akin_gallery_pictures_write(
    akin_comm *comm, akin_gallery_pictures *pictures, akin_gallery_folder *folder,
    const akin_labels *labels, const akin_gallery_earlier *earlier, const akin_gallery_size *size,
    uint8_t *missing);
void akin_gallery_pictures_free(akin_gallery_pictures *pictures); /* Not collective; NULL is fine */

#endif
