/* image_png: PNG of every colour type, depth and interlacing, a row at a time; the one module with
 * <png.h>. Not collective.
 *
 * Gamma is left alone, a profile is converted to sRGB; EXIF says how it is turned; 16 bits are scaled to 8; transparency is laid over
 * white. An interlaced picture too is never whole in memory: each pass paints its own pixels.
 */
#ifndef AKIN_IMAGE_PNG_H
#define AKIN_IMAGE_PNG_H

#include "image_canvas.h"
#include <akin/error.h>
#include <stdbool.h>

bool akin_image_png_matches(const uint8_t *bytes, size_t count);
/* AKIN_INPUT: damaged, cut or too large; AKIN_FAILED: no memory. */
AKIN_MUST_CHECK akin_status akin_image_png_decode(const uint8_t *bytes, size_t count,
                                                  akin_canvas *canvas);

#endif
