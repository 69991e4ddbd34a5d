/* What the fuzz targets share: the bytes become a file of this process, since the readers take
 * names. */
#ifndef AKIN_FUZZ_H
#define AKIN_FUZZ_H

#include <akin/error.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Its name, valid until the next call; in memory, no disk is touched. */
static inline const char *fuzz_file(const uint8_t *bytes, size_t count) {
    static int file = -1;
    static char name[64];
    if (file < 0) file = memfd_create("fuzz", 0);
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, bytes, count, 0) != (ssize_t)count)
        abort();
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    return name;
}

/* A reader may refuse with 1, 2 or 3, and then says why. */
static inline void fuzz_check(akin_status status) {
    if (status != AKIN_OK && (status > AKIN_INPUT || !*akin_error_message())) abort();
    akin_error_clear();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#endif
