/* area: shrinks a picture by exact area averages, row by row, so that the whole picture is never
 * in memory. Not collective. An output pixel is the average of the source pixels below it, each
 * weighted by the area that it covers, in linear arithmetic on the 8-bit values, rounded once to
 * nearest. All sums are whole numbers, so the order of rows and pixels does not matter. An axis
 * that is enlarged takes the pixel below the centre, like an area filter of width one (Pillow's
 * BOX). */
#ifndef AKIN_AREA_H
#define AKIN_AREA_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_AREA_UNIT 16 /* parts of a source pixel in which a box is given */

/* The part of the source that is shown, in 1/AKIN_AREA_UNIT pixels: columns [x0, x1), rows [y0,
 * y1). */
typedef struct {
    uint64_t x0, x1, y0, y1;
} akin_area_box;

typedef struct akin_area akin_area;

/* From a source of source_width x source_height pixels to width x height, all at least 1; the
 * box is not empty and lies in the source. */
AKIN_MUST_CHECK akin_status akin_area_create(size_t source_width, size_t source_height,
                                             const akin_area_box *box, size_t width, size_t height,
                                             akin_area **out);
void akin_area_free(akin_area *area); /* NULL is fine */

/* Every pixel of the source must be given exactly once, in any order: row y as rgb
 * [source_width, 3], or `count` pixels of it at x, x + step, x + 2 step ... as rgb [count, 3]. */
void akin_area_row(akin_area *area, size_t y, const uint8_t *rgb);
void akin_area_pixels(akin_area *area, size_t y, size_t x, size_t step, size_t count,
                      const uint8_t *rgb);

void akin_area_finish(const akin_area *area, uint8_t *rgb /* [height, width, 3] */);

#endif
