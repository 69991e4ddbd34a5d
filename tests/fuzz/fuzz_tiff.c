/* Pictures: TIFF. */
#include "fuzz.h"
#include "ingest/image_tiff.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (akin_image_tiff_matches(bytes, count)) fuzz_decode(bytes, count, akin_image_tiff_decode);
    return 0;
}
