/* image_jpeg: JPEG of every kind that TurboJPEG reads, shrunk while it is decoded; the one module
 * with <turbojpeg.h>. Not collective.
 *
 * CMYK and YCCK are taken as Adobe writes them, inverted.
 */
#ifndef AKIN_IMAGE_JPEG_H
#define AKIN_IMAGE_JPEG_H

#include "image_canvas.h"
#include <akin/error.h>
#include <stdbool.h>

bool akin_image_jpeg_matches(const uint8_t *bytes, size_t count);
/* AKIN_INPUT: damaged, truncated or too large; AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_image_jpeg_decode(const uint8_t *bytes, size_t count,
                                                   akin_canvas *canvas);

/* rgb [height, width, 3] as a JPEG of that quality (1..100): *bytes owned (akin_mem_free). */
AKIN_MUST_CHECK akin_status akin_image_jpeg_encode(const uint8_t *rgb, size_t width, size_t height,
                                                   int quality, uint8_t **bytes, size_t *count);

#endif
