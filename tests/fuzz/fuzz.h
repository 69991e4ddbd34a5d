/* What the fuzz targets share: the bytes become a file in memory, since readers take file names. */
#ifndef AKIN_FUZZ_H
#define AKIN_FUZZ_H

#include "ingest/image_canvas.h"
#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Its name, valid until the next call; the file is in memory, not on disk. */
static inline const char *fuzz_file(const uint8_t *bytes, size_t count) {
    static int file = -1;
    static char name[64];
    if (file < 0) file = memfd_create("fuzz", 0);
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, bytes, count, 0) != (ssize_t)count)
        abort();
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    return name;
}

/* A reader may refuse with 1, 2 or 3, and then gives a reason. */
static inline void fuzz_check(akin_status status) {
    if (status != AKIN_OK && (status > AKIN_INPUT || !*akin_error_message())) abort();
    akin_error_clear();
}

/* A decoder of pictures, each fit in turn. */
static inline void fuzz_decode(const uint8_t *bytes, size_t count,
                               akin_status (*decode)(const uint8_t *, size_t, akin_canvas *)) {
    static uint8_t rgb[32 * 32 * 3];
    const akin_image_params params = {32, 32, (akin_image_fit)(count % 4), 1 << 20};
    akin_canvas *canvas = NULL;
    akin_status status = akin_canvas_create(&params, &canvas);
    if (status == AKIN_OK) status = decode(bytes, count, canvas);
    if (status == AKIN_OK) status = akin_canvas_finish(canvas, rgb);
    akin_canvas_free(canvas);
    fuzz_check(status);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#endif
