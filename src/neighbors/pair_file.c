/* pair_file: CSV files of pairs of names. */
#include "pair_file.h"
#include <akin/mem.h>
#include <string.h>

static akin_status add(void *context, size_t row, const char *const *texts) {
    akin_status status = AKIN_OK;
    akin_pair_file *out = context;
    if (out->count == out->room) {
        size_t room = out->room > 0 ? 2 * out->room : 64;
        akin_pair_row *rows = akin_mem_resize(out->rows, out->count, room, sizeof *rows);
        if (!rows) return AKIN_FAILED;
        out->rows = rows, out->room = room;
    }
    akin_pair_row *to = &out->rows[out->count];
    to->path = out->path, to->row = row;
    for (int c = 0; c < AKIN_CSV_PAIR_TEXTS && status == AKIN_OK; c++) {
        to->column[c] = akin_text_length(out->texts);
        status = akin_text_append_bytes(out->texts, texts[c], strlen(texts[c]) + 1);
    }
    out->count += status == AKIN_OK;
    return status;
}

akin_status akin_pair_file_read(const char *path, const char *const columns[AKIN_CSV_PAIR_TEXTS],
                                akin_pair_file *out) {
    out->path = path;
    akin_status status = out->texts ? AKIN_OK : akin_text_create(&out->texts);
    return status == AKIN_OK ? akin_csv_read_pairs(path, columns, add, out) : status;
}

void akin_pair_file_release(akin_pair_file *file) {
    akin_text_free(file->texts);
    akin_mem_free(file->rows);
    *file = (akin_pair_file){0};
}

const char *akin_pair_file_text(const akin_pair_file *file, size_t row, int column) {
    return akin_text_bytes(file->texts) + file->rows[row].column[column];
}
