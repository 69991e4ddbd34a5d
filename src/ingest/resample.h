/* resample: resizes a picture for a network as image processors do: with a separable filter,
 * widened when the picture is made smaller (Pillow's Image.resize; filters have the same numbers
 * here). Row by row, so that the whole picture is never in memory. Not collective.
 *
 * Sums are float and depend on the order of the rows, which is fixed by the file: the same file
 * gives the same bits.
 */
#ifndef AKIN_RESAMPLE_H
#define AKIN_RESAMPLE_H

#include <akin/error.h>
#include <akin/image.h> /* akin_image_filter */
#include <stddef.h>
#include <stdint.h>

/* One axis: `pixels` are given, which show `extent` pixels of them (a decoder that reduces may leave
 * a part of the last one); they become `resized`, of which [first, first + count) are wanted. */
typedef struct {
    size_t pixels;
    double extent;
    size_t resized, first, count;
} akin_resample_axis;

typedef struct akin_resample akin_resample;

AKIN_MUST_CHECK akin_status akin_resample_create(const akin_resample_axis *x,
                                                 const akin_resample_axis *y,
                                                 akin_image_filter filter, akin_resample **out);
void akin_resample_free(akin_resample *resample); /* NULL is fine */

/* Every pixel must be given exactly once: row y as rgb [x->pixels, 3], or `count` pixels of it at
 * x, x + step, x + 2 step ... as rgb [count, 3]. */
void akin_resample_row(akin_resample *resample, size_t y, const uint8_t *rgb);
void akin_resample_pixels(akin_resample *resample, size_t y, size_t x, size_t step, size_t count,
                          const uint8_t *rgb);

void akin_resample_finish(const akin_resample *resample,
                          uint8_t *rgb /* [y->count, x->count, 3] */);

#endif
