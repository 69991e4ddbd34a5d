/* image: decodes the bytes of a picture file to small upright RGB, and encodes RGB as JPEG. Not
 * collective. The format is recognised by the content. AKIN_INPUT is the file's fault, and the
 * message is the reason; AKIN_FAILED is ours (out of memory). */
#ifndef AKIN_IMAGE_H
#define AKIN_IMAGE_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    AKIN_FIT_STRETCH, /* the whole picture, its aspect ratio given up */
    AKIN_FIT_PAD,     /* the whole picture, centred on white */
    AKIN_FIT_CROP,    /* the middle of the picture */
    AKIN_FIT_WITHIN, /* the whole picture, at most width x height, never enlarged; the result may be
                        smaller */
} akin_image_fit;

typedef struct {
    size_t width, height; /* of the result, pixels, at least 1 */
    akin_image_fit fit;
    uint64_t max_pixels; /* a picture that claims more is refused from its header */
} akin_image_params;

/* The filters that networks expect for resizing; the numbers are Pillow's, as in preprocessor
 * files. */
typedef enum {
    AKIN_IMAGE_NEAREST,
    AKIN_IMAGE_LANCZOS,
    AKIN_IMAGE_BILINEAR,
    AKIN_IMAGE_BICUBIC,
    AKIN_IMAGE_BOX,
    AKIN_IMAGE_HAMMING,
    AKIN_IMAGE_FILTERS,
} akin_image_filter;

/* The upright picture resized, and the middle of that; where the middle reaches beyond, it is black.
 */
typedef struct {
    size_t width, height;               /* of the result, pixels, at least 1 */
    size_t resize_width, resize_height; /* height 0: the shorter side becomes resize_width */
    akin_image_filter filter;
} akin_image_view;

#define AKIN_IMAGE_MAX_PIXELS 100000000

/* AVIF, HEIC, GIF, TIFF and BMP are decoded in a process beside this one; the most that a picture may
 * take there, beyond what the process has without one. */
uint64_t akin_image_decoder_bytes(uint64_t max_pixels);

/* rgb [params.height, params.width, 3], filled by the call; for AKIN_FIT_WITHIN use
 * akin_image_thumbnail. */
AKIN_MUST_CHECK akin_status akin_image_decode(const uint8_t *bytes, size_t count,
                                              const akin_image_params *params, uint8_t *rgb);

/* Both from one decoding: rgb as above, and the network's view, seen [view.height, view.width, 3];
 * view NULL: only rgb. */
AKIN_MUST_CHECK akin_status akin_image_decode_both(const uint8_t *bytes, size_t count,
                                                   const akin_image_params *params, uint8_t *rgb,
                                                   const akin_image_view *view, uint8_t *seen);

/* The whole picture with at most `side` pixels on its longer side, never enlarged: *rgb [*height,
 * *width, 3], owned. */
AKIN_MUST_CHECK akin_status akin_image_thumbnail(const uint8_t *bytes, size_t count, size_t side,
                                                 uint64_t max_pixels, uint8_t **rgb, size_t *width,
                                                 size_t *height);

/* Pictures decoded by this thread so far whose colour profile was ignored because it was broken
 * or did not match. */
uint64_t akin_image_broken_profiles(void);

/* rgb [height, width, 3] as a JPEG of that quality (1..100): *bytes owned (akin_mem_free). */
AKIN_MUST_CHECK akin_status akin_image_encode_jpeg(const uint8_t *rgb, size_t width, size_t height,
                                                   int quality, uint8_t **bytes, size_t *count);

#endif
