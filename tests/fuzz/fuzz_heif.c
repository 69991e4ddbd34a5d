/* Pictures: AVIF and HEIC, as ingest decodes them: a crash of libheif is a refusal (run.sh looks for
 * crashes of our own). What the process of the decoder does guides nothing. */
#include "fuzz.h"
#include "ingest/image_heif.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static uint8_t rgb[32 * 32 * 3];
    const akin_image_params params = {32, 32, (akin_image_fit)(count % 3), 1 << 20};
    if (akin_image_heif_matches(bytes, count))
        fuzz_check(akin_image_decode(bytes, count, &params, rgb));
    return 0;
}
