/* image_tiff: the first page of a TIFF, of every kind that libtiff can convert to RGB; the one
 * module with <tiffio.h>. Not collective. */
#ifndef AKIN_IMAGE_TIFF_H
#define AKIN_IMAGE_TIFF_H

#include "image_canvas.h"
#include <akin/error.h>
#include <stdbool.h>

bool akin_image_tiff_matches(const uint8_t *bytes, size_t count);
/* AKIN_INPUT: damaged, truncated or too large; AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_image_tiff_decode(const uint8_t *bytes, size_t count,
                                                   akin_canvas *canvas);

#endif
