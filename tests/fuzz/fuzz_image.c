/* Pictures of every kind: decoding to 32x32 by each fit, and thumbnails. */
#include "fuzz.h"
#include <akin/image.h>
#include <akin/mem.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    const akin_image_params params = {32, 32, (akin_image_fit)(count % 3), 1 << 20};
    uint8_t image[32 * 32 * 3], *rgb = NULL;
    size_t width, height;
    fuzz_check(akin_image_decode(bytes, count, &params, image));
    akin_status status = akin_image_thumbnail(bytes, count, 64, 1 << 20, &rgb, &width, &height);
    if (status == AKIN_OK && (width > 64 || height > 64 || width == 0 || height == 0)) abort();
    akin_mem_free(rgb);
    fuzz_check(status);
    return 0;
}
