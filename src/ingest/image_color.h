/* image_color: converts pixels of a picture with a colour profile to sRGB; the one module with
 * <lcms2.h>. Not collective. A profile that equals sRGB within one step of 8 bits needs no
 * conversion; a broken one, or one that does not match the picture, is ignored and counted.
 * Consecutive pictures often share a profile, so each thread keeps its last few conversions. */
#ifndef AKIN_IMAGE_COLOR_H
#define AKIN_IMAGE_COLOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    AKIN_COLOR_RGB,           /* 3 bytes a pixel */
    AKIN_COLOR_RGBA,          /* 4 bytes, not premultiplied; the result too, with the same alpha */
    AKIN_COLOR_CMYK,          /* 4 bytes, 0 = no ink */
    AKIN_COLOR_CMYK_INVERTED, /* 4 bytes, 255 = no ink */
    AKIN_COLOR_LAB,           /* 3 bytes: L from 0 to 255, a and b from 128 on */
} akin_color_layout;

typedef struct akin_color akin_color;

/* The conversion for an ICC profile of `count` bytes; NULL if nothing needs converting. grey:
 * the picture has one channel, repeated in red, green and blue. Borrowed until this thread's
 * next find. */
const akin_color *akin_color_find(const uint8_t *profile, size_t count, akin_color_layout layout,
                                  bool grey);

/* The same for primaries and white point by their chromaticities (red, green, blue, white: x and y
 * of each) with the transfer curve of sRGB. */
const akin_color *akin_color_find_primaries(const double xy[8], akin_color_layout layout);

/* From CIE L*a*b* (D50); NULL: there is not enough memory. */
const akin_color *akin_color_find_lab(void);

/* Converts `count` pixels; CMYK and Lab become RGB. out may begin where in begins. color NULL: RGB and
 * RGBA are left unchanged (in and out the same), CMYK is treated as ink on white. */
void akin_color_convert(const akin_color *color, akin_color_layout layout, const uint8_t *in,
                        size_t count, uint8_t *out);

void akin_color_count_broken(void); /* for decoders that find a broken profile themselves */

#endif
