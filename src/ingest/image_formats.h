/* image_formats: the table of formats, and decoding in this process. Not collective. */
#ifndef AKIN_IMAGE_FORMATS_H
#define AKIN_IMAGE_FORMATS_H

#include <akin/error.h>
#include <akin/image.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t width, height; /* of rgb */
    uint8_t *rgb;  /* [height, width, 3]; NULL before: made by the call, owned by the caller */
    uint8_t *seen; /* [view.height, view.width, 3], the caller's; not used without a view */
} akin_image_result;

/* Whether its decoder belongs into a process of its own (decoder_process.h). */
bool akin_image_is_fragile(const uint8_t *bytes, size_t count);

/* Decodes in this process, as akin_image_decode_both does; view NULL: only rgb. */
AKIN_MUST_CHECK akin_status akin_image_decode_here(const uint8_t *bytes, size_t count,
                                                   const akin_image_params *params,
                                                   const akin_image_view *view,
                                                   akin_image_result *result);

#endif
