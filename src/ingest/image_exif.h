/* image_exif: the orientation of a photograph; the one module with <libexif/exif-data.h>. Not
 * collective. */
#ifndef AKIN_IMAGE_EXIF_H
#define AKIN_IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

#define AKIN_IMAGE_EXIF_LIMIT ((size_t)1 << 24) /* bytes; larger data is not searched */

/* The orientation, 1..8 (TIFF 6.0 tag 274), in EXIF data, with "Exif\0\0" in front (JPEG) or
 * without (PNG, WebP); 1 if there is none or it cannot be read. */
int akin_image_exif_orientation(const uint8_t *bytes, size_t count);

#endif
