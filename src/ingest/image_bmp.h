/* image_bmp: BMP of every depth and compression that GdkPixbuf reads; the one module with <gdk-pixbuf/gdk-pixbuf.h>. Not collective. */
#ifndef AKIN_IMAGE_BMP_H
#define AKIN_IMAGE_BMP_H

#include "image_canvas.h"
#include <akin/error.h>
#include <stdbool.h>

bool akin_image_bmp_matches(const uint8_t *bytes, size_t count);
/* AKIN_INPUT: damaged, truncated or too large; AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_image_bmp_decode(const uint8_t *bytes, size_t count,
                                                  akin_canvas *canvas);

#endif
