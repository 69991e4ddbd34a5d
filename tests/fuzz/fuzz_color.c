/* Colour profiles: each as the profile of a picture of every layout, whose pixels are converted. */
#include "fuzz.h"
#include "ingest/image_color.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    enum { PIXELS = 64 };
    uint8_t pixels[PIXELS * 4];
    for (int layout = AKIN_COLOR_RGB; layout <= AKIN_COLOR_CMYK_INVERTED; layout++) {
        const akin_color *color =
            akin_color_find(bytes, count, (akin_color_layout)layout, count % 2);
        for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37);
        akin_color_convert(color, (akin_color_layout)layout, pixels, PIXELS, pixels);
    }
    return 0;
}
