/* image_gif: the first picture of a GIF; the one module with <gif_lib.h>. Not collective. */
#ifndef AKIN_IMAGE_GIF_H
#define AKIN_IMAGE_GIF_H

#include "image_canvas.h"
#include <akin/error.h>
#include <stdbool.h>

bool akin_image_gif_matches(const uint8_t *bytes, size_t count);
/* AKIN_INPUT: damaged, truncated or too large; AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_image_gif_decode(const uint8_t *bytes, size_t count,
                                                  akin_canvas *canvas);

#endif
