/* A catalogue's CSV or TSV: listed as in `ingest`; every row is well-formed or has a reason. */
#include "fuzz.h"
#include "ingest/source_csv.h"
#include <akin/text.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    static const char *const columns[] = {NULL, "shopify", "woocommerce", "merchant",
                                          "id=path path=id,x[2]"};
    static const char *const encodings[] = {NULL, "windows-1252", "utf-16"};
    akin_source_list *rows = NULL;
    const akin_source_table form = {.root = count % 2 ? "/nowhere" : NULL,
                                    .columns = columns[count % 5],
                                    .encoding = encodings[count % 3]};
    if (akin_source_list_create(&rows) != AKIN_OK) return 0;
    fuzz_check(akin_source_csv_list(fuzz_file(bytes, count), &form, rows));
    for (size_t i = 0; i < akin_source_list_count(rows); i++) {
        const akin_source_record *row = akin_source_list_get(rows, i);
        const char *id = akin_source_list_text(rows, row->id);
        if (!row->reason && (!*id || strpbrk(id, "\t\r\n") || !akin_text_is_utf8(id, strlen(id))))
            abort();
    }
    akin_source_list_free(rows);
    return 0;
}
