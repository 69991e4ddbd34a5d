/* gallery_assets: the files of src/gallery/page/, embedded in the program; the build generates the
 * .c. */
#ifndef AKIN_GALLERY_ASSETS_H
#define AKIN_GALLERY_ASSETS_H

#include <stddef.h>

typedef struct {
    const char *name; /* "index.html" */
    const unsigned char *bytes;
    size_t count;
} akin_gallery_asset;

extern const akin_gallery_asset akin_gallery_assets[]; /* ends with a NULL name */

#endif
