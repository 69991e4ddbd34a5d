/* csv_pairs: reads files of pairs, with one rule for all readers of what counts as a header. */
#include <akin/csv.h>
#include <stdint.h>
#include <string.h>

enum { TEXTS = AKIN_CSV_PAIR_TEXTS };

typedef struct {
    const char *path;
    const char *const *columns;
    akin_csv_pair each;
    void *context;
    size_t at[TEXTS]; /* which field is which text; SIZE_MAX = none */
} reading;

/* Whether the row names both columns of the pair; if so, takes their order from it. */
static bool take_header(reading *r, size_t count, const char *const *fields) {
    size_t at[TEXTS] = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
    for (size_t f = 0; f < count; f++)
        for (int c = 0; c < TEXTS; c++)
            if (r->columns[c] && at[c] == SIZE_MAX && strcmp(fields[f], r->columns[c]) == 0)
                at[c] = f;
    if (at[0] == SIZE_MAX || at[1] == SIZE_MAX) return false;
    memcpy(r->at, at, sizeof at);
    return true;
}

static akin_status take_row(void *context, size_t row, size_t count, const char *const *fields,
                            const size_t *lengths) {
    reading *r = context;
    const char *texts[TEXTS];
    if (row == 1 && take_header(r, count, fields)) return AKIN_OK;
    if (count <= r->at[0] || count <= r->at[1])
        return akin_error_set(AKIN_INPUT, "%s row %zu: %zu field%s; write %s,%s", r->path, row,
                              count, AKIN_PLURAL(count), r->columns[0], r->columns[1]);
    for (int c = 0; c < TEXTS; c++) {
        bool there = r->at[c] < count;
        texts[c] = there ? fields[r->at[c]] : "";
        if (there && strlen(texts[c]) != lengths[r->at[c]])
            return akin_error_set(AKIN_INPUT, "%s row %zu: a field with a NUL byte; remove it",
                                  r->path, row);
    }
    return r->each(r->context, row, texts);
}

akin_status akin_csv_read_pairs(const char *path, const char *const columns[TEXTS],
                                akin_csv_pair each, void *context) {
    reading r = {path, columns, each, context, {0, 1, columns[2] ? 2 : SIZE_MAX}};
    return akin_csv_read(path, ',', take_row, &r);
}
