/* image_canvas: what a decoder paints on. It enforces limits, applies fit and orientation, and
 * shrinks the picture row by row while it is decoded. Not collective. A decoder calls size
 * (header read, nothing allocated yet), then reduction if it can decode to a fraction, then
 * begin, then every row or pixel once; the creator of the canvas finishes it. */
#ifndef AKIN_IMAGE_CANVAS_H
#define AKIN_IMAGE_CANVAS_H

#include <akin/error.h>
#include <akin/image.h>
#include <stddef.h>
#include <stdint.h>

#define AKIN_IMAGE_SIDE_LIMIT 1000000 /* pixels; a row or two have to fit into memory */

typedef struct akin_canvas akin_canvas;

AKIN_MUST_CHECK akin_status akin_canvas_create(const akin_image_params *params, akin_canvas **out);
void akin_canvas_free(akin_canvas *canvas); /* NULL is fine */
/* Before size: the same decoding makes this of the picture too, for akin_canvas_finish_view. */
void akin_canvas_also(akin_canvas *canvas, const akin_image_view *view);

/* The picture as described by its header. orientation: 1..8 as in EXIF, others count as 1.
 * AKIN_INPUT: no pixels or too many. Calling it again starts over: what was painted is
 * discarded. */
AKIN_MUST_CHECK akin_status akin_canvas_size(akin_canvas *canvas, uint64_t width, uint64_t height,
                                             int orientation);

/* The largest of 1, 2, 4, 8 by which the picture may be reduced while it is decoded without
 * visible loss. */
size_t akin_canvas_reduction(const akin_canvas *canvas);

/* From here rows have ceil(width / reduction) pixels, and there are ceil(height / reduction) of
 * them. */
AKIN_MUST_CHECK akin_status akin_canvas_begin(akin_canvas *canvas, size_t reduction);
void akin_canvas_row(akin_canvas *canvas, size_t y, const uint8_t *rgb);
void akin_canvas_pixels(akin_canvas *canvas, size_t y, size_t x, size_t step, size_t count,
                        const uint8_t *rgb);

int akin_canvas_orientation(const akin_canvas *canvas); /* 1..8, after size */
size_t akin_canvas_width(const akin_canvas *canvas);    /* of the result, after size */
size_t akin_canvas_height(const akin_canvas *canvas);
/* The result, turned upright: rgb [height, width, 3]. */
AKIN_MUST_CHECK akin_status akin_canvas_finish(const akin_canvas *canvas, uint8_t *rgb);
/* What was asked for with also: rgb [view.height, view.width, 3]. */
AKIN_MUST_CHECK akin_status akin_canvas_finish_view(const akin_canvas *canvas, uint8_t *rgb);

/* `count` pixels with transparency laid over white: rgba [count, 4] to rgb [count, 3], which may
 * begin at the same place. */
void akin_canvas_over_white(const uint8_t *rgba, size_t count, uint8_t *rgb);
/* `count` pixels whose colours were multiplied by their alpha, [count, 4]: divided by it, in place. */
void akin_canvas_straighten(uint8_t *rgba, size_t count);

#endif
