/* image_jpeg_header: what a JPEG states before its first scan, read with libjpeg, because
 * TurboJPEG's own call refuses unusual chroma subsampling that its decoder supports, and exposes
 * neither EXIF nor profile. Not collective. */
#ifndef AKIN_IMAGE_JPEG_HEADER_H
#define AKIN_IMAGE_JPEG_HEADER_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int width, height, components; /* zeros where the header cannot be read */
    int orientation;               /* 1..8 */
    uint8_t *profile;              /* an ICC profile [profile_count], owned; NULL = none */
    size_t profile_count;
} akin_jpeg_header;

void akin_jpeg_header_read(const uint8_t *bytes, size_t count, akin_jpeg_header *out);
void akin_jpeg_header_clear(akin_jpeg_header *header);

#endif
