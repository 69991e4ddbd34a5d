/* id_rows: looks up the rows of ids in a file of pairs. */
#include "id_rows.h"
#include <akin/labels.h>
#include <akin/mem.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    size_t at;
} named;

static int by_name(const void *x, const void *y) {
    return strcmp(((const named *)x)->name, ((const named *)y)->name);
}

static size_t first_not_before(const named *sorted, size_t count, const char *id) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(sorted[middle].name, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* With two catalogues, the first id of a pair is a source and the second one a target. */
static bool may_be(const akin_vectors *vectors, size_t at, size_t row) {
    size_t sources = akin_vectors_sources(vectors);
    if (sources == akin_vectors_items(vectors)) return true;
    return at % 2 == 0 ? row < sources : row >= sources;
}

akin_status akin_id_rows_find(akin_comm *comm, const akin_vectors *vectors,
                              const char *const *names, size_t count, int64_t *rows) {
    const akin_labels *labels = akin_vectors_labels(vectors);
    named *sorted = akin_mem_alloc(count, sizeof *sorted);
    akin_status status = akin_agree(comm, sorted ? AKIN_OK : AKIN_FAILED);
    if (status != AKIN_OK) goto done;
    for (size_t c = 0; c < count; c++) sorted[c] = (named){names[c], c}, rows[c] = -1;
    qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 0; i < akin_vectors_count(vectors); i++) {
        const char *id = akin_labels_id(labels, i);
        size_t row = akin_vectors_first(vectors) + i;
        for (size_t c = first_not_before(sorted, count, id);
             c < count && strcmp(sorted[c].name, id) == 0; c++)
            if (rows[sorted[c].at] < 0 && may_be(vectors, sorted[c].at, row))
                rows[sorted[c].at] = (int64_t)row;
    }
    akin_comm_max_i64(comm, rows, count);
done:
    akin_mem_free(sorted);
    return status;
}
