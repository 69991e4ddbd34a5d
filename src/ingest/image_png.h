/* image_png: PNG of every colour type, depth and interlacing, a row at a time; the one module
 * with <png.h>. Not collective. Gamma is ignored, a profile is converted to sRGB; EXIF gives the
 * orientation; 16 bits are scaled to 8; transparency is laid over white. Even an interlaced
 * picture is never entirely in memory: each pass paints its own pixels. */
#ifndef AKIN_IMAGE_PNG_H
#define AKIN_IMAGE_PNG_H

#include "image_canvas.h"
#include <akin/error.h>
#include <stdbool.h>

bool akin_image_png_matches(const uint8_t *bytes, size_t count);
/* AKIN_INPUT: damaged, truncated or too large; AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_image_png_decode(const uint8_t *bytes, size_t count,
                                                  akin_canvas *canvas);

#endif
