/* Pictures: GIF. */
#include "fuzz.h"
#include "ingest/image_gif.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (akin_image_gif_matches(bytes, count)) fuzz_decode(bytes, count, akin_image_gif_decode);
    return 0;
}
