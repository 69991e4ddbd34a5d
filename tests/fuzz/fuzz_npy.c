/* NumPy's arrays: header and rows. */
#include "fuzz.h"
#include <akin/mem.h>
#include <akin/npy.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    akin_npy *npy = NULL;
    bool is_npy = false;
    const char *path = fuzz_file(bytes, count);
    fuzz_check(akin_npy_recognise(path, &is_npy));
    akin_status status = akin_npy_open(path, &npy);
    if (status == AKIN_OK && akin_npy_rows(npy) > 0) {
        size_t rows = akin_npy_rows(npy) < 64 ? akin_npy_rows(npy) : 64;
        float *values = akin_mem_alloc(rows, akin_npy_columns(npy) * sizeof *values);
        if (values) status = akin_npy_read(npy, akin_npy_rows(npy) - rows, rows, values);
        akin_mem_free(values);
    }
    akin_npy_close(npy);
    fuzz_check(status);
    return 0;
}
