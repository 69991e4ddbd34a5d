/* image_exif: which way up a photograph is; the one module with <libexif/exif-data.h>. Not
 * collective. */
#ifndef AKIN_IMAGE_EXIF_H
#define AKIN_IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation, 1..8 (TIFF 6.0 tag 274), in a JPEG's APP1 payload that begins with "Exif\0\0"; 1
 * where there is none or it cannot be read. */
int akin_image_exif_orientation(const uint8_t *payload, size_t count);

#endif
