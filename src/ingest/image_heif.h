/* image_heif: AVIF and HEIC, the primary picture, turned and cropped as the file says; the one module with <libheif/heif.h>. Not collective. */
#ifndef AKIN_IMAGE_HEIF_H
#define AKIN_IMAGE_HEIF_H

#include "image_canvas.h"
#include <akin/error.h>
#include <stdbool.h>

bool akin_image_heif_matches(const uint8_t *bytes, size_t count);
/* AKIN_INPUT: damaged, truncated or too large; AKIN_FAILED: out of memory. */
AKIN_MUST_CHECK akin_status akin_image_heif_decode(const uint8_t *bytes, size_t count,
                                                   akin_canvas *canvas);

#endif
