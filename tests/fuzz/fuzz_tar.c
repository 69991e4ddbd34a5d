/* Archives: listed, and every member read. No name leads outside the archive. */
#include "fuzz.h"
#include "ingest/source_tar.h"
#include <string.h>

static akin_status read_all(const char *path, const akin_source_list *rows) {
    akin_source_tar *tar = NULL;
    akin_source_bytes bytes = {0};
    akin_status status = akin_source_tar_open(path, &tar);
    for (size_t i = 0; status == AKIN_OK && i < akin_source_list_count(rows); i++) {
        const akin_source_record *row = akin_source_list_get(rows, i);
        if (row->reason || row->member == 0) continue;
        const char *id = akin_source_list_text(rows, row->id);
        if (*id == '/' || strncmp(id, "../", 3) == 0 || strstr(id, "/../")) abort();
        status = akin_source_tar_read(tar, row->member, &bytes);
        if (status == AKIN_INPUT) status = AKIN_OK; /* an error of this member only */
    }
    akin_source_tar_close(tar);
    akin_source_bytes_free(&bytes);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    akin_source_list *rows = NULL;
    bool is_tar = false;
    if (count > 1 << 20 || akin_source_list_create(&rows) != AKIN_OK) return 0;
    const char *path = fuzz_file(bytes, count);
    akin_status status = akin_source_tar_list(path, rows, &is_tar);
    if (status == AKIN_OK && is_tar) status = read_all(path, rows);
    fuzz_check(status);
    akin_source_list_free(rows);
    return 0;
}
