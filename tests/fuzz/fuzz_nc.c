/* NetCDF files: signature, seal and header as read by `inspect` and every `fits`, and all their
 * variables. */
#include "fuzz.h"
#include <akin/mem.h>
#include <akin/ncfile.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    akin_ncfile *file = NULL;
    const char *type, *dims;
    char *text = NULL;
    akin_status status = akin_ncfile_peek(fuzz_file(bytes, count), NULL, &file);
    if (status == AKIN_OK) {
        for (size_t i = 0; i < akin_ncfile_variable_count(file); i++)
            (void)akin_ncfile_variable_name(file, i, &type, &dims);
        for (size_t i = 0; i < akin_ncfile_attribute_count(file); i++) {
            if (akin_ncfile_get_attribute(file, akin_ncfile_attribute_name(file, i), &text) !=
                AKIN_OK)
                continue;
            akin_mem_free(text);
        }
    }
    akin_ncfile_close(file);
    fuzz_check(status);
    return 0;
}
