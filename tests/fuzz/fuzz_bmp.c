/* Pictures: BMP. */
#include "fuzz.h"
#include "ingest/image_bmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (akin_image_bmp_matches(bytes, count)) fuzz_decode(bytes, count, akin_image_bmp_decode);
    return 0;
}
