/* image: see image.h. Fragile decoders run in a process of their own. */
#include "decoder_process.h"
#include "image_formats.h"
#include "image_jpeg.h"
#include <akin/image.h>

static akin_status decode(const uint8_t *bytes, size_t count, const akin_image_params *params,
                          const akin_image_view *view, akin_image_result *result) {
    return akin_image_is_fragile(bytes, count)
               ? akin_decoder_process_decode(bytes, count, params, view, result)
               : akin_image_decode_here(bytes, count, params, view, result);
}

akin_status akin_image_decode_both(const uint8_t *bytes, size_t count,
                                   const akin_image_params *params, uint8_t *rgb,
                                   const akin_image_view *view, uint8_t *seen) {
    akin_image_result result = {.rgb = rgb, .seen = seen};
    AKIN_ASSERT(params->fit != AKIN_FIT_WITHIN);
    return decode(bytes, count, params, view, &result);
}

akin_status akin_image_decode(const uint8_t *bytes, size_t count, const akin_image_params *params,
                              uint8_t *rgb) {
    return akin_image_decode_both(bytes, count, params, rgb, NULL, NULL);
}

akin_status akin_image_thumbnail(const uint8_t *bytes, size_t count, size_t side,
                                 uint64_t max_pixels, uint8_t **rgb, size_t *width,
                                 size_t *height) {
    akin_image_params params = {
        .width = side, .height = side, .fit = AKIN_FIT_WITHIN, .max_pixels = max_pixels};
    akin_image_result result = {.rgb = NULL};
    akin_status status = decode(bytes, count, &params, NULL, &result);
    *rgb = result.rgb;
    *width = result.width;
    *height = result.height;
    return status;
}

akin_status akin_image_encode_jpeg(const uint8_t *rgb, size_t width, size_t height, int quality,
                                   uint8_t **bytes, size_t *count) {
    return akin_image_jpeg_encode(rgb, width, height, quality, bytes, count);
}
