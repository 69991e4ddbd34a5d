/* Pictures: AVIF and HEIC. */
#include "fuzz.h"
#include "ingest/image_heif.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (akin_image_heif_matches(bytes, count)) fuzz_decode(bytes, count, akin_image_heif_decode);
    return 0;
}
