/* preflight_added: how many items a table has after `akin add`. */
#include "preflight.h"
#include <akin/ids.h>
#include <akin/mem.h>
#include <akin/ncfile.h>

static akin_status read_ids(const char *path, akin_ids **out) {
    akin_ncfile *file = NULL;
    akin_status status = akin_ncfile_peek(path, "embeddings", &file);
    if (status == AKIN_OK) status = akin_ids_read(file, out);
    akin_ncfile_close(file);
    return status;
}

/* Whether the item of this row, which is in the table, leaves it: no row of its id is accepted, or that one
 * has no picture. */
static bool leaves(const akin_source *source, size_t row) {
    size_t accepted = akin_source_find(source, akin_source_get(source, row).id);
    return accepted == SIZE_MAX || !akin_source_is_there(source, accepted);
}

/* How many of the texts are different. */
static akin_status count_different(size_t count, const char *const *texts, size_t *out) {
    akin_ids *ids = NULL;
    *out = 0;
    if (count == 0) return AKIN_OK;
    akin_status status = akin_ids_create(count, texts, &ids);
    for (size_t i = 0; status == AKIN_OK && i < count; i++)
        *out += akin_ids_find(ids, texts[i]) == (int64_t)i;
    akin_ids_free(ids);
    return status;
}

akin_status akin_preflight_added_items(const akin_source *source, const char *last, size_t *items) {
    akin_status status;
    akin_ids *ids = NULL;
    size_t rows = akin_source_rows(source), leaving = 0, fewer = 0, more = 0;
    const char **gone = akin_mem_alloc(rows + 1, sizeof *gone);
    if (!gone) return AKIN_FAILED;
    AKIN_TRY(read_ids(last, &ids));
    for (size_t row = 0; row < rows; row++) {
        const akin_source_row it = akin_source_get(source, row);
        if (akin_ids_find(ids, it.id) < 0)
            more += !it.reason && akin_source_is_there(source, row);
        else if (leaves(source, row))
            gone[leaving++] = it.id;
    }
    AKIN_TRY(count_different(leaving, gone, &fewer));
    *items = akin_ids_count(ids) + more - fewer;
done:
    akin_ids_free(ids);
    akin_mem_free(gone);
    return status;
}
