/* pair_file: CSV files of pairs by name. */
#include "pair_file.h"
#include <akin/csv.h>
#include <akin/mem.h>
#include <string.h>

typedef struct {
    const char *path;
    const char *const *names;
    akin_pair_file *out;
    size_t at[3]; /* which field is which column; SIZE_MAX = none */
} reading;

static bool read_header(reading *r, size_t count, const char *const *fields) {
    size_t at[3] = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    for (size_t f = 0; f < count; f++)
        for (int c = 0; c < 3; c++)
            if (r->names[c] && at[c] == SIZE_MAX && strcmp(fields[f], r->names[c]) == 0) at[c] = f;
    if (at[0] == SIZE_MAX || at[1] == SIZE_MAX) return false;
    memcpy(r->at, at, sizeof at);
    return true;
}

static akin_status add(reading *r, size_t row, size_t count, const char *const *fields) {
    akin_status status = AKIN_OK;
    akin_pair_file *out = r->out;
    if (out->count == out->room) {
        size_t room = out->room > 0 ? 2 * out->room : 64;
        akin_pair_row *rows = akin_mem_resize(out->rows, out->count, room, sizeof *rows);
        if (!rows) return AKIN_FAILED;
        out->rows = rows, out->room = room;
    }
    akin_pair_row *to = &out->rows[out->count];
    to->row = row;
    for (int c = 0; c < 3 && status == AKIN_OK; c++) {
        const char *text = r->at[c] < count ? fields[r->at[c]] : "";
        to->column[c] = akin_text_length(out->texts);
        status = akin_text_append_bytes(out->texts, text, strlen(text) + 1);
    }
    out->count += status == AKIN_OK;
    return status;
}

static akin_status take_row(void *context, size_t row, size_t count, const char *const *fields,
                            const size_t *lengths) {
    reading *r = context;
    (void)lengths;
    if (row == 1 && read_header(r, count, fields)) return AKIN_OK;
    if (count <= r->at[0] || count <= r->at[1])
        return akin_error_set(AKIN_INPUT, "%s row %zu: %zu field%s; write %s,%s", r->path, row,
                              count, AKIN_PLURAL(count), r->names[0], r->names[1]);
    return add(r, row, count, fields);
}

akin_status akin_pair_file_read(const char *path, const char *const columns[3],
                                akin_pair_file *out) {
    reading r = {path, columns, out, {0, 1, columns[2] ? 2 : SIZE_MAX}};
    akin_status status = out->texts ? AKIN_OK : akin_text_create(&out->texts);
    if (status == AKIN_OK) status = akin_csv_read(path, ',', take_row, &r);
    return status;
}

void akin_pair_file_release(akin_pair_file *file) {
    akin_text_free(file->texts);
    akin_mem_free(file->rows);
    *file = (akin_pair_file){0};
}

const char *akin_pair_file_text(const akin_pair_file *file, size_t row, int column) {
    return akin_text_bytes(file->texts) + file->rows[row].column[column];
}
