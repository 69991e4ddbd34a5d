/* image_webp: WebP, lossy, lossless, with transparency; the first frame of an animation; the one
 * module with <webp/decode.h> and <webp/demux.h>. Not collective. */
#ifndef AKIN_IMAGE_WEBP_H
#define AKIN_IMAGE_WEBP_H

#include "image_canvas.h"
#include <akin/error.h>
#include <stdbool.h>

bool akin_image_webp_matches(const uint8_t *bytes, size_t count);
/* AKIN_INPUT: damaged, truncated or too large; AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_image_webp_decode(const uint8_t *bytes, size_t count,
                                                   akin_canvas *canvas);

#endif
